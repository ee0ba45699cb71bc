"""Lengths: how far the length of a text is from the usual length of its set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements

if TYPE_CHECKING:
    import numpy as np

FEWEST_RECORDS = 50
LEAST_SPREAD = 0.1
"""Least median distance on the logarithmic scale: where all texts are about as long, a factor below 1.8 is still nothing unusual."""


def length_outliers(characters: np.ndarray) -> Measurements:
    """How many times the usual spread each text's length is from the usual length.

    It is the modified z-score of the logarithm of the length (Iglewicz and Hoaglin 1993), without its sign; the spread is not taken
    smaller than LEAST_SPREAD. Empty texts are not measured, nor is a set of fewer than 50 others.
    """
    import numpy as np

    lengths = characters.astype(np.float64)
    some = lengths > 0
    if some.sum() < FEWEST_RECORDS:
        return Measurements([None] * len(lengths))
    scores = np.zeros(len(lengths))
    scores[some] = np.abs(_modified_z(np.log(lengths[some])))
    low, median, high = np.percentile(lengths[some], [25, 50, 75])
    evidence: list[tuple[Evidence, ...]] = [()] * len(lengths)
    for i in np.flatnonzero(scores > 2).tolist():
        evidence[i] = (
            Evidence(note=f"{lengths[i]:,.0f} characters; half of the set has {low:,.0f} to {high:,.0f}, the middle one {median:,.0f}"),
        )
    return Measurements([score if measured else None for score, measured in zip(scores.tolist(), some.tolist(), strict=True)], evidence)


def _modified_z(values: np.ndarray) -> np.ndarray:
    import numpy as np

    distance = values - np.median(values)
    median_distance = np.median(np.abs(distance))
    if median_distance > 0:
        return 0.6745 * distance / max(median_distance, LEAST_SPREAD)
    mean_distance = np.mean(np.abs(distance))  # more than half of the lengths are equal
    return distance / (1.253314 * mean_distance) if mean_distance > 0 else distance
