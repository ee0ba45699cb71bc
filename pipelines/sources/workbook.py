"""Workbook: the rows of the sheets of an Excel or OpenDocument file, by the library python-calamine."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.sources.rows import RawRow, Rejection, value_problem

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
MAX_UNPACKED_BYTES = 2 * 1024**3
"""A workbook is a zip archive whose sheets are unpacked in memory: one that grows beyond this is refused."""
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_MEMBERS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def is_workbook(path: Path) -> bool:
    """Whether the file is one, judged by what it holds. An old Office file needs the ending of a workbook too."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == _OLD_OFFICE:
        return path.suffix.lower() == ".xls"
    if start != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name in _MEMBERS for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return False


class WorkbookRows:
    """The rows of all sheets, in their order. `fraction` says how far reading has come.

    The first row of a sheet that holds anything is its header. Rows count from 1 after it, as in a table. Rows without a value are
    passed over. Raises WorkbenchError when the file cannot be opened or no sheet has rows below a header.
    """

    def __init__(self, file: str, path: Path) -> None:
        self.file, self.path = file, path
        self.fraction = 0.0
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[RawRow | Rejection]:
        sheets = self._sheets()
        filled = [name for name, rows in sheets if len(rows) > 1]
        if not filled:
            raise WorkbenchError(f"{self.file} has no sheet with a header and rows below it. Choose another file.")
        for done, (name, rows) in enumerate(sheets, start=1):
            if name in filled:
                yield from self._rows(self.file if len(filled) == 1 else f"{self.file}/{name}", rows)
            elif rows:
                self.notes.append(f'the sheet "{name}" has a header and no rows')
            self.fraction = done / len(sheets)

    def _sheets(self) -> list[tuple[str, list[tuple[int, list[Any]]]]]:
        """Per visible sheet, its rows that hold a value, each with its place from 0."""
        import python_calamine as calamine

        _refuse_bombs(self.file, self.path)
        try:
            with calamine.CalamineWorkbook.from_path(str(self.path)) as book:
                found = []
                for sheet in book.sheets_metadata:
                    if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
                        continue
                    if sheet.visible != calamine.SheetVisibleEnum.Visible:
                        self.notes.append(f'the sheet "{sheet.name}" is hidden and was not read')
                        continue
                    cells = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=True)
                    found.append((sheet.name, [(i, row) for i, row in enumerate(cells) if any(_cell(cell) is not None for cell in row)]))
                return found
        except calamine.PasswordError as error:
            raise WorkbenchError(f"{self.file} is protected by a password. Save it without one.") from error
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise WorkbenchError(
                f"{self.file} is a damaged workbook: {str(error).splitlines()[0]}. Save it again, or save the sheet as CSV."
            ) from error

    def _rows(self, file: str, rows: Sequence[tuple[int, list[Any]]]) -> Iterator[RawRow | Rejection]:
        top, header = rows[0]
        names = _names(header, [row for _, row in rows[1:]])
        for place, row in rows[1:]:
            value = {name: _cell(cell) for name, cell in zip(names, row, strict=False) if name is not None}
            problem = value_problem(value)
            yield Rejection(file, place - top, problem) if problem else RawRow(file, place - top, value)


def _names(header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[str | None]:
    """A name for each column that holds anything; one without a heading is called by its letter, a repeated one gets a number."""
    width = max([len(header), *(len(row) for row in rows)])
    names: list[str | None] = []
    for i in range(width):
        heading = _cell(header[i]) if i < len(header) else None
        if heading is None and not any(i < len(row) and _cell(row[i]) is not None for row in rows):
            names.append(None)
            continue
        name = str(heading).strip() if heading is not None else f"column {_letter(i)}"
        again = sum(other == name or (other or "").startswith(f"{name} (") for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def _letter(index: int) -> str:
    """The letters of a column as a spreadsheet shows them: A, B, …, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _cell(cell: Any) -> Any:
    """A cell as people see it: whole numbers without a point, dates as ISO text, empty as None."""
    if isinstance(cell, str):
        return cell if cell.strip() else None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell) if isinstance(cell, datetime.timedelta) else cell


def _refuse_bombs(file: str, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return  # an old workbook is no archive; a damaged one is told by its reader
    if unpacked > MAX_UNPACKED_BYTES:
        raise WorkbenchError(f"{file} unpacks to more than {MAX_UNPACKED_BYTES // 1024**3} GB. Save its sheets as CSV.")
