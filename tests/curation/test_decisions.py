import json

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.curation.decisions import Decision, bulk, connect, decide, edits, log, undo, verdicts
from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project
from tests.conftest import chat

HALF = "It holds half a character (the lone surrogate U+DCE9). Write the whole character or take it out."


def state(project):
    return {v["record"]: v["verdict"] for v in verdicts(project).to_pylist()}


def test_a_decision_sent_twice_is_written_once(project):
    decision = Decision("r1", "keep")
    first = decide(project, [decision])
    assert decide(project, [decision, decision]) == first
    assert len(log(project)) == 1


def test_the_latest_verdict_counts_and_undo_brings_back_the_one_before(project):
    decide(project, [Decision("r1", "keep")])
    seq = decide(project, [drop := Decision("r1", "drop", reason="cut off")])[drop.client_id]
    assert state(project) == {"r1": "drop"}
    assert undo(project, seq=seq) == 1
    assert state(project) == {"r1": "keep"}
    assert undo(project, seq=seq) == 0, "what is undone is not undone again"
    assert [e["verdict"] for e in log(project)] == ["keep", "drop", "undo"], "nothing is ever deleted"


def test_a_person_outranks_a_rule_whatever_the_order(project):
    decide(
        project,
        [Decision("r1", "keep"), Decision("r1", "drop", decided_by="rule:refusal@1"), Decision("r2", "drop", decided_by="rule:refusal@1")],
    )
    assert state(project) == {"r1": "keep", "r2": "drop"}


def test_skip_and_comment_are_no_verdict(project):
    decide(project, [Decision("r1", "skip"), Decision("r2", "comment", reason="ask legal")])
    assert state(project) == {}


def test_an_edit_keeps_the_row_and_its_text_outlives_a_later_flag(project):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "better"}]
    edit = Decision("r1", "edit", edit=turns)
    seq = decide(project, [edit, Decision("r1", "flag")])[edit.client_id]
    (row,) = verdicts(project).to_pylist()
    assert row["verdict"] == "flag" and "better" in row["edit"]
    undo(project, seq=seq)
    assert verdicts(project).to_pylist()[0]["edit"] is None


def test_a_bulk_action_is_undone_as_one(project):
    decide(project, [Decision("r2", "keep")])
    batch = bulk(project, ["r1", "r2", "r3"], "drop")
    assert state(project) == {"r1": "drop", "r2": "drop", "r3": "drop"}
    assert undo(project, batch=batch) == 3
    assert state(project) == {"r2": "keep"}


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (Decision("r1", "maybe"), '"maybe" is not a verdict. Use one of keep, drop, flag, skip, edit, fix, comment, undo.'),  # type: ignore[arg-type]
        (Decision("r1", "edit"), "Record r1: an edit needs the edited messages, and only an edit has them."),
        (Decision("r1", "undo"), "Record r1: an undo names the decision it takes back, and only an undo does."),
        (Decision("r1", "undo", undoes=10**20), "There is no decision 100000000000000000000 to undo. `winnow decisions` lists them."),
        (Decision("r1", "drop", reason="caf\udce9"), f"Record r1: the reason cannot be saved. {HALF}"),
        (Decision("r1", "edit", edit=[{"role": "user", "content": "caf\udce9"}]), f"Record r1: the edited text cannot be saved. {HALF}"),
        (Decision("r1", "drop", decided_by="human:Ren\udce9"), f"Record r1: the name of who decides cannot be saved. {HALF}"),
    ],
)
def test_a_bad_decision_writes_nothing_and_says_why(project, decision, sentence):
    with pytest.raises(WorkbenchError, match=".*") as caught:
        decide(project, [Decision("r0", "keep"), decision])
    assert str(caught.value) == sentence
    assert log(project) == []


def test_undo_of_nothing_says_so(project):
    with pytest.raises(WorkbenchError, match="There is no decision 7 to undo"):
        undo(project, seq=7)
    with pytest.raises(WorkbenchError, match="There is no decision 99999999999999999999999 to undo"):
        undo(project, seq=99999999999999999999999)


def test_an_edit_of_an_earlier_release_with_half_a_character_can_be_read(project, fill):
    (id,) = fill(project, [chat("Is it open?", "Yes.")])
    stored = {"client_id": "c", "record": id, "verdict": "edit", "decided_by": "human:local", "at": db.now()}
    with project.database.write() as connection:
        connection.execute(sa.insert(db.decisions).values(**stored, edit=[{"role": "assistant", "content": "Yes \ud83d, 😀."}]))
    (edit,) = edits(project).column("edit").to_pylist()
    assert json.loads(edit) == log(project)[0]["edit"] == [{"role": "assistant", "content": "Yes \ufffd, 😀."}]
    with connect(project) as connection:
        assert connection.execute("SELECT verdict FROM verdicts").fetchall() == [("keep",)]


actions = st.lists(st.tuples(st.sampled_from(["keep", "drop", "flag", "undo"]), st.sampled_from(["r1", "r2"])), max_size=12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_undo_restores_the_state_before_whatever_happened(tmp_path_factory, happened):
    project = Project.create(tmp_path_factory.mktemp("p") / "project")
    stacks: dict[str, list[tuple[int, str]]] = {"r1": [], "r2": []}
    for verdict, record in happened:
        if verdict == "undo":
            if stacks[record]:
                undo(project, seq=stacks[record].pop()[0])
        else:
            decision = Decision(record, verdict)
            stacks[record].append((decide(project, [decision])[decision.client_id], verdict))
        assert state(project) == {r: s[-1][1] for r, s in stacks.items() if s}


events = st.lists(st.tuples(st.sampled_from(["keep", "edit", "fix", "undo"]), st.integers(0, 20)), max_size=14)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events)
def test_the_text_is_the_last_persons_edit_else_the_last_fix_whatever_is_taken_back(tmp_path_factory, happened):
    project = Project.create(tmp_path_factory.mktemp("p") / "project")
    standing: list[tuple[int, str, str]] = []  # seq, verdict, text

    for n, (verdict, chosen) in enumerate(happened):
        if verdict == "undo":
            if not standing:
                continue
            seq, kind, _ = standing[chosen % len(standing)]
            undo(project, seq=seq)
            standing = [e for e in standing if e[0] != seq and not (kind == "fix" and e[1] == "fix" and e[0] > seq)]
            continue
        text = f"text {n}"
        edit = [{"role": "assistant", "content": text}] if verdict in ("edit", "fix") else None
        by = {"decided_by": "rule:mojibake@1", "edited_id": "0" * 32} if verdict == "fix" else {}
        decision = Decision("r1", verdict, edit=edit, **by)
        standing.append((decide(project, [decision])[decision.client_id], verdict, text))
    mine = [text for _, verdict, text in standing if verdict == "edit"]
    fixes = [text for _, verdict, text in standing if verdict == "fix"]
    wanted = (mine or fixes)[-1:]
    assert [text for text in wanted if text not in str(edits(project).to_pylist())] == [] and edits(project).num_rows == len(wanted)
    assert state(project) == ({"r1": "keep"} if any(verdict != "fix" for _, verdict, _ in standing) else {}), "a fix decides nothing"
