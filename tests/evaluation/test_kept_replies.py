"""Kept replies: asked once, known afterwards, also after a crash and under another limit."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation.decoding import Question
from pipelines.evaluation.generate import Reply
from pipelines.evaluation.kept_replies import KeptReplies

ASKED = Question((1, 2), (3,))


def kept(path, reply):
    replies = KeptReplies(path)
    replies.add(ASKED, reply)
    return KeptReplies(path)


def test_a_reply_survives_the_process_that_heard_it(tmp_path):
    reply = Reply((5, 6), True, 0.25)
    assert kept(tmp_path / "a.jsonl", reply).find(ASKED, 10) == reply
    assert KeptReplies(tmp_path / "a.jsonl").find(Question((1, 2), (4,)), 10) is None


def test_a_line_that_was_not_finished_is_forgotten_and_the_next_one_is_not(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "cut off her')
    reply = Reply((5,), False, 0.5)
    assert kept(path, reply).find(ASKED, 1) == reply


@given(st.lists(st.integers(5, 9), max_size=6), st.booleans(), st.integers(1, 8))
def test_a_reply_tells_what_it_would_have_been_under_another_limit(tmp_path_factory, tokens, stopped, limit):
    """A greedy model that would write `tokens` and then end its turn, asked first under one limit and then under another."""

    def written(room):
        is_ended = len(tokens) < room
        return Reply(tuple(tokens[:room]), is_ended, 1.0)

    first_limit = len(tokens) + 1 if stopped else max(1, len(tokens))
    replies = kept(tmp_path_factory.mktemp("kept") / "a.jsonl", written(first_limit))
    found = replies.find(ASKED, limit)
    assert found == written(limit) or (found is None and limit > first_limit)
