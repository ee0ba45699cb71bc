"""Files: the seeds written in every kind of file that the importer reads, with something gone wrong in most of them."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from backports import zstd

from tests.fuzz.mutations import change_bytes, change_value
from tests.fuzz.seeds import FLAT, SEEDS, Row, marker

_MARKER = re.compile(rb"mk\d{8}x\d{2}km")
_ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".ndjson", ".parquet", ".xlsx", ".jsonl.gz", ".zip", ".json.zst")
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "gbk", "shift_jis", "mixed")
_WIDE = ("utf-16", "utf-32")


@dataclass(frozen=True, slots=True)
class Input:
    """One file to import."""

    name: str
    data: bytes
    marks: frozenset[str]
    """Markers that stand in the file and must be found again after its import."""
    is_whole: bool
    """False where the container itself was damaged, so that what it held may be out of reach."""


def make_input(number: int, seed: int) -> Input:
    """The input of this number, the same whenever it is asked for."""
    pick = random.Random(f"{seed}:{number}")
    names = pick.choices(list(SEEDS), k=1 if pick.random() < 0.85 else 3)
    kind = pick.choices(list(_WRITERS), [weight for weight, _ in _WRITERS.values()])[0]
    if kind in ("csv", "workbook"):
        names = [pick.choice(FLAT)]
    rows = [SEEDS[pick.choice(names)](marker(number, i), pick) for i in range(pick.choice((1, 2, 2, 3, 6)))]
    if pick.random() < 0.7:
        rows = [change_value(row, pick) if pick.random() < 0.6 else row for row in rows]
    return _WRITERS[kind][1](rows, number, pick)


def marks_in(data: bytes) -> frozenset[str]:
    """The markers in bytes, whatever the encoding."""
    return frozenset(found.decode() for found in _MARKER.findall(data.replace(b"\0", b"")))


def _named(number: int, ending: str, pick: random.Random) -> str:
    return f"{number:08d}{ending if pick.random() < 0.93 else pick.choice(_ENDINGS)}"


def _json_text(rows: list[Row], number: int, pick: random.Random, shape: str) -> tuple[bytes, str]:
    """The bytes of a JSON file and the encoding it is in."""
    ascii_only = pick.random() < 0.4
    texts = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    if pick.random() < 0.01:
        texts.append(pick.choice(('{"a":', "[")) * pick.choice((1_000, 100_000)))
    if pick.random() < 0.05 and texts:  # the same key twice
        texts[0] = texts[0][:-1] + "," + texts[0][1:] if len(texts[0]) > 2 else texts[0]
    match shape:
        case "lines":
            text = "\n".join(texts) + pick.choice(("", "\n", "\n", "\n\n"))
        case "array":
            text = "[" + pick.choice((",", ",\n", " ,\n  ")).join(texts) + "]"
        case "keyed":
            text = "{" + ",\n".join(f'"{number + i}": {one}' for i, one in enumerate(texts)) + "}"
        case _:
            text = json.dumps({pick.choice(("data", "train", "rows", "examples")): rows, "version": "1.0"}, ensure_ascii=ascii_only)
    return _encoded(text, pick)


def _encoded(text: str, pick: random.Random) -> tuple[bytes, str]:
    if pick.random() < 0.75:
        return text.encode("utf-8", "surrogatepass"), "utf-8"
    name = pick.choice(_ENCODINGS)
    if name == "mixed":
        lines = text.split("\n")
        return b"\n".join(line.encode(pick.choice(("utf-8", "cp1252", "gbk")), "replace") for line in lines), name
    return text.encode(name, "replace"), name


def _damaged(data: bytes, encoding: str, pick: random.Random) -> tuple[bytes, frozenset[str], bool]:
    """The file as it is brought, what stands in it, and whether all of that can be read whatever is done to a part of it."""
    changes = pick.choice((0, 0, 1, 1, 1, 2, 4))
    for _ in range(changes):
        data = change_bytes(data, pick)
    marks = marks_in(data)
    if not encoding.startswith(_WIDE) and data.startswith((b"\xfe\xff", b"\xff\xfe")):
        encoding = "utf-16"
    if encoding.startswith(_WIDE):  # a byte too few shifts all that follows, and perhaps the judgement which of two bytes comes first
        marks &= marks_in(data.decode(encoding, "replace").encode("utf-8", "replace"))
    return data, marks, not (changes and encoding.startswith(_WIDE))


def _plain(shape: str, endings: tuple[str, ...]) -> Callable[[list[Row], int, random.Random], Input]:
    def write(rows: list[Row], number: int, pick: random.Random) -> Input:
        return Input(_named(number, pick.choice(endings), pick), *_damaged(*_json_text(rows, number, pick, shape), pick))

    return write


def _delimited(rows: list[Row], number: int, pick: random.Random) -> Input:
    delimiter = pick.choice((",", ";", "\t", "|"))
    columns = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    file = io.StringIO()
    quoting = pick.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=pick.choice(("\n", "\r\n")))
    writer.writerow(columns)
    for row in rows:
        values = [row.get(column) for column in columns] if isinstance(row, dict) else [row]
        if pick.random() < 0.1:
            values = values[:-1] if pick.random() < 0.5 else [*values, "more"]
        writer.writerow([value if isinstance(value, (str, int, float)) or value is None else json.dumps(value) for value in values])
        if pick.random() < 0.05:
            file.write(pick.choice(("\n", "exported, page 1\n", ",,,\n")))
    return Input(_named(number, pick.choice((".csv", ".tsv", ".csv")), pick), *_damaged(*_encoded(file.getvalue(), pick), pick))


def _compressed(rows: list[Row], number: int, pick: random.Random) -> Input:
    inner = _WRITERS[pick.choice(("lines", "array", "csv"))][1](rows, number, pick)
    press, ending = pick.choice(((_gzip, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz"), (_zstd, ".zst")))
    data = press(inner.data)
    if pick.random() < 0.2:
        data += press(b'\n{"question": "more", "answer": "members"}\n')
    return _container(data, f"{inner.name.split('.')[0]}.{inner.name.split('.', 1)[1]}{ending}", inner.marks, pick)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _zstd(data: bytes) -> bytes:
    """With a checksum, as the program zstd writes it: without, changed bytes can read as another text, and nobody could tell."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


def _archive(rows: list[Row], number: int, pick: random.Random) -> Input:
    files = [
        _WRITERS[pick.choice(("lines", "array", "csv", "parquet", "compressed"))][1](rows, number, pick)
        for _ in range(pick.choice((1, 1, 2)))
    ]
    names = [pick.choice((f"{i}/{file.name}", f"{i}{file.name}", f"../{i}{file.name}", f"/{i}{file.name}")) for i, file in enumerate(files)]
    buffer = io.BytesIO()
    if pick.random() < 0.5:
        ending = ".zip"
        with zipfile.ZipFile(buffer, "w", pick.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
            for name, file in zip(names, files, strict=True):
                archive.writestr(zipfile.ZipInfo(name), file.data)
    else:
        ending = pick.choice((".tar", ".tar.gz", ".tgz"))
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, file in zip(names, files, strict=True):
                member = tarfile.TarInfo(name)
                member.size = len(file.data)
                tar.addfile(member, io.BytesIO(file.data))
        if ending != ".tar":
            buffer = io.BytesIO(_gzip(buffer.getvalue()))
    marks = frozenset().union(*(file.marks for file in files if file.is_whole))
    return _container(buffer.getvalue(), f"{number:08d}{ending}", marks, pick)


def _parquet(rows: list[Row], number: int, pick: random.Random) -> Input:
    try:
        table = pa.Table.from_pylist([row if isinstance(row, dict) else {"value": row} for row in rows])
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(table, buffer, write_page_checksum=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):  # values of two types in one column
        texts = [{"text": json.dumps(row)} for row in rows]
        table = pa.Table.from_pylist(texts)
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(table, buffer, write_page_checksum=True)
    marks = frozenset().union(*(marks_in(json.dumps(row).encode()) for row in table.to_pylist()))
    return _container(buffer.getvalue(), f"{number:08d}.parquet", marks, pick)


def _workbook(rows: list[Row], number: int, pick: random.Random) -> Input:
    book = openpyxl.Workbook()
    sheet = book.active
    columns = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    marks: set[str] = set()
    for values in [columns, *([row.get(column) for column in columns] if isinstance(row, dict) else [row] for row in rows)]:
        cells = [value if isinstance(value, (int, float, bool)) or value is None else str(value) for value in values]
        cells = [_cell(value) for value in cells]
        sheet.append(cells)
        marks |= marks_in(" ".join(map(str, cells)).encode("utf-8", "replace"))
    buffer = io.BytesIO()
    book.save(buffer)
    return _container(_timeless(buffer.getvalue()), f"{number:08d}.xlsx", frozenset(marks), pick)


def _timeless(book: bytes) -> bytes:
    """The same workbook without the moment it was saved at."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as saved, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in saved.namelist():
            archive.writestr(zipfile.ZipInfo(name), re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-01-01T00:00:00Z", saved.read(name)))
    return buffer.getvalue()


def _cell(value: object) -> object:
    """What openpyxl can write."""
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
        return None
    if isinstance(value, int) and abs(value) > 10**15:
        return str(value)
    if isinstance(value, str):
        return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", "", value)
    return value


def _container(data: bytes, name: str, marks: frozenset[str], pick: random.Random) -> Input:
    is_whole = pick.random() < 0.6
    for _ in range(0 if is_whole else pick.choice((1, 1, 3))):
        data = change_bytes(data, pick)
    return Input(name, data, marks, is_whole)


_WRITERS: dict[str, tuple[float, Callable[[list[Row], int, random.Random], Input]]] = {
    "lines": (30, _plain("lines", (".jsonl", ".jsonl", ".ndjson", ".json"))),
    "array": (16, _plain("array", (".json",))),
    "keyed": (6, _plain("keyed", (".json",))),
    "wrapped": (6, _plain("wrapped", (".json",))),
    "csv": (22, _delimited),
    "compressed": (7, _compressed),
    "archive": (5, _archive),
    "parquet": (6, _parquet),
    "workbook": (2, _workbook),
}
