"""Exact duplicate: the same conversation once more."""

from __future__ import annotations

from pipelines.checks import Evidence, Measurements, SetFeatures, check


@check(title="Exact duplicates", unit="earlier rows", group="duplicates", flag_above=0, scope="set", needs=("exact_groups",))
def exact_duplicate(features: SetFeatures) -> Measurements:
    """1 when an earlier row has the same text, apart from capitals and spaces; else 0. The first of them is not counted.

    Duplicates are learned twice, and one of them may end up in the test set. Keep one.
    """
    import numpy as np

    first = features.exact_groups
    repeats = first != np.arange(len(first))
    ids = features.ids
    evidence = [(Evidence(record=ids[group], note="the same text"),) if group != i else () for i, group in enumerate(first.tolist())]
    return Measurements(repeats.astype(float).tolist(), evidence)
