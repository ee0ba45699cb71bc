"""Rows that repeat a question of a test set the project names are found, whatever stands around it, and left out of snapshots."""

import json

import pytest

from pipelines import cli
from pipelines.curation.decisions import Decision, decide
from pipelines.curation.issues import issues
from pipelines.curation.queue import Queue, queue_ids
from pipelines.curation.recipe import Recipe, load_recipe, save_recipe
from pipelines.curation.selection import selection_counts
from pipelines.curation.snapshot import build_snapshot
from pipelines.duplicates.held_out import HELD_OUT_CHECK, add_held_out, held_out_sets, remove_held_out
from pipelines.errors import WorkbenchError
from pipelines.rules.rule_file import known_checks
from pipelines.scan import scan
from tests.conftest import chat

EXAM = [
    {"question": "A patient of 64 years with chest pain since the morning has a normal first troponin; what is done next?", "answer": "C"},
    {"question": "Which drug is stopped before contrast is given?", "answer": "A"},
    {"question": "Define preload.", "answer": "B"},
]
ROWS = [
    chat("From an old exam: a patient of 64 years with chest pain since the morning has a normal first troponin; what is done next?", "C, of course."),
    chat("Write a question for our students.", f"Here is one. {EXAM[0]['question']} Good luck!"),
    chat("A patient of 64 years with chest pain since the evening has a raised second troponin; who is called?", "The cardiologist."),
    chat("define  PRELOAD.", "The stretch of the heart muscle at the end of filling."),
    chat("Please define preload. And afterload.", "Two kinds of load."),
    chat("How do I book a room?", "On the second floor, at the desk."),
]  # fmt: skip


@pytest.fixture
def exam(tmp_path):
    file = tmp_path / "exam.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in EXAM), encoding="utf-8")
    return file


@pytest.fixture
def rows(project, fill):
    fill(project, ROWS)
    return project


def found(project):
    """Row to what is said of it."""
    scan(project, checks=[HELD_OUT_CHECK])
    return {issue["sources"][0]["row"]: issue["evidence"][0]["note"] for issue in issues(project, HELD_OUT_CHECK)}


def test_rows_that_hold_a_test_question_are_found_with_the_place_it_stands_at(rows, exam):
    assert add_held_out(rows, exam).questions == 3
    seen = found(rows)
    assert list(sorted(seen)) == [1, 2, 4]
    assert (
        seen[1].startswith("exam.jsonl, row 1: “A patient of 64 years with chest pain")
        and seen[4] == "exam.jsonl, row 3: “Define preload.”"
    )


def test_they_are_left_out_of_a_snapshot_and_can_be_reviewed(rows, exam):
    add_held_out(rows, exam)
    found(rows)
    assert selection_counts(rows, load_recipe(rows))["dropped"] == {HELD_OUT_CHECK: 3}
    assert len(queue_ids(rows, Queue(check=HELD_OUT_CHECK))) == 3


def test_a_snapshot_tells_of_one_that_is_kept_all_the_same(rows, exam):
    add_held_out(rows, exam)
    found(rows)
    assert not [warning for warning in build_snapshot(rows)["warnings"] if "stay unseen" in warning]
    decide(rows, [Decision(issues(rows, HELD_OUT_CHECK)[0]["record"], "keep")])
    (told,) = [warning for warning in build_snapshot(rows)["warnings"] if "stay unseen" in warning]
    assert told.startswith("1 kept row repeats a question of a test set")


def test_a_recipe_saved_before_leaves_them_out_too(rows, exam):
    save_recipe(rows, load_recipe(rows))
    add_held_out(rows, exam)
    assert HELD_OUT_CHECK in load_recipe(rows).drop
    without = Recipe.from_json(load_recipe(rows).to_json() | {"drop": []}, known_checks(rows))
    save_recipe(rows, without)
    assert load_recipe(rows).drop == ()


def test_only_what_is_looked_for_now_is_measured(rows, exam, tmp_path):
    add_held_out(rows, exam)
    found(rows)
    before = sorted(folder.name for folder in rows.measurements_folder.iterdir())
    other = tmp_path / "other.csv"
    other.write_text("question,answer\nHow do I book a room?,By telephone.\n", encoding="utf-8")
    add_held_out(rows, other)
    assert sorted(found(rows)) == [1, 2, 4, 6]
    assert [one.name for one in held_out_sets(rows)] == ["exam.jsonl", "other.csv"]
    remove_held_out(rows, "other.csv")
    assert sorted(found(rows)) == [1, 2, 4]
    assert sorted(folder.name for folder in rows.measurements_folder.iterdir()) == before
    remove_held_out(rows, "exam.jsonl")
    assert HELD_OUT_CHECK not in known_checks(rows) and list(rows.measurements_folder.iterdir()) == []
    assert queue_ids(rows, Queue(check=HELD_OUT_CHECK)) == []


def test_a_file_without_a_question_and_an_unknown_name_are_told(rows, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"question": "", "answer": "x"}\n[1, 2]\n', encoding="utf-8")
    with pytest.raises(WorkbenchError, match=r"No row of empty.jsonl has a question"):
        add_held_out(rows, empty)
    with pytest.raises(WorkbenchError, match='no test set "exam"'):
        remove_held_out(rows, "exam")
    with pytest.raises(WorkbenchError, match=r'cannot be called "../exam"'):
        add_held_out(rows, empty, name="../exam")


def test_by_command(rows, exam, capsys):
    def winnow(*words):
        assert cli.main(["--project", str(rows.folder), "--json", *words]) == 0
        return json.loads(capsys.readouterr().out)

    assert winnow("held-out") == {"held_out": [], "added": None}
    added = winnow("held-out", str(exam), "--name", "boards")
    assert added["held_out"] == [{"name": "boards", "questions": 3}] and added["added"]["flagged"] == 3
    assert len(winnow("issues", "--check", HELD_OUT_CHECK)["issues"]) == 3
    assert winnow("held-out", "--remove", "boards")["held_out"] == []
