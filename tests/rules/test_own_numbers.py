"""Numbers of a project's own, such as patients', are found wherever they are said and replaced all through a conversation."""

import pytest

from pipelines.curation.decisions import connect, undo
from pipelines.curation.fixes import apply_fix, preview_fix
from pipelines.curation.issues import issues
from pipelines.errors import WorkbenchError
from pipelines.rules.rule_file import save_rules
from pipelines.rules.text_pattern import TextPattern, of_examples
from pipelines.scan import scan
from tests.conftest import chat

RULES = """rules:
  - id: patients
    on: turns
    severity: error
    forbid_pattern: '\\bMRN-\\d{7}\\b'
    replace: MRN-{number}
"""
NAME = "rule:patients"


@pytest.mark.parametrize(
    ("examples", "text", "found"),
    [
        (["MRN-0012345"], "See MRN-7654321, not MRN-76543210 or XMRN-7654321.", ["MRN-7654321"]),
        (["K 12/2024", "AZ: 7"], "Case K  99/1999 and AZ: 3", ["K  99/1999", "AZ: 3"]),
        (["a.b (1)"], "a.b (2 and axb (2", []),
    ],
)
def test_numbers_that_look_like_an_example_are_found(examples, text, found):
    assert [text[slice(*span)] for span in TextPattern(of_examples(examples)).spans(text)] == found


@pytest.fixture
def rows(project, fill):
    fill(
        project,
        [
            chat("Is MRN-0000011 the brother of MRN-0000022?", "Yes, MRN-0000011 is.", system="You see MRN-0000099."),
            chat("What is a record number?", "A number such as MRN-1."),
        ],
    )
    save_rules(project, RULES)
    scan(project, checks=[NAME])
    return project


def test_they_are_found_in_every_turn_and_replaced_by_one_number_each(rows):
    (issue,) = issues(rows, NAME)
    assert [span["turn"] for span in issue["evidence"]] == [0, 1, 1, 2]
    assert preview_fix(rows, NAME)["fixable"] == 1
    done = apply_fix(rows, NAME)
    assert (done["rows"], done["fixed"]) == (1, 1)
    with connect(rows) as connection:
        (edit,) = connection.execute("SELECT edit FROM edits").fetchone()
    for words in ("You see MRN-1.", "Is MRN-2 the brother of MRN-3?", "Yes, MRN-2 is."):
        assert words in edit
    assert issues(rows, NAME) == []
    undo(rows, batch=done["batch"])
    assert len(issues(rows, NAME)) == 1


def test_another_stand_in_measures_nothing_again_and_must_be_a_text(rows):
    before = sorted(folder.name for folder in rows.measurements_folder.iterdir())
    save_rules(rows, RULES.replace("MRN-{number}", "MRN removed"))
    assert sorted(folder.name for folder in rows.measurements_folder.iterdir()) == before
    assert apply_fix(rows, NAME)["fixed"] == 1
    with pytest.raises(WorkbenchError, match="replace is a text"):
        save_rules(rows, RULES.replace("MRN-{number}", "7"))
    with pytest.raises(WorkbenchError, match="is not a field of such a rule"):
        save_rules(rows, "rules: [{id: a, words: {max: 3}, replace: x}]")
