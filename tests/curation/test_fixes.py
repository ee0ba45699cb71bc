"""A fix over a project: previewed, applied, measured again, frozen into a snapshot, and taken back."""

import pyarrow.parquet as pq
import pytest

from pipelines.curation import fixes
from pipelines.curation.decisions import Decision, connect, decide, log, undo
from pipelines.curation.fixes import apply_fix, preview_fix
from pipelines.curation.issue_index import issue_counts
from pipelines.curation.issues import cards, issues
from pipelines.curation.mended_rows import measure_mended
from pipelines.curation.queue import Queue, queue_ids
from pipelines.curation.recipe import load_recipe
from pipelines.curation.report import report
from pipelines.curation.snapshot import build_snapshot
from pipelines.errors import WorkbenchError
from pipelines.scan import scan
from tests.conftest import chat

CHECKS = ["html_residue", "mojibake", "control_tokens", "refusal", "truncated_answer"]
ROWS = [
    chat("Where is the form?", "On the counter &amp; online."),
    chat("Who called?", "FranÃ§oise called<br>at noon."),  # two findings
    chat("Is it open?", "Yes.</s>\nIs it far?"),  # a person has to decide
    chat("When is it open?", "From nine &amp; to five."),
    chat("Is there parking?", "Yes, behind the house."),
]


@pytest.fixture
def scanned(project, fill):
    ids = fill(project, ROWS)
    scan(project, checks=CHECKS)
    return project, ids


def flagged(project) -> dict[str, int]:
    counts = issue_counts(project).set_index("check")["flagged"]
    return {name: int(counts[name]) for name in CHECKS if counts[name]}


def text(project, id: str) -> str:
    (card,) = cards(project, [id])
    return (card["edit"] or card["messages"])[-1]["content"]


def test_a_preview_shows_what_would_change_and_changes_nothing(scanned):
    project, ids = scanned
    seen = preview_fix(project, "html_residue")
    assert (seen["rows"], seen["tried"], seen["fixable"]) == (3, 3, 3)
    assert {"turn": 1, "before": "assistant: From nine &amp; to five.", "after": "assistant: From nine & to five."} in [
        change for example in seen["examples"] for change in example["changes"]
    ]
    assert log(project) == [] and flagged(project)["html_residue"] == 3


def test_mended_rows_stay_undecided_and_only_what_was_mended_is_gone(scanned):
    project, ids = scanned
    done = apply_fix(project, "html_residue")
    assert (done["rows"], done["fixed"], done["left"]) == (3, 3, 0)
    assert text(project, ids[1]) == "FranÃ§oise called\nat noon."
    assert flagged(project) == {"mojibake": 1, "control_tokens": 1}
    assert queue_ids(project, Queue(check="html_residue")) == [] and queue_ids(project, Queue(check="mojibake")) == [ids[1]]
    assert set(queue_ids(project, Queue())) == set(ids), "a fix decides nothing"
    assert cards(project, [ids[0]])[0]["mended"] == "Take the web page's marks out"


def test_fixes_build_on_each_other_and_a_finding_points_into_the_mended_text(scanned):
    project, ids = scanned
    apply_fix(project, "html_residue")
    (found,) = issues(project, "mojibake")
    (spot,) = found["evidence"]
    assert text(project, ids[1])[spot["start"] : spot["end"]] == "FranÃ§oise"
    apply_fix(project, "mojibake")
    assert text(project, ids[1]) == "Françoise called\nat noon."
    (example,) = (c["examples"] for c in report(project)["checks"] if c["check"] == "control_tokens")
    assert example[0]["found"] == "</s>"


def test_taking_a_fix_back_takes_back_what_was_built_on_it_and_restores_every_count(scanned):
    project, ids = scanned
    before = flagged(project)
    first = apply_fix(project, "html_residue")["batch"]
    apply_fix(project, "mojibake")
    assert undo(project, batch=first) == 4  # three rows, and the later fix of one of them
    assert flagged(project) == before and text(project, ids[1]) == "FranÃ§oise called<br>at noon."
    assert apply_fix(project, "html_residue")["fixed"] == 3, "it can be applied again"


def test_rows_somebody_decided_about_are_left_alone(scanned):
    project, ids = scanned
    decide(project, [Decision(ids[0], "keep"), Decision(ids[3], "drop")])
    assert apply_fix(project, "html_residue")["rows"] == 1
    assert text(project, ids[0]) == "On the counter &amp; online."


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something done by somebody else right before a fix is written: after its rows were read, mended and measured."""

    def arrange(done) -> None:
        pending = [done]

        def measured(project, records):
            measure_mended(project, records)
            if pending:
                pending.pop()()

        monkeypatch.setattr(fixes, "measure_mended", measured)

    return arrange


def test_two_fixes_at_once_both_count_in_a_row_that_both_mend(scanned, meanwhile):
    project, ids = scanned
    meanwhile(lambda: apply_fix(project, "mojibake"))
    done = apply_fix(project, "html_residue")
    assert (done["rows"], done["fixed"], done["left"]) == (3, 3, 0)
    assert text(project, ids[1]) == "Françoise called\nat noon."
    assert flagged(project) == {"control_tokens": 1}


def test_the_same_fix_twice_at_once_mends_each_row_once(scanned, meanwhile):
    project, ids = scanned
    meanwhile(lambda: apply_fix(project, "html_residue"))
    assert apply_fix(project, "html_residue") == {"check": "html_residue", "rows": 0, "fixed": 0, "left": 0, "batch": None}
    assert len(log(project)) == 3


def test_a_row_decided_while_a_fix_works_is_left_alone(scanned, meanwhile):
    project, ids = scanned
    mine = [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "At nine &amp; at five."}]
    meanwhile(lambda: decide(project, [Decision(ids[0], "keep"), Decision(ids[3], "edit", edit=mine)]))
    done = apply_fix(project, "html_residue")
    assert (done["rows"], done["fixed"], done["left"]) == (1, 1, 0)
    assert [text(project, ids[i]) for i in (0, 3)] == ["On the counter &amp; online.", "At nine &amp; at five."]
    assert [e["record"] for e in log(project) if e["verdict"] == "fix"] == [ids[1]]


def test_a_fix_taken_back_while_another_builds_on_it_stays_taken_back(scanned, meanwhile):
    project, ids = scanned
    first = apply_fix(project, "html_residue")["batch"]
    meanwhile(lambda: undo(project, batch=first))
    assert apply_fix(project, "mojibake")["fixed"] == 1
    assert text(project, ids[1]) == "Françoise called<br>at noon."


def test_what_only_a_person_can_mend_is_counted_and_left(scanned):
    project, ids = scanned
    assert apply_fix(project, "control_tokens") == {"check": "control_tokens", "rows": 1, "fixed": 0, "left": 1, "batch": None}


def test_a_person_s_edit_outranks_a_fix_and_outlives_it(scanned):
    project, ids = scanned
    batch = apply_fix(project, "html_residue")["batch"]
    mine = [{"role": "user", "content": "Where is the form?"}, {"role": "assistant", "content": "At the desk."}]
    decide(project, [Decision(ids[0], "edit", edit=mine)])
    assert text(project, ids[0]) == "At the desk."
    undo(project, batch=batch)
    assert text(project, ids[0]) == "At the desk."


def test_a_snapshot_holds_the_mended_text_and_says_where_it_came_from(scanned):
    project, ids = scanned
    apply_fix(project, "html_residue")
    made = build_snapshot(project, load_recipe(project))
    rows = [
        row
        for split in ("train", "validation", "test")
        for row in pq.read_table(project.snapshots_folder / made["id"] / f"{split}.parquet").to_pylist()
    ]
    by_origin = {row["edited_from"]: row["answer"] for row in rows if row["edited_from"]}
    assert by_origin == {ids[0]: "On the counter & online.", ids[1]: "FranÃ§oise called\nat noon.", ids[3]: "From nine & to five."}


def test_measurements_that_were_deleted_come_back_with_the_next_scan(scanned):
    import shutil

    project, ids = scanned
    apply_fix(project, "html_residue")
    expected = flagged(project)
    shutil.rmtree(project.measurements_folder)
    scan(project, checks=CHECKS)
    assert flagged(project) == expected


def test_a_check_without_a_fix_says_which_have_one(scanned):
    project, _ = scanned
    with pytest.raises(WorkbenchError, match="Only a person can mend what refusal finds"):
        apply_fix(project, "refusal")


def test_the_view_of_measurements_costs_nothing_without_a_fix(scanned):
    project, _ = scanned
    with connect(project) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'mended'").fetchone() == (0,)
