import pyarrow as pa
import pytest

from pipelines.store.tables import write_parquet, write_text


def test_of_a_file_that_could_not_be_written_nothing_is_left(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text("half a character: \ud83d", tmp_path / "report.md")
    (tmp_path / "taken.parquet").mkdir()
    with pytest.raises(IsADirectoryError):
        write_parquet(pa.table({"id": ["a"]}), tmp_path / "taken.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.parquet"]
