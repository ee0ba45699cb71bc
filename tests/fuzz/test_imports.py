"""A short run of the fuzzer of imports, and what makes its verdict worth something."""

import pytest

from pipelines.sources import json_lines
from pipelines.sources.rows import RawRow
from tests.fuzz.files import Input, make_input, marks_in
from tests.fuzz.imports import fuzz, import_inputs


def test_no_damaged_file_crashes_hangs_or_loses_a_row():
    outcome = fuzz(1_000, seed=2)
    assert outcome.failures == {}
    assert outcome.inputs == 1_000 and outcome.markers > 1_000
    assert outcome.rows == outcome.records + outcome.merged + outcome.rejected
    assert outcome.records > 500 and outcome.rejected > 500


def test_an_input_is_the_same_whenever_it_is_made():
    assert [make_input(number, 7) for number in range(50)] == [make_input(number, 7) for number in range(50)]
    assert make_input(1, 7) != make_input(1, 8)


def test_a_reader_that_drops_a_row_is_caught(monkeypatch):
    whole = json_lines.read_json_lines

    def forgetful(*arguments):
        yield from (row for row in whole(*arguments) if not (isinstance(row, RawRow) and row.row == 2))

    monkeypatch.setattr("pipelines.sources.read.read_json_lines", forgetful)
    rows = "".join(f'{{"question": "Q mk0000000{i}x00km", "answer": "A"}}\n' for i in range(3)).encode()
    with pytest.raises(AssertionError, match=r"lost \['mk00000001x00km'\]"):
        import_inputs([Input("00000000.jsonl", rows, marks_in(rows), True)])
