"""Reading: the rows of one file of a source, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pipelines.errors import WorkbenchError
from pipelines.sources.columnar import ColumnarRows
from pipelines.sources.delimited import Layout, read_delimited
from pipelines.sources.encoding import Encoding, detect_encoding, open_text
from pipelines.sources.json_document import read_json_document
from pipelines.sources.json_lines import read_json_lines
from pipelines.sources.locate import SourceFile, arrow_files
from pipelines.sources.packed import bytes_read, damage, is_compressed, is_damaged, open_bytes
from pipelines.sources.rows import RawRow, Rejection, reject
from pipelines.sources.sniff import Kind, ending, is_parquet, sniff_text
from pipelines.sources.workbook import ENDINGS as WORKBOOK_ENDINGS
from pipelines.sources.workbook import WorkbookRows, is_workbook

_TITLES: dict[Kind, str] = {"jsonl": "JSON lines", "json": "JSON", "csv": "CSV", "parquet": "Parquet", "workbook": "a workbook"}
_ENDINGS: dict[Kind, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "csv": (".csv", ".tsv", ".txt", ".tab", ".psv"),
    "parquet": (".parquet", ".pq"),
    "workbook": WORKBOOK_ENDINGS,
}


class FileRows:
    """The rows of one file, in order. Raises WorkbenchError at once when it holds none that could be read.

    Iterating reads it from the start; `notes` then holds what the user should know about the file, `header` the cells of a text table
    that were read as the names of its columns.
    """

    def __init__(self, file: SourceFile, *, head_only: bool = False) -> None:
        self.file = file
        self.notes: list[str] = []
        self.encoding = Encoding("utf-8")
        self.layout: Layout | None = None
        self.header: list[str] = []
        self.kind: Kind = "parquet"
        self._stream: BinaryIO | None = None
        self._columnar: ColumnarRows | WorkbookRows | None = None
        try:
            if not file.is_saved_data_set and is_workbook(file.path):
                self.kind = "workbook"
            elif not file.is_saved_data_set and not is_parquet(file.path):
                self.encoding = detect_encoding(file.path, head_only=head_only)
                self.kind, self.layout = sniff_text(file.path, self.encoding)
        except OSError as error:
            raise WorkbenchError(f"Cannot read {file.name}: {error.strerror}. Check its permissions.") from error
        named = ending(file.path)
        if not file.is_saved_data_set and named and named not in _ENDINGS[self.kind]:
            self.notes.append(f"read as {_TITLES[self.kind]}, judged by what it holds and not by its ending {named}")
        if self.encoding.note:
            self.notes.append(self.encoding.note)

    def __iter__(self) -> Iterator[RawRow | Rejection]:
        if self.kind == "workbook":
            self._columnar = WorkbookRows(self.file.name, self.file.path)
            yield from self._columnar
            self.notes += self._columnar.notes
            return
        if self.kind == "parquet":
            self._columnar = ColumnarRows(
                self.file.name, self.file.path, arrow_files(self.file.path) if self.file.is_saved_data_set else None
            )
            yield from self._columnar
            return
        row = 0
        with open_bytes(self.file.path) as stream:
            self._stream = stream
            may_break = is_compressed(stream)
            try:
                for found in self._text_rows(stream):
                    row = found.row
                    yield self._distrusted(found) if may_break and is_damaged(stream) else found
            finally:
                self._stream = None
            if is_damaged(stream):
                yield Rejection(self.file.name, row + 1, damage(stream))

    @property
    def bytes_done(self) -> int:
        """How far into the file on disk reading has come."""
        if self._stream is not None:
            return bytes_read(self._stream)
        return int(self._columnar.fraction * self.file.size) if self._columnar else 0

    def _distrusted(self, found: RawRow | Rejection) -> RawRow | Rejection:
        """A table row that ends without a line end where a compressed file breaks off may lack its last characters."""
        if self.kind != "csv" or isinstance(found, Rejection) or (found.raw or "").endswith(("\n", "\r")):
            return found
        return reject(found, "It is cut off. Complete it or take it out.")

    def _text_rows(self, stream: BinaryIO) -> Iterator[RawRow | Rejection]:
        if self.kind == "jsonl":
            yield from read_json_lines(stream, self.file.name, self.encoding)
            return
        with open_text(stream, self.encoding) as text:
            if self.kind == "json":
                yield from read_json_document(text, self.file.name, self.encoding, self.notes)
            else:
                self.header.clear()
                yield from read_delimited(text, self.file.name, self.layout or Layout(), self.encoding, self.header)
