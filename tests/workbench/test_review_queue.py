"""The cards a session hands out: every row once, in order, whatever is decided meanwhile and wherever."""

from dataclasses import replace

import pytest

from pipelines.curation.decisions import Decision, decide, log, undo
from tests.conftest import chat
from workbench import review_queue
from workbench.review_queue import Queue, ReviewSession, Shelf

IMPORT = Queue(order="import")


@pytest.fixture
def ids(project, fill):
    return fill(project, [chat(f"Question {i}?", f"Answer {i}.") for i in range(30)])


def ask(session: ReviewSession, after: str | None, rows: int = 7, **more: object) -> dict:
    return session.answer({"turn": 1, "tab": "t", "queue": session.name, "after": after, "rows": rows} | more)


def walk(session: ReviewSession, rows: int = 7, between=lambda answer: None) -> list[str]:
    """All the ids a browser gets that asks until the end."""
    found, after = [], None
    for _ in range(100):
        answer = ask(session, after, rows)
        found += [card["id"] for card in answer["cards"]]
        if answer["isEnd"]:
            return found
        after = answer["cursor"]
        between(answer)
    raise AssertionError("no end")


@pytest.mark.parametrize("queue", [IMPORT, Queue(), Queue(order="random", seed=3), Queue(state="all")], ids=str)
@pytest.mark.parametrize("page", [5, 2000])
def test_every_row_comes_once(project, ids, queue, page, monkeypatch):
    monkeypatch.setattr(review_queue, "PAGE", page)
    got = walk(ReviewSession(project, queue))
    assert sorted(got) == sorted(ids) and (queue.order != "import" or got == ids)


@pytest.mark.parametrize("page", [3, 8, 2000])
def test_deciding_on_the_way_passes_no_row_over_and_repeats_none(project, ids, page, monkeypatch):
    monkeypatch.setattr(review_queue, "PAGE", page)
    decide_all = lambda answer: decide(project, [Decision(card["id"], "drop") for card in answer["cards"]])  # noqa: E731
    assert walk(ReviewSession(project, IMPORT), between=decide_all) == ids


def test_rows_a_colleague_decides_meanwhile_are_left_out(project, ids):
    session = ReviewSession(project, IMPORT)
    first = ask(session, None, 5)
    decide(project, [Decision(id, "keep", decided_by="human:ben") for id in ids[5:12]])
    assert [card["id"] for card in ask(session, first["cursor"], 5)["cards"]] == ids[12:15]


def test_a_session_that_starts_anew_goes_on_where_the_browser_stands(project, ids):
    first = ask(ReviewSession(project, IMPORT), None, 10)
    decide(project, [Decision(id, "keep") for id in ids[:4]])
    assert [card["id"] for card in ask(ReviewSession(project, IMPORT), first["cursor"], 5)["cards"]] == ids[10:15]


def test_a_place_that_has_gone_begins_at_the_front(project, ids):
    decide(project, [Decision(ids[9], "keep")])
    assert ask(ReviewSession(project, IMPORT), ids[9], 3)["cards"][0]["id"] == ids[0]


def test_the_first_answer_brings_cards_unasked_and_counts_nothing(project, ids):
    decide(project, [Decision(ids[0], "drop")])
    answer = ReviewSession(project, IMPORT).answer(None)
    assert [card["id"] for card in answer["cards"]] == ids[1:13]
    assert answer["tally"] is None and answer["recent"] is None


def test_counts_and_last_decisions_come_when_asked_for(project, ids):
    decide(project, [Decision(ids[0], "drop", reason="Old"), Decision(ids[1], "keep"), Decision(ids[2], "skip")])
    answer = ask(ReviewSession(project, IMPORT), None, 0, tally=True, recent=True)
    assert answer["tally"] == {"left": 28, "total": 30, "today": 2, "next": None}
    assert [(r["record"], r["verdict"], r["title"]) for r in answer["recent"]] == [
        (ids[0], "drop", "Question 0?"),
        (ids[1], "keep", "Question 1?"),
        (ids[2], "skip", "Question 2?"),
    ]


def test_what_was_asked_of_another_queue_is_not_answered_for_this_one(project, ids):
    answer = ReviewSession(project, replace(IMPORT, search="Question 3?")).answer(
        {"turn": 4, "queue": "order=import", "after": ids[20], "rows": 5}
    )
    assert [card["id"] for card in answer["cards"]] == [ids[3]] and answer["isEnd"] and answer["answered"] == 4


def test_undone_decisions_and_those_of_others_are_not_among_the_last_ones(project, ids):
    (seq,) = decide(project, [Decision(ids[0], "drop")]).values()
    decide(project, [Decision(ids[1], "keep", decided_by="human:ben"), Decision(ids[2], "flag")])
    undo(project, seq=seq)
    assert [r["record"] for r in ask(ReviewSession(project, IMPORT), None, 0, recent=True)["recent"]] == [ids[2]]


def test_a_row_is_reopened_by_its_id(project, ids):
    answer = ask(ReviewSession(project, IMPORT), None, 0, open=ids[25])
    assert answer["opened"]["messages"][0]["content"] == "Question 25?" and answer["cards"] == []


def test_a_row_that_is_not_there_is_not_reopened(project, ids):
    assert ask(ReviewSession(project, IMPORT), None, 0, open="0" * 32)["opened"] is None


def test_long_rows_come_in_several_answers_and_none_is_lost(project, fill):
    ids = fill(project, [chat(f"Long {i}", "word " * 200_000) for i in range(5)])
    answer = ask(ReviewSession(project, IMPORT), None, 5)
    assert 0 < len(answer["cards"]) < 5 and not answer["isEnd"]
    assert walk(ReviewSession(project, IMPORT), 5) == ids


def test_an_empty_queue_ends_at_once(project, ids):
    answer = ask(ReviewSession(project, replace(IMPORT, search="nowhere")), None, tally=True)
    assert (answer["cards"], answer["isEnd"], answer["tally"]["total"]) == ([], True, 0)


def test_decided_today_counts_from_the_reviewers_midnight(project, ids):
    from datetime import UTC, datetime, timedelta

    decide(project, [Decision(ids[0], "keep")])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert ask(ReviewSession(project, IMPORT, day_start=tomorrow), None, 0, tally=True)["tally"]["today"] == 0
    assert ask(ReviewSession(project, IMPORT), None, 0, tally=True)["tally"]["today"] == 1


def test_files_that_cannot_be_read_still_confirm_what_was_decided(project, ids):
    for part in project.record_parts:
        part.write_bytes(b"torn")
    sent = {"client_id": "abcdef0123456789", "record": ids[0], "verdict": "keep"}
    answer = ReviewSession(project, IMPORT).answer({"turn": 1, "queue": "order=import", "rows": 5, "events": [sent]})
    assert list(answer["acked"]) == ["abcdef0123456789"] and "cannot be read" in answer["trouble"]
    assert len(log(project)) == 1


def test_the_shelf_reads_a_page_and_not_the_whole_queue(project, ids, monkeypatch):
    monkeypatch.setattr(review_queue, "PAGE", 4)
    shelf = Shelf(project, IMPORT)
    assert shelf.following(None, 3) == ids[:3] and len(shelf.ids) == 4
