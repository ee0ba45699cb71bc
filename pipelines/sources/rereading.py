"""Rereading: a rejected row is read again, by the rules of the file it came from or as the user says."""

from __future__ import annotations

import csv
import io
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.records import Record
from pipelines.sources.archive import Opened
from pipelines.sources.convert import Converter
from pipelines.sources.delimited import Layout, read_delimited
from pipelines.sources.encoding import Encoding
from pipelines.sources.locate import SourceFile, locate
from pipelines.sources.quarantine_index import Entry, QuarantineIndex
from pipelines.sources.read import FileRows
from pipelines.sources.recognise import SAMPLE_ROWS, check_format, check_roles, recognise
from pipelines.sources.rows import RawRow, Rejection, kind_of, text_problem
from pipelines.sources.sample import take_sample
from pipelines.sources.strict_json import BadJson, parse_json
from pipelines.store.project import Project

WHOLE_FILE = "The whole file could not be read, so there is no row to mend. Import the file again when it is whole."
TOO_LONG_TO_MEND = "Only the beginning of this row is kept beside its reason. Mend it in the file and import that again."


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a text would be read as."""

    records: tuple[tuple[str, Record], ...] = ()
    """The format and the record, of a row that nests several for each of them. None unless all of it can be read."""
    reason: str = ""
    """Why it cannot be read; empty when it can."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says about rows that are to be read again. Nothing said: as when they were imported."""

    format: str = "auto"
    mapping: Mapping[str, str] | None = None
    roles: Mapping[str, str] | None = None


class Rereader:
    """Reads rejected rows of one import again. What it finds out about a file it remembers."""

    def __init__(self, project: Project, source: dict[str, Any], reading: Reading | None = None) -> None:
        self.source = source
        reading = reading or Reading()
        check_format(reading.format)
        self.index = QuarantineIndex(project, source)
        self.is_told = reading.format != "auto" or bool(reading.mapping)
        self.asked = reading.format
        self.mapping = dict(reading.mapping or (source["mapping"] if not self.is_told else {}))
        self.roles = check_roles({**source["roles"], **(reading.roles or {})})
        self._unpacked = tempfile.TemporaryDirectory(prefix="winnow-")  # members of archives, for as long as this object lives
        weakref.finalize(self, self._unpacked.cleanup)
        self._files = _kept_files(project, source, Path(self._unpacked.name))
        self._seen: dict[str, _File] = {}

    def attempt(self, entry: Entry, text: str | None = None) -> Attempt:
        """What a rejected row would be read as, with `text` in its place when given."""
        if entry.row == 0:
            return Attempt(reason=WHOLE_FILE)
        if text is None and entry.is_cut:
            return Attempt(reason=TOO_LONG_TO_MEND)
        file = self._file(entry.file)
        found = file.row(entry.raw if text is None else text, entry.row)
        return Attempt(reason=found.reason) if isinstance(found, Rejection) else _attempt(file.converter, found)

    def value(self, entry: Entry) -> dict[str, Any] | None:
        """The columns of a rejected row; None when it cannot be read at all."""
        found = self._file(entry.file).row(entry.raw, entry.row) if entry.row and not entry.is_cut else None
        return found.value if isinstance(found, RawRow) else None

    def attempt_row(self, row: RawRow) -> Attempt:
        """What a row that was just read from the kept original becomes."""
        return _attempt(self._file(row.file).converter, row)

    def kept_rows(self, wanted: Mapping[str, set[int]]) -> Iterator[RawRow]:
        """The rows of the kept original by file and number, as far as they can be read: for those too long for the quarantine."""
        for name, numbers in wanted.items():
            if name in self._files:
                for found in FileRows(self._files[name]):
                    if found.row in numbers and isinstance(found, RawRow):
                        yield found

    def _file(self, name: str) -> _File:
        if name not in self._seen:
            self._seen[name] = self._look_at(name)
        return self._seen[name]

    def _look_at(self, name: str) -> _File:
        layout: Layout | None = None
        columns: tuple[str, ...] = ()
        values: list[dict[str, Any]] = []
        try:
            rows = FileRows(self._files[name])
            sample = take_sample(rows).rows
            values = [row.value for row in sample]
            if rows.kind == "csv" and sample:
                layout, columns = rows.layout or Layout(), tuple(sample[0].value)
        except (KeyError, WorkbenchError):
            pass  # the original is gone or cannot be read: then the text of the row has to speak for itself
        file = _File(name, Converter(None), layout, columns)
        if self.is_told:
            waiting = (file.row(entry.raw, entry.row) for entry in self.index.waiting() if entry.file == name and not entry.is_cut)
            values = [row.value for row in islice(waiting, SAMPLE_ROWS) if isinstance(row, RawRow)] or values
        has_mapped = any(column in value for column in self.mapping.values() for value in values)
        seen = recognise(values, asked=self.asked, mapping=self.mapping if has_mapped else {})
        mapping = self.mapping if has_mapped or self.is_told else {}
        converter = Converter(seen.form, is_asked=self.asked != "auto", mapping=mapping, roles=self.roles)
        return _File(name, converter, layout, columns)


@dataclass(frozen=True, slots=True)
class _File:
    """How the rows of one file are written, and what they are."""

    name: str
    converter: Converter
    layout: Layout | None
    """None for rows in JSON."""
    columns: tuple[str, ...]

    def row(self, text: str, number: int) -> RawRow | Rejection:
        """The row that a text is, by the rules of the file; a row of a table may be written as a JSON object too."""
        if self.layout is not None and not text.lstrip().startswith("{"):
            return self._table_row(text, number)
        problem = text_problem(text)
        try:
            value = parse_json(text)
        except BadJson as error:
            return Rejection(self.name, number, problem or str(error), text)
        if type(value) is not dict:
            return Rejection(self.name, number, f'It is {kind_of(value)}, not an object in braces. Write it as {{"column": value}}.', text)
        return RawRow(self.name, number, value, text)

    def _table_row(self, text: str, number: int) -> RawRow | Rejection:
        layout = self.layout or Layout()
        header = io.StringIO()
        writer = csv.writer(
            header, delimiter=layout.separator, quotechar=layout.quote or None, quoting=csv.QUOTE_ALL if layout.quote else csv.QUOTE_NONE,
            escapechar="\\" if layout.has_backslash_escapes or not layout.quote else None, doublequote=not layout.has_backslash_escapes,
        )  # fmt: skip
        writer.writerow(self.columns)
        whole = io.TextIOWrapper(
            io.BytesIO((header.getvalue() + text).encode("utf-8", "surrogatepass")), "utf-8", "surrogatepass", newline=""
        )
        found = list(islice(read_delimited(whole, self.name, layout, Encoding("utf-8")), 2))
        if not found:
            return Rejection(self.name, number, "It is empty.", text)
        first = found[0]
        if isinstance(first, Rejection):
            return Rejection(self.name, number, first.reason, text)
        if len(found) > 1:
            return Rejection(self.name, number, "It reads as several rows. Put a cell that holds a line break in double quotes.", text)
        return RawRow(self.name, number, first.value, text)


def _attempt(converter: Converter, row: RawRow) -> Attempt:
    found = converter.convert(row)
    reason = next((one.reason for one in found if isinstance(one, Rejection)), "")
    return Attempt(reason=reason) if reason else Attempt(tuple(one for one in found if not isinstance(one, Rejection)))


def _kept_files(project: Project, source: dict[str, Any], folder: Path) -> dict[str, SourceFile]:
    kept = (project.folder / source["kept"]).resolve()
    if not kept.is_relative_to(project.folder):
        return {}
    try:
        return {file.name: file for file in Opened(locate(kept), folder) if isinstance(file, SourceFile)}
    except WorkbenchError:
        return {}
