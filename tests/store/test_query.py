"""Record files of every release are read together, whichever was written first."""

import pyarrow as pa
import pytest

from pipelines.records import Message, Record
from pipelines.store import query
from pipelines.store.tables import MESSAGE, RECORD_SCHEMA, records_to_table, row_to_record, write_parquet

OLD_TURNS = pa.list_(pa.struct(list(MESSAGE)[:5]))
"""A turn as release 1 stored it."""
OLD = Record((Message("user", "old"), Message("assistant", "answer")))
NEW = Record((Message("user", "new"), Message("assistant", "answer", reasoning_content="hm", weight=0)))


def old_table(record: Record) -> pa.Table:
    table = records_to_table([record])
    for name in ("messages", "chosen", "rejected"):
        turns = [[{field: turn[field] for field in MESSAGE.names[:5]} for turn in row] for row in table.column(name).to_pylist()]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(turns, OLD_TURNS))
    return table


@pytest.mark.parametrize(("first", "second"), [("1-old", "2-new"), ("2-old", "1-new")])
def test_turns_of_an_old_project_are_read_beside_new_ones(project, first, second):
    for name in (first, second):
        table = old_table(OLD) if "old" in name else records_to_table([NEW])
        write_parquet(table, project.records_folder / f"{name}.parquet")
    with query.connect(project) as connection:
        table = connection.sql("SELECT * FROM records ORDER BY prompt").to_arrow_table()
        assert [row_to_record(row) for row in table.to_pylist()] == [NEW, OLD]
        assert table.cast(RECORD_SCHEMA).num_rows == 2


def test_a_project_of_old_files_alone_has_the_columns_of_today(project):
    write_parquet(old_table(OLD), project.records_folder / "1.parquet")
    with query.connect(project) as connection:
        assert connection.sql("SELECT messages[1].weight, messages[2].content FROM records").fetchall() == [(None, "answer")]
