"""Containment: held against a plain Python count of shared runs of three words."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duplicates.containment import FEWEST_RUNS, TextSet
from tests.duplicates.test_near import shingles

QUESTION = "A train leaves Lisbon at nine and reaches Porto three hours later; how fast did it go?"


def contained(questions, texts):
    found = TextSet(pa.array(questions, pa.large_string())).contained_in(pa.array(texts, pa.large_string()))
    return list(zip(found.share.tolist(), found.which.tolist(), strict=True))


def test_a_short_text_is_found_whole_inside_a_long_one():
    around = "We begin with something else. " * 50
    assert contained([QUESTION], [around + QUESTION.upper() + around, around, QUESTION]) == [(1.0, 0), (0.0, -1), (1.0, 0)]


def test_a_share_is_found_of_a_text_that_stands_there_in_part():
    ((share, which),) = contained(
        ["Nothing of this stands there at all, not one run.", QUESTION], ["A train leaves Lisbon at nine and never comes back."]
    )
    assert which == 1 and share == pytest.approx(len(shingles("A train leaves Lisbon at nine and")) / len(shingles(QUESTION)))


def test_of_equal_texts_the_first_is_named():
    assert contained([QUESTION, QUESTION], [QUESTION]) == [(1.0, 0)]


def test_what_many_of_the_texts_share_tells_none_of_them():
    asks = [
        f"Read the passage below and answer in one word only: what did {name} do at the harbour before {name} left again?"
        for name in (f"name{i}" for i in range(60))
    ]
    same_frame = "Read the passage below and answer in one word only: what is the tallest tree?"
    assert contained(asks, [same_frame, asks[7]])[0][0] < 0.5
    assert contained(asks, [same_frame, asks[7]])[1] == (1.0, 7)


def test_a_text_of_a_few_words_is_not_looked_for():
    short = "What is a bond, please?"
    assert len(shingles(short)) < FEWEST_RUNS
    texts = TextSet(pa.array([short, QUESTION], pa.large_string()))
    assert texts.searchable == 1
    assert texts.contained_in(pa.array([short], pa.large_string())).which.tolist() == [-1]


def test_nothing_is_found_in_nothing():
    assert contained([], ["a text"]) == [(0.0, -1)]
    assert contained([QUESTION], []) == []
    assert contained([""], [""]) == [(0.0, -1)]


words = st.lists(st.sampled_from("abcdefg"), max_size=14).map(" ".join)


@given(st.lists(words, max_size=5), st.lists(words, max_size=5))
def test_shares_are_those_of_the_definition(questions, texts):
    own = [shingles(question) for question in questions]
    for (share, which), text in zip(contained(questions, texts), texts, strict=True):
        shares = [len(one & shingles(text)) / len(one) if len(one) >= FEWEST_RUNS else 0.0 for one in own]
        best = max(shares, default=0.0)
        assert share == pytest.approx(best)
        assert which == (shares.index(best) if best else -1)
