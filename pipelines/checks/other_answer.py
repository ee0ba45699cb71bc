"""Other answer: a question that the set answers in two quite different ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._answer_likeness import have_other_answers
from pipelines.checks._conflict import text_answer
from pipelines.checks._refusals import find_refusal

if TYPE_CHECKING:
    import numpy as np


@check(
    title="Same question, another answer",
    unit="share of the question in common",
    group="meaning",
    severity="info",
    flag_above=0.8,
    scope="set",
    needs=("prompt_groups", "near_pairs"),
    version=2,
)
def other_answer(features: SetFeatures) -> Measurements:
    """How much of its question the row shares with another row whose answer is quite another, from 0 to 1.

    Both may be right, as two poems are, and then both belong in the set. Where only one can be, the model learns neither: compare the
    two, and correct or drop the wrong one.

    Answers are two where more than 60 in 100 of their words differ, and not both decline. Every row of such a question is flagged,
    because only a person can say which is right; where the answers show a contradiction, "Same question, conflicting answers" says so too.
    """
    import numpy as np

    left, right = _pairs(features)
    differs = have_other_answers(features, left, right)
    left, right = _answered(features, left[differs], right[differs])
    shared = _shared_words(features, left, right)
    turns, ids = features.answer_turns, features.ids
    values = [0.0] * len(ids)
    evidence: list[tuple[Evidence, ...]] = [()] * len(ids)
    for at in np.argsort(shared, kind="stable").tolist():  # the most alike questions last
        for one, other in ((int(left[at]), int(right[at])), (int(right[at]), int(left[at]))):
            values[one] = float(shared[at])
            turn = int(turns[one]) if turns[one] >= 0 else None
            evidence[one] = (Evidence(turn, record=ids[other], note="the other row answers quite differently"),)
    return Measurements(values, evidence)


def _answered(features: SetFeatures, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs without those whose answers both decline: two ways to say no are one answer."""
    import numpy as np

    declines = [
        [find_refusal(text or "") is not None for text in features.column("answer").take(rows).to_pylist()] for rows in (left, right)
    ]
    kept = ~(np.asarray(declines[0], bool) & np.asarray(declines[1], bool))
    return left[kept], right[kept]


def _pairs(features: SetFeatures) -> tuple[np.ndarray, np.ndarray]:
    """Rows to compare: each with the first and with the one before of the same question, and those that are alike as a whole."""
    import numpy as np

    groups = features.prompt_groups
    order = np.argsort(groups, kind="stable")
    asks = np.asarray([bool((text or "").strip()) for text in features.column("prompt").take(order).to_pylist()])
    is_same = np.r_[False, groups[order][1:] == groups[order][:-1]] & asks if len(order) else np.zeros(0, bool)
    before, member = order[np.flatnonzero(is_same) - 1], order[is_same]
    first = groups[member]
    near = features.near_pairs
    left, right = (near.column(side).to_numpy() for side in ("left", "right"))
    return np.r_[before, first, left], np.r_[member, member, right]


def _shared_words(features: SetFeatures, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 per pair: 1 for the same question, else the weighted Jaccard similarity of the words of the two."""
    import numpy as np

    groups = features.prompt_groups
    shared = np.ones(len(left))
    for at in np.flatnonzero(groups[left] != groups[right]).tolist():
        one, other = (text_answer(features.column("prompt")[int(rows[at])].as_py() or "") for rows in (left, right))
        shared[at] = 1 - one.distance(other) if one.length and other.length else 0.0
    return shared
