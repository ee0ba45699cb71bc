"""Rows that ask the same question in other words are not as many proofs."""

import random

import pyarrow as pa
import pytest

from pipelines.curation.ties import question_groups
from pipelines.evaluation.intervals import Estimate, mean_difference, proportion_difference, verdict, widened


def false_verdicts(groups, size, use_groups, trials=400):
    draw, found = random.Random(7), 0
    number = [group for group in range(groups) for _ in range(size)]
    for _ in range(trials):
        before, after = ([draw.random() < 0.5 for _ in range(groups)] for _ in range(2))
        pairs = [[side[group] for group in number] for side in (before, after)]
        difference = proportion_difference(*pairs)
        if use_groups:
            difference = widened(difference, [a - b for b, a in zip(*pairs, strict=True)], number)
        found += verdict(difference, True) != "no difference shown"
    return found / trials


def test_copies_of_a_question_no_longer_make_differences_out_of_chance():
    assert false_verdicts(12, 5, use_groups=False) > 0.25
    assert false_verdicts(12, 5, use_groups=True) < 0.09


def test_rows_that_are_all_different_keep_their_interval():
    before, after = [0.0, 1.0, 0.5, 0.25], [1.0, 1.0, 0.5, 0.75]
    found = mean_difference(before, after, (0.0, 1.0))
    assert widened(found, [a - b for b, a in zip(before, after, strict=True)], range(4)) == found


def test_independent_groups_widen_nothing_much_and_copies_by_the_root_of_their_number():
    draw = random.Random(3)
    values = [draw.random() for _ in range(60)]
    found = Estimate(sum(values) / 60, sum(values) / 60 - 0.1, sum(values) / 60 + 0.1, 60)
    same = widened(Estimate(1.0, 0.9, 1.0, 60), [1.0] * 60, [n // 5 for n in range(60)])
    assert same.low == pytest.approx(1 - 0.1 * 5**0.5 * 2.201 / 2.001, abs=1e-3)
    assert 0.1 <= found.mean - widened(found, values, [n // 2 for n in range(60)]).low < 0.15


def test_one_question_alone_shows_nothing():
    assert widened(Estimate(0.5, 0.4, 0.6, 3), [1.0, 0.0, 0.5], [0, 0, 0]).low is None


def test_prompts_that_ask_the_same_are_one_question():
    prompts = ["Where is the key to the shed?", "where is the key to the shed", "How do I reset my password?", "", ""]
    groups = question_groups(pa.chunked_array([pa.array(prompts, pa.large_string())])).tolist()
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4
