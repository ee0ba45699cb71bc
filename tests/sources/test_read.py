"""Every way a file can be written gives the same rows, and what cannot be read is named by its place."""

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from pipelines.errors import WorkbenchError
from pipelines.sources.locate import locate
from pipelines.sources.read import FileRows
from pipelines.sources.rows import RawRow, Rejection

ROWS = [{"question": "Où est né Zola ?", "answer": "À Paris, 10 €"}, {"question": "你好\n吗?", "answer": 'Say "hi", twice'}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


def read(path: Path) -> tuple[list[tuple[int, dict]], list[tuple[int, str]], FileRows]:
    """Numbered values, numbered reasons, and the reader."""
    rows = FileRows(locate(path).files[0])
    found = list(rows)
    values = [(one.row, one.value) for one in found if isinstance(one, RawRow)]
    return values, [(one.row, one.reason) for one in found if isinstance(one, Rejection)], rows


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


CSV = 'question,answer\nOù est né Zola ?,"À Paris, 10 €"\n"你好\n吗?","Say ""hi"", twice"\n'
WAYS = {
    "rows.jsonl": LINES,
    "rows.ndjson": LINES.replace("\n", "\r\n"),
    "no_line_end.jsonl": LINES.rstrip("\n"),
    "list.json": json.dumps(ROWS),
    "pretty.json": json.dumps(ROWS, indent=4, ensure_ascii=False),
    "one_a_line.json": "[\n" + ",\n".join(json.dumps(row) for row in ROWS) + "\n]\n",
    "wrapped.json": json.dumps({"version": "1.0", "data": ROWS}),
    "wrapped_pretty.json": json.dumps({"data": ROWS, "size": 2}, indent=1),
    "rows.csv": CSV,
    "semicolon.csv": CSV.replace(",", ";").replace("Paris; 10", "Paris, 10").replace('hi""; twice', 'hi"", twice'),
    "excel.csv": "sep=,\r\n" + CSV,
    "rows.tsv": 'question\tanswer\nOù est né Zola ?\tÀ Paris, 10 €\n"你好\n吗?"\t"Say ""hi"", twice"\n',
    "bar.txt": CSV.replace("question,answer", "question|answer").replace('?,"À', '?|"À').replace('?","S', '?"|"S'),
    "lines_called.json": LINES,
    "list_called.jsonl": json.dumps(ROWS, indent=1),
    "lines_called.csv": LINES,
    "csv_called.jsonl": CSV,
    "no_ending": LINES,
}


@pytest.mark.parametrize("name", WAYS)
def test_every_way_of_writing_gives_the_same_rows(tmp_path, name):
    values, reasons, _ = read(write(tmp_path / name, WAYS[name]))
    assert values == [(1, ROWS[0]), (2, ROWS[1])]
    assert reasons == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["rows.jsonl", "pretty.json", "rows.csv"])
def test_unicode_encodings_are_told_apart_with_and_without_a_mark(tmp_path, name, encoding):
    ascii_too = WAYS[name].replace("你好", "ni hao")
    values, reasons, _ = read(write(tmp_path / name, ascii_too.encode(encoding)))
    assert [value["question"] for _, value in values] == ["Où est né Zola ?", "ni hao\n吗?"]
    assert reasons == []


@pytest.mark.parametrize("name", ["rows.jsonl", "pretty.json", "rows.csv"])
def test_windows_1252_is_read_and_stated(tmp_path, name):
    values, reasons, rows = read(write(tmp_path / name, WAYS[name].replace("你好", "ni hao").replace("吗", "ma").encode("cp1252")))
    assert values[0] == (1, ROWS[0])
    assert reasons == []
    assert rows.notes == ["read as Windows-1252, because it is not UTF-8"]


def test_bytes_unknown_to_windows_1252_are_read_as_latin_1(tmp_path):
    content = '{"question": "\x81 é", "answer": "ü"}\n'.encode("latin-1")
    values, _, rows = read(write(tmp_path / "a.jsonl", content))
    assert values == [(1, {"question": "\x81 é", "answer": "ü"})]
    assert rows.notes == ["read as Latin-1, because it is not UTF-8"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.jsonl",
            b'{"q": "\xc3\xa9\xc3\xa9"}\n{"q": "\x81"}\n{"q": "ok"}\n',
            "It holds bytes that are not UTF-8 (at byte 8). Save the file as UTF-8.",
        ),
        (
            "a.json",
            b'[{"q": "\xc3\xa9\xc3\xa9"},\n{"q": "\x81"},\n{"q": "ok"}]',
            "It holds bytes that are not UTF-8 (at character 8). Save the file as UTF-8.",
        ),
        (
            "a.csv",
            b"q,a\n\xc3\xa9\xc3\xa9,1\n\x81,2\nok,3\n",
            "It holds bytes that are not UTF-8 (at character 1). Save the file as UTF-8.",
        ),
    ],
)
def test_one_broken_byte_costs_one_row_and_not_the_encoding_of_the_file(tmp_path, name, content, reason):
    values, reasons, rows = read(write(tmp_path / name, content))
    assert [value["q"] for _, value in values] == ["éé", "ok"]
    assert reasons == [(2, reason)]
    assert rows.notes == ["1 line holds bytes that are not UTF-8: read as Windows-1252 where they can be"]


@pytest.mark.parametrize("name", ["rows.jsonl", "list.json", "rows.csv"])
def test_compressed_files_are_read_whatever_they_are_called(tmp_path, name):
    packed = gzip.compress(WAYS[name].encode())
    assert read(write(tmp_path / f"{name}.gz", packed))[0] == [(1, ROWS[0]), (2, ROWS[1])]
    assert read(write(tmp_path / name, packed))[0] == [(1, ROWS[0]), (2, ROWS[1])]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
def test_a_damaged_compressed_file_gives_the_rows_before_the_damage(tmp_path, ending):
    random = Random(7)
    rows = [{"q": f"{i} {random.random()}", "a": str(i)} for i in range(5000)]
    content = {
        "jsonl": "\n".join(map(json.dumps, rows)),
        "csv": "q,a\n" + "\n".join(f"{row['q']},{row['a']}" for row in rows),
        "json": json.dumps(rows),
    }[ending]
    packed = gzip.compress(content.encode())
    values, reasons, _ = read(write(tmp_path / f"a.{ending}.gz", packed[: len(packed) // 2]))
    assert 1000 < len(values) < 4000
    assert values == [(i + 1, rows[i]) for i in range(len(values))]
    assert reasons[-1][1] == "The compressed file is damaged from here on. Compress it again; the rows before were read."
    assert len(reasons) <= 2


def test_a_jsonl_row_is_numbered_by_its_line_and_blank_lines_are_no_rows(tmp_path):
    values, reasons, _ = read(write(tmp_path / "a.jsonl", '\n{"a": 1}\n\n   \n{"a": 2}\n[1]\n"x"\n\n7\nnull\n'))
    assert values == [(2, {"a": 1}), (5, {"a": 2})]
    assert reasons == [
        (6, 'It is a list, not an object in braces. Write each row as {"column": value}.'),
        (7, 'It is a text, not an object in braces. Write each row as {"column": value}.'),
        (9, 'It is a number, not an object in braces. Write each row as {"column": value}.'),
        (10, 'It is null, not an object in braces. Write each row as {"column": value}.'),
    ]


def test_characters_that_look_like_line_ends_do_not_cut_a_line(tmp_path):
    values, _, _ = read(write(tmp_path / "a.jsonl", '{"a": "x\u2028y\u2029z\x85\x0b"}\n'.replace("\x0b", "")))
    assert values == [(1, {"a": "x\u2028y\u2029z\x85"})]


def test_an_enormous_line_is_passed_over_and_the_next_one_is_read(tmp_path):
    huge = '{"a": "' + "x" * (17 * 1024 * 1024) + '"}\n'
    for name, content in (("a.jsonl", '{"a": 1}\n' + huge + '{"a": 2}\n'), ("a.json", '[\n{"a": 1},\n' + huge.rstrip() + ',\n{"a": 2}\n]')):
        values, reasons, _ = read(write(tmp_path / name, content))
        assert values == [(1, {"a": 1}), (3, {"a": 2})]
        assert reasons == [(2, "It is longer than 16 MiB. Shorten it or split it.")]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", "", "a.jsonl is empty: it holds no rows. Choose another file."),
        ("a.jsonl", " \n\t\n", "a.jsonl holds nothing but white space: there are no rows. Choose another file."),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "a.jsonl.gz holds nothing but white space: there are no rows. Choose another file."),
        ("a.xlsx", b"PK\x03\x04rest", "a.xlsx is a ZIP archive where none can be read. Unpack it first."),
        ("a.txt", "once upon a time", "a.txt holds no rows that can be read. Bring JSONL, JSON, CSV, TSV, Excel or Parquet."),
        ("a.csv.gz", b"\x1f\x8b\x08broken", "a.csv.gz is a damaged gzip file: not even its start can be unpacked. Compress it again."),
    ],
)
def test_a_file_without_rows_is_refused_with_one_sentence(tmp_path, name, content, sentence):
    with pytest.raises(WorkbenchError) as refused:
        read(write(tmp_path / name, content))
    assert str(refused.value) == sentence


def test_a_damaged_parquet_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(WorkbenchError, match=r"^a.parquet is damaged: .*\. Write it again\.$"):
        read(write(tmp_path / "a.parquet", b"PAR1" + b"\x00" * 100))


def test_a_misleading_ending_is_stated(tmp_path):
    assert read(write(tmp_path / "a.csv", LINES))[2].notes == ["read as JSON lines, judged by what it holds and not by its ending .csv"]


def test_what_is_missing_is_refused_with_its_path(tmp_path):
    with pytest.raises(WorkbenchError) as refused:
        locate(tmp_path / "none.jsonl")
    assert str(refused.value) == f"There is no file or folder {tmp_path / 'none.jsonl'}. Check the path."
