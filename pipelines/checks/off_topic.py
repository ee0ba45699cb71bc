"""Off topic: a prompt about something that the rest of the set is not about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check

if TYPE_CHECKING:
    import numpy as np

_NEIGHBOURS = 10
_FEWEST_RECORDS = 50
_REFERENCE = 4096
"""In larger sets than twice this, neighbours are sought among so many rows, drawn at random once and for all."""
_BLOCK = 2048


@check(title="Prompts off the set's topics", unit="robust deviations", group="meaning", flag_above=3.0, scope="set", needs=("embeddings",))
def off_topic(features: SetFeatures) -> Measurements:
    """How much farther than usual in this set the prompt is from its ten nearest neighbours, in robust standard deviations.

    Far from everything means that hardly any other row is about the same: look at it, and drop it if it does not belong. Of general
    questions hidden among help-desk rows, 7 in 10 are found, and 9 in 10 of the rows flagged are such; questions close to the set's
    subject are found less often. The built-in encoder reads English best. Not measured in sets of fewer than 50 rows.
    """
    import numpy as np

    vectors = features.embeddings
    if len(vectors) < _FEWEST_RECORDS:
        return Measurements([None] * len(vectors))
    similarity = _mean_similarity(vectors)
    usual = float(np.median(similarity))
    spread = float(np.median(np.abs(similarity - usual)))
    if spread < 1e-6:  # most prompts are the same
        return Measurements([0.0] * len(vectors))
    values = np.maximum(0.6745 * (usual - similarity) / spread, 0.0)
    evidence = [
        (Evidence(note=f"similarity to its ten nearest rows {near:.2f}, usually {usual:.2f}"),) if value > 2 else ()
        for value, near in zip(values.tolist(), similarity.tolist(), strict=True)
    ]
    return Measurements(values.tolist(), evidence)


def _mean_similarity(vectors: np.ndarray) -> np.ndarray:
    """Mean cosine similarity of each row to its ten nearest other rows."""
    import numpy as np

    rows = np.arange(len(vectors))
    if len(vectors) > 2 * _REFERENCE:
        rows = np.sort(np.random.default_rng(0).choice(len(vectors), _REFERENCE, replace=False))
    reference = np.ascontiguousarray(vectors[rows], dtype=np.float32)
    means = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = np.asarray(vectors[start : start + _BLOCK], dtype=np.float32) @ reference.T
        own = np.searchsorted(rows, np.arange(start, start + len(block)))
        own = np.where((own < len(rows)) & (rows[np.minimum(own, len(rows) - 1)] == np.arange(start, start + len(block))), own, -1)
        block[np.flatnonzero(own >= 0), own[own >= 0]] = -1.0
        means[start : start + len(block)] = np.partition(block, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS:].mean(axis=1)
    return means
