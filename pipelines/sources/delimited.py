"""Delimited rows: CSV, TSV and their relatives, with separator and quotes judged by the first rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.sources.encoding import Encoding, undecodable
from pipelines.sources.rows import MAX_RAW_CHARACTERS, MAX_ROW_BYTES, TOO_LONG, RawRow, Rejection, text_problem

_NO_CHARACTER = re.compile("[\ud800-\udfff]")
_SEPARATORS = ",\t;|"
_LONGEST_COLUMN_NAME = 100
_MAX_LINES_OF_A_ROW = 10_000
"""A quote that is open for longer was never meant as one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written as text."""

    separator: str = ","
    quote: str | None = '"'
    """None when quotes have no meaning, as in many TSV files."""
    has_backslash_escapes: bool = False

    def reader(self, lines: Iterator[str]) -> Any:
        """A strict csv reader: a quote in the wrong place is an error, not a guess."""
        csv.field_size_limit(MAX_ROW_BYTES)
        return csv.reader(
            lines,
            delimiter=self.separator,
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            doublequote=not self.has_backslash_escapes,
            escapechar="\\" if self.has_backslash_escapes else None,
            strict=True,
        )


def sniff_layout(sample: str, name_ending: str) -> Layout | None:
    """The layout that gives the most rows with as many cells as the header, or None when no layout gives two columns."""
    lines = sample.splitlines(keepends=True)
    if len(lines) > 1 and not sample.endswith(("\n", "\r")):
        lines.pop()  # the sample cuts it
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    separators = "\t,;|" if name_ending == ".tsv" else _SEPARATORS
    quotes = '"' if '"' in sample else "\"'"  # next to double quotes, single ones are apostrophes
    candidates = [Layout(separator, quote) for quote in quotes for separator in separators]
    candidates += [Layout(separator, None) for separator in "\t|"]  # commas without quoting are not believed
    if '\\"' in sample:
        candidates += [Layout(separator, '"', True) for separator in separators]
    scores = [(_score(layout, lines), -place) for place, layout in enumerate(candidates)]
    (fitting, columns), place = max(scores)
    return candidates[-place] if columns > 1 and fitting > 0 else None


_DOUBT = {'"': 0.0, "'": 0.05, None: 0.02}
"""What a rarer quote must gain over the usual one to be believed."""


def _score(layout: Layout, lines: list[str]) -> tuple[float, int]:
    """Share of the lines that fit the header, less the doubt about the quote, and the number of columns."""
    rows = layout.reader(iter(lines))
    fitting = other = columns = wrapped = 0
    while True:
        before = rows.line_num
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            other += max(rows.line_num - before, 1)
            continue
        wrapped += any(len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'" for cell in cells)
        if not columns:
            columns = len(cells)
        elif len(cells) == columns:
            fitting += rows.line_num - before
        elif cells:
            other += rows.line_num - before
    if columns < 2:
        return 0.0, 0
    doubt = _DOUBT[layout.quote] + 0.05 * layout.has_backslash_escapes + wrapped / max(fitting + other, 1)
    return (fitting / (fitting + other) if fitting + other else 0.5) - doubt, columns


class _Lines:
    """Physical lines with what a row has taken of them, so that the rest of a broken row can be read again."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.cut = False
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.size > MAX_ROW_BYTES or len(self.taken) >= _MAX_LINES_OF_A_ROW:
            raise csv.Error("too long")
        line = self.waiting.popleft() if self.waiting else self._read()
        if not line:
            raise StopIteration
        self.taken.append(line)
        self.size += len(line)
        return line

    def _read(self) -> str:
        line = self.text.readline(MAX_ROW_BYTES)
        if len(line) < MAX_ROW_BYTES or line.endswith("\n"):
            return line
        while (more := self.text.readline(MAX_ROW_BYTES)) and not more.endswith("\n"):
            pass
        self.cut = True
        return line[:MAX_RAW_CHARACTERS] + "\n"

    def start_row(self) -> None:
        """Forgets what the row before has taken."""
        self.taken, self.size, self.cut = [], 0, False

    def give_back_all_but_first(self) -> str:
        """The first line taken; the others will be read again."""
        self.waiting.extendleft(reversed(self.taken[1:]))
        return self.taken[0] if self.taken else ""


def read_delimited(
    text: io.TextIOWrapper, file: str, layout: Layout, encoding: Encoding, header: list[str] | None = None
) -> Iterator[RawRow | Rejection]:
    """The rows under the header, from 1. A row with too few or too many cells is rejected, and so is one with a stray quote.

    Rows whose cells are all empty are blank: they count in the numbering and are left out. Without a header the columns are
    called `column 1`, `column 2` and so on. `header`, where given, is filled with the cells that were read as the header.
    """
    names: list[str] = []
    row = 0
    for cells, raw, broken in _read_cells(text, layout):
        if not names and not broken:
            if not cells or raw.lower().startswith("sep="):
                continue
            named = column_names(cells)
            names = named or [f"column {i}" for i in range(1, len(cells) + 1)]
            if named:
                if header is not None:
                    header += map(_storable, cells)
                continue
        if not cells and not broken:
            continue
        row += 1
        problem = broken or undecodable(raw, encoding) or text_problem(raw) or _ragged(len(cells), len(names), layout)
        if problem:
            if broken or any(cells):
                yield Rejection(file, row, problem, raw.rstrip("\r\n"))
        elif any(cells):
            yield RawRow(file, row, dict(zip(names, cells, strict=True)), raw)


def _read_cells(text: io.TextIOWrapper, layout: Layout) -> Iterator[tuple[list[str], str, str | None]]:
    """The cells of each row, its text, and why it is broken. Of a broken row only the first line is given up: the rest is read again."""
    lines = _Lines(text)
    reader = layout.reader(lines)
    while True:
        lines.start_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield [], lines.give_back_all_but_first(), _sentence(error)
        else:
            yield cells, "".join(lines.taken), TOO_LONG if lines.cut else None


def column_names(cells: list[str]) -> list[str] | None:
    """The names in a header line, made distinct; None when the line is no header: a cell is a text, a number, JSON or no text at all."""
    if any("\x00" in cell for cell in cells):
        return None
    stripped = [_storable(cell).strip() for cell in cells]
    if any(len(cell) > _LONGEST_COLUMN_NAME or "\n" in cell for cell in stripped) or not any(stripped):
        return None
    if any(_is_number(cell) or _is_statement(cell) or (cell[:1] + cell[-1:]) in ("{}", "[]") for cell in stripped):
        return None
    named = [cell or f"column {i}" for i, cell in enumerate(stripped, 1)]
    seen: Counter[str] = Counter()
    distinct = []
    for name in named:
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _storable(name: str) -> str:
    """A column's name with a sign for each byte that is no character."""
    return _NO_CHARACTER.sub("\ufffd", name)


def _is_statement(cell: str) -> bool:
    """Whether a cell is a sentence with a full stop. One with a question mark may be a name: forms are exported so."""
    return cell.endswith((".", "。")) and (len(cell.split()) >= 4 or not cell.isascii())


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _ragged(cells: int, columns: int, layout: Layout) -> str | None:
    if cells == columns:
        return None
    separator = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}[layout.separator]
    counts = f"It has {cells} {'cell' if cells == 1 else 'cells'}, the header has {columns}."
    if cells > columns:
        return f"{counts} Put a cell that holds a {separator} in double quotes."
    if cells == 1 and columns > 2:
        return f"{counts} A title, a page number or another line that is not a row can stay aside; else add the missing cells."
    return f"{counts} Add the missing {'cell' if columns - cells == 1 else 'cells'}."


def _sentence(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end of data" in words or "too long" in words:
        return "A quote is opened and never closed. Close it, or double the quotes inside the cell."
    if "expected after" in words:
        return "A quote stands inside a quoted cell. Double the quotes inside the cell."
    if "field larger than" in words:
        return TOO_LONG
    return f"It is not valid CSV: {words}."
