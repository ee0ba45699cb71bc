"""Words for numbers and times, and text from outside that stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.words import count, duration, escaped, file_size, share, shortened


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_none_or_all_only_when_it_is_exactly_that(part, whole):
    part = min(part, whole)
    assert (share(part, whole) == "0 %") == (part == 0)
    assert (share(part, whole) == "100 %") == (part == whole)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3_599, "1 h"), (3_600, "1 h"), (7_800, "2 h 10 min"), (100_000, "27 h"), (-3, "0 s")],
)
def test_durations_in_one_or_two_units(seconds, words):
    assert duration(seconds) == words


def test_counts_and_sizes():
    assert [count(1, "row"), count(2_400, "row"), count(0, "row")] == ["1 row", "2,400 rows", "0 rows"]
    assert [file_size(999), file_size(1_500), file_size(2_500_000_000)] == ["999 bytes", "1.5 kB", "2.5 GB"]


@given(st.text(max_size=60))
def test_escaped_text_has_no_mark_that_markdown_would_read(text):
    rest = escaped(text)
    for mark in r"\`*_{}[]()<>#+-.!|~:$&@/":
        rest = rest.replace("\\" + mark, "")
    assert not set(rest) & set("\\`*_{}[]()<>#!|~:$&@")


def test_an_image_in_data_is_never_fetched():
    assert escaped("![x](https://evil.example/pixel)") == r"\!\[x\]\(https\:\/\/evil\.example\/pixel\)"


@given(st.text(), st.integers(2, 50))
def test_shortened_text_is_one_line_and_fits(text, characters):
    line = shortened(text, characters)
    assert len(line) <= characters and "\n" not in line
