"""The server's half of the protocol: every decision written once, whatever the browser repeats, merges or gets wrong."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.curation.decisions import Decision, decide, log, verdicts
from pipelines.store.project import Project
from tests.conftest import chat
from workbench.review_queue import Queue, ReviewSession
from workbench.review_session import read_message, write


@pytest.fixture
def ids(project, fill):
    return fill(project, [chat(f"Question {i}?", f"Answer {i}.") for i in range(6)])


def event(record: str, verdict: str = "keep", **more: object) -> dict:
    return {"client_id": uuid4().hex, "n": 1, "record": record, "verdict": verdict, "reason": "", "edit": None} | more


def message(*events: dict, **more: object) -> dict:
    return {"tab": "t", "turn": 1, "queue": "", "events": list(events)} | more


def say(project: Project, *events: dict, session: ReviewSession | None = None, **more: object) -> dict:
    return (session or ReviewSession(project, Queue())).answer(message(*events, **more))


def written(project: Project) -> list[tuple]:
    return [(e["record"], e["verdict"], e["undoes"]) for e in log(project)]


def test_a_decision_is_confirmed_with_its_number(project, ids):
    sent = event(ids[0], "drop", reason="Wrong answer", seconds=3.5)
    answer = say(project, sent)
    (row,) = log(project)
    assert answer["acked"] == {sent["client_id"]: row["seq"]} and answer["highest"] == row["seq"]
    assert (row["record"], row["verdict"], row["reason"], row["seconds"], row["decided_by"]) == (
        ids[0],
        "drop",
        "Wrong answer",
        3.5,
        "human:local",
    )


def test_a_message_that_comes_twice_writes_once_and_is_confirmed_twice(project, ids):
    sent = [event(ids[0]), event(ids[1], "drop")]
    first, session = say(project, *sent), ReviewSession(project, Queue())
    assert say(project, *sent)["acked"] == first["acked"]  # a server that has started anew
    assert [say(project, *sent, session=session)["acked"] for _ in range(2)] == [first["acked"]] * 2
    assert len(log(project)) == 2


def test_an_undo_of_a_decision_not_yet_sent_takes_it_back(project, ids):
    kept = event(ids[0])
    answer = say(project, kept, event(ids[0], "undo", undoes_client=kept["client_id"]))
    assert written(project) == [(ids[0], "keep", None), (ids[0], "undo", answer["acked"][kept["client_id"]])]
    assert verdicts(project).num_rows == 0


def test_an_undo_whose_decision_was_confirmed_meanwhile_still_finds_it(project, ids):
    session, kept = ReviewSession(project, Queue()), event(ids[0])
    say(project, kept, session=session)
    say(project, event(ids[0], "undo", undoes_client=kept["client_id"]), session=session)
    assert verdicts(project).num_rows == 0


def test_an_undo_by_number_needs_nothing_else(project, ids):
    (seq,) = decide(project, [Decision(ids[0], "drop")]).values()
    say(project, event(ids[0], "undo", undoes=seq))
    assert verdicts(project).num_rows == 0


def test_an_undo_of_nothing_is_refused_and_holds_nothing_up(project, ids):
    lost, kept = event(ids[0], "undo", undoes_client="never-was-sent"), event(ids[1])
    answer = say(project, lost, kept)
    assert list(answer["refused"]) == [lost["client_id"]] and "nothing to undo" in answer["refused"][lost["client_id"]]
    assert written(project) == [(ids[1], "keep", None)]


def test_one_decision_that_cannot_be_written_does_not_hold_up_the_others(project, ids):
    bad = event(ids[1], "edit", edit=None)  # an edit without messages
    answer = say(project, event(ids[0]), bad, event(ids[2]))
    assert list(answer["refused"]) == [bad["client_id"]]
    assert [record for record, _, _ in written(project)] == [ids[0], ids[2]]


@pytest.mark.parametrize(
    "more",
    [
        {"reason": "bad \ud83d"},
        {"verdict": "edit", "edit": [{"role": "user", "content": "bad \ud83d"}, {"role": "assistant", "content": "Yes."}]},
        {"verdict": "undo", "undoes": 10**20},
    ],
)
def test_what_no_database_can_hold_is_refused_once_and_for_all_and_the_project_can_still_be_read(project, ids, more):
    bad = event(ids[1], **{"verdict": "drop"} | more)
    answer = say(project, event(ids[0]), bad, event(ids[2]))
    assert list(answer["refused"]) == [bad["client_id"]] and answer["trouble"] is None
    assert [record for record, _, _ in written(project)] == [ids[0], ids[2]] and verdicts(project).num_rows == 2


@pytest.mark.parametrize(
    "damage",
    [
        {"record": "../../etc"},
        {"record": 7},
        {"verdict": "explode"},
        {"verdict": None},
        {"edit": [{"role": "user"}], "verdict": "edit"},
        {"edit": "text", "verdict": "edit"},
    ],
    ids=str,
)
def test_a_damaged_decision_is_refused_in_words(project, ids, damage):
    sent = event(ids[0]) | damage
    assert say(project, sent)["refused"][sent["client_id"]].endswith("again.")
    assert log(project) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["events", "turn", "rows", "after", "queue", "client_id", "record", "verdict", "edit"]), inner, max_size=6
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_the_browser_says_is_read_without_failing(said):
    read = read_message(said, reviewer="human:local")
    assert 0 <= read.rows <= 100 and read.turn >= 0


def test_an_edit_is_kept_with_all_its_keys(project, ids):
    turns = [{"role": "user", "content": "Q", "name": "anna"}, {"role": "assistant", "content": "A 😀\r\n", "tool_calls": "[]"}]
    say(project, event(ids[0], "edit", edit=turns))
    assert log(project)[0]["edit"] == turns


def test_a_database_that_cannot_be_written_confirms_nothing_and_says_why(project, ids):
    with project.database.write() as connection:
        connection.execute(
            sa.text("CREATE TRIGGER full BEFORE INSERT ON decisions BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
        )
    sent = event(ids[0])
    answer = say(project, sent)
    assert (answer["acked"], answer["refused"]) == ({}, {}) and "disk is full" in answer["trouble"]
    with project.database.write() as connection:
        connection.execute(sa.text("DROP TRIGGER full"))
    assert list(say(project, sent)["acked"]) == [sent["client_id"]]


def test_the_order_of_decisions_is_the_order_they_were_made_in(project, ids):
    events = [event(ids[i % 6], verdict) for i, verdict in enumerate(["keep", "drop", "flag", "keep", "drop", "skip"] * 3)]
    read = read_message(message(*events), reviewer="human:anna")
    write(project, read.events)
    assert [e["client_id"] for e in log(project)] == [e["client_id"] for e in events]
    assert {e["decided_by"] for e in log(project)} == {"human:anna"}
