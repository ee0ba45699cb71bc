"""How alike two texts are: tables with near misses, checked by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation.wording import final_number, length_agreement, overlap, overlap_tokens, short_form


@pytest.mark.parametrize(
    ("expected", "answer", "f1"),
    [
        ("the cat sat", "The cat sat.", 1.0),
        ("the cat sat on a mat", "cat sat", 2 * 1.0 * 0.5 / 1.5),  # tokens cat sat on mat; 2 of 2 given, 2 of 4 wanted
        ("cat cat", "cat", 2 / 3),  # repetition counts
        ("Denver Broncos", "Carolina Panthers", 0.0),
        ("the", "a", 1.0),  # nothing is left of either
        ("the", "cat", 0.0),
        ("", "", 1.0),
        ("Ça va bien", "ça VA", 0.8),
        ("银行卡丢失", "银行卡", 0.75),  # 3 of 3 given, 3 of 5 wanted
        ("“quoted” — text", "quoted text", 1.0),
    ],
)
def test_overlap_is_the_token_f1_of_squad(expected, answer, f1):
    assert overlap(expected, answer) == pytest.approx(f1)


@given(st.text(), st.text())
def test_overlap_is_symmetric_and_a_share(one, other):
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1
    assert overlap(one, one) == 1


def test_articles_inside_words_stay():
    assert overlap_tokens("Another theme, an aim") == ["another", "theme", "aim"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Card arrival", "card  ARRIVAL.", True),
        ("yes", '"Yes."', True),
        ("«oui»", "oui", True),
        ("はい", "はい。", True),
        ("５", "5", True),
        ("-5", "5", False),
        ("3.5", "35", False),
        ("card_arrival", "card arrival", False),
        ("yes", "yes, of course", False),
        ('"', "", False),
    ],
)
def test_short_answers_are_the_same_whatever_their_dress(one, other, same):
    assert (short_form(one) == short_form(other)) is same


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2 + 2 = <<2+2=4>>4\n#### 4", Decimal(4)),
        ("#### 1,234.50", Decimal("1234.5")),
        ("#### -7.", Decimal(-7)),
        ("#### $18", Decimal(18)),
        ("####.5", Decimal("0.5")),
        ("#### 4\n#### 5", Decimal(4)),
        ("The answer is 4", None),
        ("#### four", None),
    ],
)
def test_the_number_after_four_hashes_is_the_answer(text, number):
    assert final_number(text) == number


@pytest.mark.parametrize(
    ("expected", "answer", "agreement"), [("abcd", "abcd", 1), ("abcd", "ab", 0.5), ("ab", "abcd", 0.5), ("ab", "", 0), ("", "ab", None)]
)
def test_half_and_double_the_length_agree_as_much(expected, answer, agreement):
    assert length_agreement(expected, answer) == agreement
