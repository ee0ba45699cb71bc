"""Parquet files and saved data sets: typed values become JSON, class numbers become names, splits keep theirs."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import WorkbenchError
from pipelines.sources.ingest import import_source
from pipelines.sources.locate import locate
from pipelines.sources.read import FileRows
from pipelines.sources.rows import Rejection


def read(path):
    return [one for file in locate(path).files for one in FileRows(file)]


def test_typed_values_become_json(tmp_path):
    table = pa.table(
        {
            "text": ["a", None],
            "score": [float("nan"), 0.5],
            "day": [datetime.date(2026, 3, 2), None],
            "at": pa.array([datetime.datetime(2026, 3, 2, 9, 16, tzinfo=datetime.UTC)] * 2, pa.timestamp("us", "UTC")),
            "nanos": pa.array([1, 2], pa.timestamp("ns")),
            "price": [decimal.Decimal("1.50"), None],
            "bytes": [b"ab", b"\xff"],
            "turns": [[{"role": "user", "content": "hi"}], []],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert (first.row, second.row) == (1, 2)
    assert first.value == {
        "text": "a",
        "score": None,
        "day": "2026-03-02",
        "at": "2026-03-02T09:16:00+00:00",
        "nanos": "1970-01-01T00:00:00.000000001",
        "price": "1.50",
        "bytes": "ab",
        "turns": [{"role": "user", "content": "hi"}],
    }
    assert second.value["score"] == 0.5
    assert second.value["bytes"] == "base64:/w=="


def test_a_nul_character_is_refused_by_its_row(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b\x00", "c"]}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found[1] == Rejection("a.parquet", 2, "It holds a NUL character (U+0000). Take it out.", '{"text": "b\\u0000"}')
    assert [one.row for one in found] == [1, 2, 3]


@pytest.fixture
def labelled():
    import datasets

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["card", "loan"])})
    return datasets.Dataset.from_dict({"text": [f"row {i}" for i in range(1200)], "label": [i % 2 for i in range(1200)]}, features=features)


def test_a_saved_data_set_gives_its_rows_in_order_with_class_names(tmp_path, labelled):
    labelled.save_to_disk(tmp_path / "saved", num_shards=3)
    found = read(tmp_path / "saved")
    assert [one.value for one in found[:2]] == [{"text": "row 0", "label": "card"}, {"text": "row 1", "label": "loan"}]
    assert [one.row for one in found] == list(range(1, 1201))
    assert {one.file for one in found} == {"saved"}


def test_splits_of_a_saved_dict_are_read_under_their_names(tmp_path, labelled):
    import datasets

    datasets.DatasetDict({"train": labelled.select(range(3)), "test": labelled.select([5])}).save_to_disk(tmp_path / "saved")
    assert [(one.file, one.row, one.value["text"]) for one in read(tmp_path / "saved")] == [
        ("train", 1, "row 0"),
        ("train", 2, "row 1"),
        ("train", 3, "row 2"),
        ("test", 1, "row 5"),
    ]


def test_parquet_written_by_datasets_has_class_names_too(tmp_path, labelled):
    labelled.to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[1].value == {"text": "row 1", "label": "loan"}


def test_a_saved_data_set_that_lacks_a_file_says_so(tmp_path, labelled):
    labelled.save_to_disk(tmp_path / "saved", num_shards=2)
    (tmp_path / "saved" / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(WorkbenchError, match=r"lacks its file data-00001-of-00002\.arrow\. Save it again with save_to_disk\."):
        read(tmp_path / "saved")


def test_a_text_whose_bytes_are_no_text_is_set_aside_and_the_other_rows_are_read(tmp_path):
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"one", b"two \xeb\xff", b"three"]).buffers())
    pq.write_table(pa.table({"question": broken, "turns": [[1], [2], [3]]}), tmp_path / "a.parquet")
    first, second, third = read(tmp_path / "a.parquet")
    assert (first.value["question"], third.value["question"]) == ("one", "three")
    assert isinstance(second, Rejection) and second.row == 2
    assert "not UTF-8" in second.reason and "two" in second.raw


def test_a_parquet_page_that_changed_is_noticed_where_the_file_has_checksums(project, tmp_path):
    file = tmp_path / "a.parquet"
    table = pa.table({"question": ["Where is it, please?"], "answer": ["It is here."]})
    pq.write_table(table, file, write_page_checksum=True, compression="none", use_dictionary=False, write_statistics=False)
    file.write_bytes(file.read_bytes().replace(b"It is here.", b"It is hear."))
    (tmp_path / "good.jsonl").write_text('{"question": "Q", "answer": "A"}\n')
    report = import_source(project, tmp_path)
    assert (report.records, report.rejected) == (1, 1)
