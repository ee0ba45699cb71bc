"""CSV and its relatives: ragged rows and stray quotes are set aside by number, the rest is read."""

import io

import pytest

from pipelines.sources.delimited import Layout, read_delimited, sniff_layout
from pipelines.sources.encoding import Encoding
from pipelines.sources.rows import RawRow


def read(text: str, ending: str = ".csv") -> tuple[list, list]:
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", errors="surrogateescape", newline="")
    found = list(read_delimited(stream, "a.csv", sniff_layout(text, ending) or Layout(), Encoding("utf-8")))
    values = [(one.row, list(one.value.values())) for one in found if isinstance(one, RawRow)]
    return values, [(one.row, one.reason, one.raw) for one in found if not isinstance(one, RawRow)]


def test_ragged_rows_are_set_aside_with_their_number():
    values, rejected = read("q,a\none,1\ntwo, three,2\nfour\nfive,5\nsix,6,\n")
    assert values == [(1, ["one", "1"]), (4, ["five", "5"])]
    assert rejected == [
        (2, "It has 3 cells, the header has 2. Put a cell that holds a comma in double quotes.", "two, three,2"),
        (3, "It has 1 cell, the header has 2. Add the missing cell.", "four"),
        (5, "It has 3 cells, the header has 2. Put a cell that holds a comma in double quotes.", "six,6,"),
    ]


def test_a_name_of_a_column_that_cannot_be_stored_gets_a_sign():
    stream = io.TextIOWrapper(io.BytesIO(b"caf\xe9,\xeb\nQ,A\n"), encoding="utf-8", errors="surrogateescape", newline="")
    (row,) = read_delimited(stream, "a.csv", Layout(), Encoding("utf-8"))
    assert list(row.value) == ["caf\ufffd", "\ufffd"]


def test_a_line_that_is_no_row_may_stay_aside():
    _, rejected = read("no,question,answer\n1,Q,A\nexported by KIS 4.2, page 2\nexported on Monday\n")
    assert [reason for _, reason, _ in rejected] == [
        "It has 2 cells, the header has 3. Add the missing cell.",
        "It has 1 cell, the header has 3. A title, a page number or another line that is not a row can stay aside; "
        "else add the missing cells.",
    ]


def test_a_quote_that_is_never_closed_costs_one_line():
    good = "".join(f'"row {i}",{i}\n' for i in range(3, 6))
    values, rejected = read('q,a\n"row 1",1\n"row 2,2\n' + good)
    assert values == [(1, ["row 1", "1"]), (3, ["row 3", "3"]), (4, ["row 4", "4"]), (5, ["row 5", "5"])]
    assert rejected == [(2, "A quote stands inside a quoted cell. Double the quotes inside the cell.", '"row 2,2')]
    values, rejected = read('q,a\nrow 1,1\n"row 2,2\nrow 3,3\n')
    assert values == [(1, ["row 1", "1"]), (3, ["row 3", "3"])]
    assert rejected == [(2, "A quote is opened and never closed. Close it, or double the quotes inside the cell.", '"row 2,2')]


def test_quotes_inside_an_unquoted_cell_are_text():
    assert read('q,a\nit is 5" wide,yes\nsay "hi",no\n') == ([(1, ['it is 5" wide', "yes"]), (2, ['say "hi"', "no"])], [])


def test_blank_rows_count_and_are_left_out():
    values, rejected = read("q,a\none,1\n,\ntwo,2\n\nthree,3\n,,\n")
    assert values == [(1, ["one", "1"]), (3, ["two", "2"]), (4, ["three", "3"])]
    assert rejected == []


def test_nul_characters_are_refused():
    assert read("q,a\nx\x00,1\ny,2\n")[1] == [(1, "It holds a NUL character (U+0000). Take it out.", "x\x00,1")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_known(end):
    assert read(end.join(["q,a", '"x', 'y",1', "z,2", ""]))[0] == [(1, [f"x{end}y", "1"]), (2, ["z", "2"])]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("a,b\n1;2,3\n4;5,6\n", Layout(",")),
        ("a;b\n1,2;3\n4,5;6\n", Layout(";")),
        ("a\tb, c\n1\t2\n3, 4\t5\n", Layout("\t")),
        ("a|b\n1|2\n", Layout("|")),
        ("a,b\n'x, y',1\n'z, z',2\n", Layout(",", "'")),
        ('a\tb\n"x\t1\nz" y\t2\n"u\t3\n', Layout("\t", None)),
        ('a,b\n"say \\"x, y\\"",1\n"z, \\"z\\"",2\n', Layout(",", '"', True)),
        ("one column\nx\ny\n", None),
    ],
)
def test_separator_and_quotes_are_judged_by_the_rows(text, layout):
    assert sniff_layout(text, ".csv") == layout


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("q,a", ["q", "a"]),
        (" q ,a", ["q", "a"]),
        ("q,q,", ["q", "q (2)", "column 3"]),
        ("When will my card arrive?,11", ["column 1", "column 2"]),
        ("Wash the filter once a week.,yes", ["column 1", "column 2"]),
        ('"{""role"": ""user""}",yes', ["column 1", "column 2"]),
        ("Did the patient consent to it?,Dr. Who", ["Did the patient consent to it?", "Dr. Who"]),
    ],
)
def test_column_names_are_distinct_and_a_first_row_of_values_is_no_header(header, names):
    stream = io.TextIOWrapper(io.BytesIO(f"{header}\n{header}\n".encode()), newline="")
    rows = list(read_delimited(stream, "a.csv", Layout(), Encoding("utf-8")))
    assert list(rows[0].value) == names
    assert len(rows) == (2 if names[0] == "column 1" else 1)
