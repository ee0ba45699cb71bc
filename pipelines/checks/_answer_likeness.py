"""Answer likeness: whether two rows with alike questions, or alike as a whole, are alike in their answers too."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pipelines.checks import SetFeatures
from pipelines.checks._conflict import Answer, text_answer

if TYPE_CHECKING:
    import numpy as np

MOST_ALIKE = 0.6
"""Share of different words (weighted Jaccard distance) above which two answers are two: reworded ones stay below it."""


def have_other_answers(features: SetFeatures, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """bool, one per pair of rows: whether both have an answer and more than MOST_ALIKE of the words of the two differ."""
    import numpy as np

    differs = np.zeros(len(left), bool)
    ones, others = (features.column("answer").take(rows).to_pylist() for rows in (left, right))
    for at, (one, other) in enumerate(zip(ones, others, strict=True)):
        if one and other and one != other and one.strip() and other.strip():
            differs[at] = _read(one).distance(_read(other)) > MOST_ALIKE
    return differs


@functools.lru_cache(64)
def _read(text: str) -> Answer:
    """Kept for a while: a row is in several pairs, which follow each other."""
    return text_answer(text)
