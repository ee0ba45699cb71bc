"""Near duplicate: almost the same conversation once more."""

from __future__ import annotations

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._answer_likeness import have_other_answers


@check(title="Near duplicates", unit="similarity", group="duplicates", flag_above=0.6, scope="set", version=2, needs=("near_pairs",))
def near_duplicate(features: SetFeatures) -> Measurements:
    """How similar the row is to the most similar earlier row: the share of three-word sequences they have in common, from 0 to 1.

    Rows with a few words changed count like duplicates: they are learned twice, and one may end up in the test set. Compare the two
    and keep the better one. The first of them is not counted. Below 0.5 the value is 0.

    Rows alike only in a long question, with answers of their own, are none: see "Same question, another answer".
    """
    import numpy as np

    pairs = features.near_pairs
    left, right, similarity = (pairs.column(name).to_numpy() for name in ("left", "right", "similarity"))
    same = ~have_other_answers(features, left, right)
    left, right, similarity = left[same], right[same], similarity[same]
    ids = features.ids
    values = [0.0] * len(ids)
    evidence: list[tuple[Evidence, ...]] = [()] * len(ids)
    for at in np.lexsort((-left, similarity)).tolist():  # the most similar last; of equals, the earliest
        record = int(right[at])
        values[record] = float(similarity[at])
        evidence[record] = (Evidence(record=ids[int(left[at])], note=_sentence(similarity[at])),)
    return Measurements(values, evidence)


def _sentence(similarity: float) -> str:
    """What is said of the two; equal words may still differ in blanks and capitals."""
    return "the same words" if similarity >= 1 else f"{min(int(100 * similarity), 99)} % the same"
