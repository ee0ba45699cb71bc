"""Which words went and which came: right for every pair of texts, as difflib has it for short ones, with bounded work for long ones."""

import difflib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.word_changes import EXACT, word_changes

SPACED = [part for i in range(4_000) for part in (f"w{i % 400}", " ")]
SAME = ["ha", " "] * 4_000
CHANCE = random.Random(0)


def rebuilt(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Both texts as the changes tell them; what is equal is taken from the other side."""
    before, after = [], []
    for kind, i, j, k, end in word_changes(old, new):
        before += new[k:end] if kind == "equal" else old[i:j]
        after += old[i:j] if kind == "equal" else new[k:end]
    return before, after


def changed(old: list[str], new: list[str]) -> int:
    return sum(j - i + end - k for kind, i, j, k, end in word_changes(old, new) if kind != "equal")


texts = st.lists(st.sampled_from(["a", "b", " "]), max_size=30)


@given(texts, texts)
def test_short_texts_are_compared_as_difflib_does(old, new):
    assert word_changes(old, new) == difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


TAGGED = [part for i, word in enumerate(SPACED) for part in (("<b>", word) if i % 24 == 0 else (word,))]
LONG = {
    "tags taken out": (TAGGED, SPACED, 334),
    "one word many times": (SAME, ["x", *SAME[:-99]], 100),
    "spaces taken out": (SPACED, [word for word in SPACED if word != " "], 4_000),
    "line ends changed": (["7", "\r\n"] * 2_000, ["7", "\n"] * 2_000, 4_000),
}


@pytest.mark.parametrize(("old", "new", "least"), LONG.values(), ids=LONG)
def test_a_long_text_shows_what_changed_and_hardly_more(old, new, least):
    assert rebuilt(old, new) == (old, new)
    assert least <= changed(old, new) <= least + 110


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(case[:2] for case in LONG.values()),
        (SPACED, SPACED[::-1]),
        ([CHANCE.choice("ab") for _ in range(8_000)], [CHANCE.choice("ab") for _ in range(8_000)]),
    ],
)
def test_the_pairs_of_words_that_are_compared_grow_with_the_length_and_not_with_its_square(old, new, monkeypatch):
    pairs = []

    class Counted(difflib.SequenceMatcher):
        def __init__(self, isjunk, a, b, autojunk):
            pairs.append(len(a) * len(b))
            super().__init__(isjunk, a, b, autojunk)

    monkeypatch.setattr("workbench.word_changes.difflib.SequenceMatcher", Counted)
    assert rebuilt(old, new) == (old, new)
    assert max(pairs, default=0) <= EXACT and sum(pairs) < 400 * (len(old) + len(new))
