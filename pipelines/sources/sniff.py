"""File kind: what a file holds, judged by its first bytes; its ending only decides between what these allow."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Literal

from pipelines.errors import WorkbenchError
from pipelines.sources.delimited import Layout, sniff_layout
from pipelines.sources.encoding import Encoding, open_text
from pipelines.sources.packed import is_damaged, open_bytes, packing_of, without_packing
from pipelines.sources.rows import MAX_ROW_BYTES

Kind = Literal["jsonl", "json", "csv", "parquet", "workbook"]
_SAMPLE_CHARACTERS = 65_536
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive where none can be read. Unpack it first",
    b"7z\xbc\xaf": "a 7z archive. Pack its files as ZIP",
    b"Rar!": "a RAR archive. Pack its files as ZIP",
    b"\xd0\xcf\x11\xe0": "an old Office file. Save the sheet as CSV",
    b"SQLite format 3": "an SQLite database. Export its table as CSV or JSONL",
    b"%PDF": "a PDF. Export its rows as CSV or JSONL",
    b"\x89HDF": "an HDF5 file. Save its rows as Parquet",
    b"ARROW1": "an Arrow file. Save its rows as Parquet",
}


def ending(path: Path) -> str:
    """The ending of the name in lower case, without one of a compression behind it."""
    return Path(without_packing(path.name)).suffix


def is_parquet(path: Path) -> bool:
    """Whether the file holds Parquet. Raises WorkbenchError for well-known files that hold no rows we can read."""
    with open_bytes(path) as stream:
        start = stream.read(16)
        if not start and is_damaged(stream):
            with path.open("rb") as packed:
                packing = packing_of(packed.read(8))
            raise WorkbenchError(f"{path.name} is a damaged {packing} file: not even its start can be unpacked. Compress it again.")
    for mark, what in _FOREIGN.items():
        if start.startswith(mark):
            raise WorkbenchError(f"{path.name} is {what}.")
    return start.startswith(b"PAR1")


def sniff_text(path: Path, encoding: Encoding) -> tuple[Kind, Layout | None]:
    """The kind of a text file, with the layout if it is a table. Raises WorkbenchError when it holds no rows."""
    with open_bytes(path) as stream, open_text(stream, encoding) as text:
        sample = _sample(text)
    if not sample.strip():
        raise WorkbenchError(f"{path.name} holds nothing but white space: there are no rows. Choose another file.")
    is_named_json = ending(path) in (".json", ".jsonl", ".ndjson")
    if sample.lstrip()[0] in "[{":
        kind = _json_kind(sample, ending(path))
        if kind or is_named_json:
            return kind or "jsonl", None
    layout = sniff_layout(sample, ending(path))
    is_named_table = ending(path) in (".csv", ".tsv")
    if _whole_objects(sample) and not (is_named_table and layout):
        return "jsonl", None
    if layout is None and is_named_json:
        return "jsonl", None
    if layout is None and is_named_table:
        layout = Layout("\t" if ending(path) == ".tsv" else ",")
    if layout is None:
        raise WorkbenchError(f"{path.name} holds no rows that can be read. Bring JSONL, JSON, CSV, TSV, Excel or Parquet.")
    return "csv", layout


def _sample(text: io.TextIOWrapper) -> str:
    """The first characters, with the first line whole up to the longest row allowed."""
    sample = text.read(_SAMPLE_CHARACTERS)
    while "\n" not in sample.strip() and len(sample) < MAX_ROW_BYTES:
        more = text.read(1024 * 1024)
        if not more:
            break
        sample += more
    return sample


def _json_kind(sample: str, name_ending: str) -> Kind | None:
    first, _, others = sample.lstrip().partition("\n")
    first = first.strip()
    is_named_lines = name_ending in (".jsonl", ".ndjson")
    try:
        json.loads(first)
    except (ValueError, RecursionError) as error:
        if first in ("[", "{", "[{") or (first[0] == "[" and first[1:].lstrip()[:1] in ("{", "[")):
            return "json"
        ends_early = isinstance(error, json.JSONDecodeError) and (error.pos >= len(first) or error.msg.startswith("Unterminated"))
        if _whole_objects(others) >= (2 if ends_early else 1):
            return "jsonl"
        if ends_early or first[0] == "{":
            return "jsonl" if is_named_lines else "json"
        return None
    return "jsonl" if others.strip() or (is_named_lines and first[0] == "{") else "json"


def _whole_objects(text: str) -> int:
    """The longest run of lines, among the first ones, that are a whole JSON object each. Commas keep it at one inside a JSON array."""
    longest = run = 0
    for line in text.split("\n", 50)[:50]:
        line = line.strip()
        is_whole = line.startswith("{") and line.endswith("}") and _is_json(line)
        run = run + 1 if is_whole else run if not line else 0
        longest = max(longest, run)
    return longest


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
