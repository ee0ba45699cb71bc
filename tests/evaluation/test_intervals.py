"""Intervals against published worked examples, and how often they hold the truth in simulated data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation.intervals import (
    NOT_MEASURED,
    Estimate,
    mean,
    mean_difference,
    proportion,
    proportion_difference,
    proportion_difference_from_counts,
    verdict,
)

SIMULATIONS = 2000


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, Stat Med 17:857-872, table I, method 3 (Wilson's score interval)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_proportions_match_the_published_wilson_intervals(successes, n, low, high):
    found = proportion(successes, n)
    assert (found.mean, found.low, found.high) == pytest.approx((successes / n, low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "low", "high", "digits"),
    [
        # Altman et al. 2000, Statistics with Confidence, table 6.2 and page 52: thallium stress test before and after
        ((14, 5, 0, 22), 0.011, 0.226, 3),
        # Fagerland, Lydersen, Laake 2014, Stat Med 33:2850-2875: airway reactivity before and after a transplantation (Bentur et al. 2009)
        ((1, 1, 7, 12), -0.507, -0.026, 3),
        # The same authors' book, chapter 8, and their R package contingencytables: complete response (Cavo et al. 2012)
        ((59, 6, 16, 80), -0.1186, -0.0046, 4),
    ],
)
def test_paired_differences_match_the_published_newcombe_intervals(counts, low, high, digits):
    found = proportion_difference_from_counts(*counts)
    assert (round(found.low, digits), round(found.high, digits)) == (low, high)


def test_pairs_are_counted_by_what_changed():
    before, after = [1, 1, 0, 0, 0], [1, 0, 1, 1, 0]
    assert proportion_difference(before, after) == proportion_difference_from_counts(both=1, gained=2, lost=1, neither=1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_a_paired_interval_holds_its_difference_and_turns_with_the_order(pairs):
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    found, turned = proportion_difference(before, after), proportion_difference(after, before)
    assert -1 <= found.low <= found.mean <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_a_difference_that_is_everywhere_is_shown_and_one_that_is_nowhere_is_not():
    always = proportion_difference([0] * 10, [1] * 10)
    assert always.low > 0.5 and verdict(always, higher_is_better=True) == "better" and verdict(always, higher_is_better=False) == "worse"
    never = proportion_difference([1] * 10, [1] * 10)
    assert never.low < 0 < never.high and verdict(never, higher_is_better=True) == "no difference shown"


def test_too_few_pairs_show_nothing():
    """If every answer changed by chance, all of two would change the same way half the time, and all of six in one of 32."""
    shown = {n: verdict(proportion_difference([False] * n, [True] * n), higher_is_better=True) for n in range(1, 8)}
    assert [n for n, word in shown.items() if word == "better"] == [6, 7]
    assert verdict(mean_difference([3.0, 3.0], [1.0, 1.01]), higher_is_better=False) == "no difference shown"


def test_nothing_measured_is_none_and_not_zero():
    assert proportion(0, 0) == proportion_difference([], []) == mean([]) == mean_difference([], []) == NOT_MEASURED
    assert NOT_MEASURED.mean is None and verdict(NOT_MEASURED, higher_is_better=True) == "no difference shown"


@pytest.mark.parametrize("values", [[2.5], [2.5, 2.5, 2.5]])
def test_values_without_spread_and_bounds_have_no_interval(values):
    assert mean(values) == Estimate(2.5, None, None, len(values))


def test_equal_scores_within_bounds_still_leave_room_for_doubt():
    """Twenty perfect scores: about the 3 / n of the rule of three."""
    found = mean([1.0] * 20, (0, 1))
    assert found.high == 1 and 0.8 < found.low < 0.95
    assert mean([1.0] * 2000, (0, 1)).low > 0.998
    same = mean_difference([0.5] * 20, [0.5] * 20, (0, 1))
    assert same.mean == 0 and same.low < 0 < same.high


def test_a_mean_without_bounds_is_students():
    """Gosset 1908, Biometrika 6:1-25: hours of sleep gained by ten patients with one drug over the other; mean 1.58, t = 4.06."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = mean_difference(first, second)
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((1.58, 0.70, 2.46, 10), abs=0.005)


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_proportions_hold_the_truth_in_95_of_100_data_sets(n, p):
    """The coverage swings around 95 % with p and n (Brown, Cai, DasGupta 2001), here down to 92 % at n = 50, p = 0.02."""
    successes = np.random.default_rng(1).binomial(n, p, SIMULATIONS)
    held = np.mean([(e := proportion(int(k), n)).low <= p <= e.high for k in successes])
    assert 0.9 <= held <= 1.0


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize(
    "cells",
    [(0.30, 0.40, 0.05, 0.25), (0.05, 0.90, 0.01, 0.04), (0.60, 0.10, 0.10, 0.20), (0.10, 0.02, 0.02, 0.86)],
    ids=["helps", "helps nearly always", "changes nothing", "rarely right"],
)
def test_paired_differences_hold_the_truth_in_95_of_100_data_sets(n, cells):
    truth = cells[1] - cells[2]
    tables = np.random.default_rng(2).multinomial(n, cells, SIMULATIONS)
    held = np.mean([(e := proportion_difference_from_counts(*map(int, t))).low <= truth <= e.high for t in tables])
    assert 0.93 <= held <= 1.0


def scores_mostly_right(rng, shape):
    return np.where(rng.random(shape) < 0.98, 1.0, 0.5)


def scores_of_overlap(rng, shape):
    return rng.beta(0.5, 0.5, shape)


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize(("draw", "truth"), [(scores_mostly_right, 0.99), (scores_of_overlap, 0.5)])
def test_bounded_means_hold_the_truth_in_95_of_100_data_sets(n, draw, truth):
    drawn = draw(np.random.default_rng(3), (SIMULATIONS, n))
    held = np.mean([(e := mean(row, (0, 1))).low <= truth <= e.high for row in drawn.tolist()])
    assert 0.94 <= held <= 1.0


def test_without_bounds_scores_that_are_nearly_all_equal_would_look_exact():
    """Why the bounds are given: the same data, as if nothing were known about them."""
    drawn = scores_mostly_right(np.random.default_rng(3), (SIMULATIONS, 20))
    held = np.mean([(e := mean(row)).low is not None and e.low <= 0.99 <= e.high for row in drawn.tolist()])
    assert held < 0.4


def test_bounds_hardly_widen_the_interval_of_scores_that_vary():
    drawn = scores_of_overlap(np.random.default_rng(3), (200, 100))
    width = np.mean([(e := mean(row, (0, 1))).high - e.low for row in drawn.tolist()])
    plain = np.mean([(e := mean(row)).high - e.low for row in drawn.tolist()])
    assert width == pytest.approx(plain, rel=0.03)


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("kind", ["loss", "overlap", "rarely differs"])
def test_paired_means_hold_the_truth_in_95_of_100_data_sets(n, kind):
    rng = np.random.default_rng(4)
    shape = (SIMULATIONS, n)
    if kind == "loss":  # log-normal losses, a fifth lower after training, correlated through the difficulty of the row
        difficulty = rng.normal(0, 0.5, shape)
        before, after = np.exp(difficulty + rng.normal(0, 0.3, shape)), 0.8 * np.exp(difficulty + rng.normal(0, 0.3, shape))
        truth, bounds = -0.2 * np.exp((0.25 + 0.09) / 2), None
    elif kind == "overlap":
        before, after, truth, bounds = rng.beta(1, 4, shape), rng.beta(2, 3, shape), 0.2, (0, 1)
    else:
        before = np.full(shape, 0.5)
        after = before + np.where(rng.random(shape) < 0.15, rng.choice([0.5, 0.25, -0.25], shape), 0.0)
        truth, bounds = 0.15 / 6, (0, 1)
    estimates = [mean_difference(b, a, bounds) for b, a in zip(before.tolist(), after.tolist(), strict=True)]
    held = np.mean([e.low <= truth <= e.high for e in estimates])
    assert 0.93 <= held <= 1.0
