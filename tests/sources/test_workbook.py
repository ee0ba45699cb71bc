"""Workbooks as people keep them: headings below a title, dates, hidden and empty sheets, several sheets, damage."""

import datetime
import zipfile

import pytest

from pipelines.errors import WorkbenchError
from pipelines.sources import workbook
from pipelines.sources.ingest import import_source
from pipelines.sources.read import FileRows
from pipelines.sources.workbook import WorkbookRows, is_workbook

openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl to write workbooks")


def book(path, **sheets):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return made, path


def saved(path, **sheets):
    made, _ = book(path, **sheets)
    made.save(path)
    return path


def rows(path):
    return [(row.file, row.row, row.value) for row in WorkbookRows(path.name, path)]


def test_cells_are_read_as_people_see_them(tmp_path):
    when = datetime.datetime(2024, 1, 31)
    path = saved(
        tmp_path / "a.xlsx",
        One=[["Question", "Answer", "Asked", "No."], ["Is it open?", "Yes,\nuntil 5.", when, 7], ["Why?", None, when, 7.5]],
    )
    assert rows(path) == [
        ("a.xlsx", 1, {"Question": "Is it open?", "Answer": "Yes,\nuntil 5.", "Asked": "2024-01-31", "No.": 7}),
        ("a.xlsx", 2, {"Question": "Why?", "Answer": None, "Asked": "2024-01-31", "No.": 7.5}),
    ]


def test_empty_rows_are_passed_over_and_columns_without_a_heading_are_called_by_their_letter(tmp_path):
    path = saved(tmp_path / "a.xlsx", One=[["q", None, "q", None], [None] * 4, ["a", "b", "c", None], [" ", None, None, None]])
    assert rows(path) == [("a.xlsx", 2, {"q": "a", "column B": "b", "q (2)": "c"})]


def test_each_sheet_with_rows_is_named_and_others_are_said(tmp_path):
    made, path = book(tmp_path / "a.xlsx", Mai=[["q"], ["x"]], Leer=[], Kopf=[["q"]], Juni=[["q"], ["y"]], Alt=[["q"], ["z"]])
    made["Alt"].sheet_state = "hidden"
    made.save(path)
    found = WorkbookRows("a.xlsx", path)
    assert [(row.file, row.value) for row in found] == [("a.xlsx/Mai", {"q": "x"}), ("a.xlsx/Juni", {"q": "y"})]
    assert found.notes == ['the sheet "Alt" is hidden and was not read', 'the sheet "Kopf" has a header and no rows']


def test_a_workbook_is_imported_like_any_table(project, tmp_path):
    path = saved(tmp_path / "export.xlsx", One=[["question", "answer"], ["Is it open?", "Yes."], ["Why?", "Because."]])
    report = import_source(project, path)
    assert (report.format, report.rows_read, report.records, report.rejected) == ("qa", 2, 2, 0)
    assert FileRows(_file(path)).kind == "workbook"


def _file(path):
    from pipelines.sources.locate import locate

    return locate(path).files[0]


def test_a_damaged_an_empty_and_a_huge_workbook_are_refused_in_a_sentence(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.xlsx", One=[["q"], ["x"]])
    damaged = tmp_path / "b.xlsx"
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("xl/workbook.xml", "<not a workbook")
    assert is_workbook(damaged)
    with pytest.raises(WorkbenchError, match="b.xlsx is a damaged workbook"):
        rows(damaged)
    with pytest.raises(WorkbenchError, match="has no sheet with a header and rows below it"):
        rows(saved(tmp_path / "c.xlsx", One=[["q"]]))
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 10)
    with pytest.raises(WorkbenchError, match="unpacks to more than"):
        rows(path)


def test_another_archive_is_no_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.jsonl", "{}")
    assert not is_workbook(path)
