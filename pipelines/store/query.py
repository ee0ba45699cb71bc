"""Query: DuckDB over a project's Parquet files. No view ever holds the whole data set in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Check
from pipelines.store.project import Project
from pipelines.store.tables import MEASUREMENT_SCHEMA, MESSAGE, RECORD_SCHEMA, SOURCE_ROW_SCHEMA


@contextmanager
def connect(project: Project, checks: Mapping[str, Check] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB with the views `records`, `source_rows` and `measurements` (columns check, id, value, evidence).

    The measurements are those of `checks`; of all checks of the code when they are not given. Empty views with the right columns where
    the project has no files yet.
    """
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET temp_directory = {quoted(project.folder / '.spill')}")  # not the folder the user happens to be in
        turns = ", ".join(f"{name}::{_TURNS} AS {name}" for name in ("messages", "chosen", "rejected"))
        _view(connection, "records", project.record_parts, RECORD_SCHEMA, f"* REPLACE ({turns})")
        _view(connection, "source_rows", sorted(project.source_rows_folder.glob("*.parquet")), SOURCE_ROW_SCHEMA)
        _measurement_view(connection, project, checks)
        yield connection
    finally:
        connection.close()


def has_record(project: Project, record: str) -> bool:
    """Whether the project holds a record of this id."""
    with connect(project) as connection:
        return connection.execute("SELECT 1 FROM records WHERE id = $id LIMIT 1", {"id": record}).fetchone() is not None


def quoted(text: str | Path) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


_SQL_TYPES = {pa.string(): "VARCHAR", pa.int8(): "TINYINT"}
_TURNS = f"STRUCT({', '.join(f'{field.name} {_SQL_TYPES[field.type]}' for field in MESSAGE)})[]"


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: list[Path], schema: pa.Schema, columns: str = "*") -> None:
    connection.register(f"empty_{name}", schema.empty_table())
    if not files:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM empty_{name}")
        return
    # By name: else DuckDB reads every file with the fields of the first, and those a later release added to a turn are lost.
    found = f"SELECT {columns} FROM read_parquet([{', '.join(map(quoted, files))}], union_by_name = true)"
    if {*schema.names} - {*pq.read_schema(files[0]).names}:  # of an earlier release: the columns that came later are null
        found += f" UNION ALL BY NAME SELECT * FROM empty_{name}"
    connection.execute(f"CREATE VIEW {name} AS {found}")


def _measurement_view(connection: duckdb.DuckDBPyConnection, project: Project, checks: Mapping[str, Check] | None) -> None:
    from pipelines.checks import all_checks

    known = all_checks() if checks is None else checks
    found = ((check.name, sorted((project.measurements_folder / check.key).glob("*.parquet"))) for check in known.values())
    measurement_view(connection, "measurements", [(name, files) for name, files in found if files])


def measurement_view(connection: duckdb.DuckDBPyConnection, name: str, files_by_check: list[tuple[str, list[Path]]]) -> None:
    """Adds a view over files of measurements: check, id, value, evidence."""
    selects = [
        f"SELECT {quoted(check)} AS check, id, value, evidence FROM read_parquet([{', '.join(map(quoted, files))}])"
        for check, files in files_by_check
    ]
    if selects:
        connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(selects))
    else:
        connection.register(f"empty_{name}", MEASUREMENT_SCHEMA.empty_table())
        connection.execute(f"CREATE VIEW {name} AS SELECT ''::VARCHAR AS check, * FROM empty_{name}")
