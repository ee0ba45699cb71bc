"""Rows that ask the same question in other words are not as many proofs."""

import random

import pyarrow as pa
import pytest

from pipelines.curation.ties import question_groups
from pipelines.evaluation.intervals import design_effect, mean, mean_difference, proportion, proportion_difference, verdict


def false_verdicts(groups, size, use_groups, trials=400):
    draw, found = random.Random(7), 0
    number = [group for group in range(groups) for _ in range(size)]
    for _ in range(trials):
        before, after = ([draw.random() < 0.5 for _ in range(groups)] for _ in range(2))
        pairs = [[side[group] for group in number] for side in (before, after)]
        effect = design_effect([a - b for b, a in zip(*pairs, strict=True)], number) if use_groups else 1.0
        difference = proportion_difference(*pairs, effect)
        found += verdict(difference, True) != "no difference shown"
    return found / trials


def test_copies_of_a_question_no_longer_make_differences_out_of_chance():
    assert false_verdicts(12, 5, use_groups=False) > 0.25
    assert false_verdicts(12, 5, use_groups=True) < 0.09


def test_rows_that_are_all_different_count_in_full():
    assert design_effect([1.0, 0.0, 0.5, 0.25], range(4)) == 1


def test_independent_rows_count_nearly_in_full_and_copies_once():
    draw = random.Random(3)
    values = [draw.random() for _ in range(60)]
    assert 1 <= design_effect(values, [n // 2 for n in range(60)]) < 2
    copies = [n // 5 for n in range(60)]
    spread = (2.201 / 2.001) ** 2  # Student's t for 12 questions and for 60 rows
    assert design_effect([1.0] * 60, copies) == pytest.approx(5 * spread, rel=1e-3)
    assert design_effect([float(group % 2) for group in copies], copies) == pytest.approx(5 * 59 / 55 * spread, rel=0.02)


def test_one_question_alone_shows_nothing():
    effect = design_effect([1.0, 0.0, 0.5], [0, 0, 0])
    found = [proportion(2, 3, effect), proportion_difference([0, 0, 1], [1, 1, 1], effect), mean([1.0, 0.0, 0.5], (0, 1), effect)]
    assert [(one.mean is None, one.low, one.n) for one in found] == [(False, None, 3)] * 3


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_rates_of_copied_questions_hold_the_truth_in_95_of_100_data_sets(rate):
    """Also where nearly all answers are alike, and the interval's width comes from the number of rows and not from their spread."""
    draw, held = random.Random(5), {"proportion": 0, "mean": 0, "difference": 0}
    number = [n // 20 for n in range(100)]
    for _ in range(400):
        asked = [float(draw.random() < rate) for _ in range(5)]
        more = [float(draw.random() < rate + 0.3) for _ in range(5)]
        before, after = ([side[group] for group in number] for side in (asked, more))
        effect = design_effect(before, number)
        found = {
            "proportion": proportion(round(sum(before)), 100, effect),
            "mean": mean(before, (0.0, 1.0), effect),
            "difference": mean_difference(
                before, after, (0.0, 1.0), design_effect([a - b for b, a in zip(before, after, strict=True)], number)
            ),
        }
        for name, estimate in found.items():
            held[name] += estimate.low <= (0.3 if name == "difference" else rate) <= estimate.high
    assert min(held.values()) > 0.93 * 400, held


def test_prompts_that_ask_the_same_are_one_question():
    prompts = ["Where is the key to the shed?", "where is the key to the shed", "How do I reset my password?", "", ""]
    groups = question_groups(pa.chunked_array([pa.array(prompts, pa.large_string())])).tolist()
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4
