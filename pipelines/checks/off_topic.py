"""Off topic: a row about something that the rest of the set is not about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check

if TYPE_CHECKING:
    import numpy as np

_FEWEST_NEIGHBOURS = 10
_NEIGHBOURS = 0.02
"""Share of the set: fewer, and strangers that resemble each other would vouch for each other; more, and small topics would be strange."""
_FEWEST_RECORDS = 50
_REFERENCE = 4096
"""In larger sets than twice this, neighbours are sought among so many rows, drawn at random once and for all."""
_BLOCK = 2048
_LEAST_SPREAD = 0.01
"""Differences in similarity below it mean nothing, even where most rows are the same."""
_POWER = 3
"""How prompt and answer are united: at 1 as a mean, which hides one that is far behind one that is near; the higher, the more the
farther of the two decides. Chosen on mixtures of public sets, see tests/benchmarks/bench_off_topic.py."""


@check(
    title="Rows off the set's topics",
    unit="times the usual spread",
    group="meaning",
    flag_above=3.5,
    scope="set",
    version=3,
    needs=("embeddings",),
)
def off_topic(features: SetFeatures) -> Measurements:
    """How much farther than usual the row is from the rows most like it, as a multiple of how much that distance usually varies.

    A row that hardly any other row is like teaches the model something it is not asked for, and takes room from its task. Look at it, and
    drop it if it does not belong.

    Compared are the nearest 2 % of the rows, 10 at least, once by the prompt and once by the words of the answer; the farther of the two
    decides. Of general questions hidden among help-desk rows, 13 in 18 are found, and 9 in 10 of the rows flagged are such; in mixtures of
    public sets it is 5 to 10 in 10. In sets about anything and everything nothing is off topic, and rows close to the set's subject are
    found less often; in a set without strangers about 1 % of the rows are flagged, the oddest ones. The encoder reads
    English best. Not measured in sets of fewer than 50 rows.
    """
    import numpy as np
    import pyarrow.compute as pc

    prompts = features.embeddings
    if len(prompts) < _FEWEST_RECORDS:
        return Measurements([None] * len(prompts))
    answered = np.asarray(pc.match_substring_regex(pc.fill_null(features.column("answer"), ""), r"\S"))
    asked, said = nearness(prompts), np.zeros(len(prompts), np.float32)
    if answered.sum() >= _FEWEST_RECORDS:
        said[answered] = nearness(features.answer_embeddings[answered])
    prompt_far, answer_far = deviations(asked), np.zeros(len(prompts))
    answer_far[answered] = deviations(said[answered]) if answered.any() else 0.0
    values = (prompt_far**_POWER + answer_far**_POWER) ** (1 / _POWER)
    notes = [
        f"its {what} is {{:.0f}} % like those of the rows most like it; usually that is {100 * np.median(near):.0f} %"
        for what, near in (("prompt", asked), ("answer", said[answered] if answered.any() else said))
    ]
    evidence = [
        (Evidence(note=notes[0].format(100 * near_prompt) if far_prompt >= far_answer else notes[1].format(100 * near_answer)),)
        if value > 2
        else ()
        for value, far_prompt, far_answer, near_prompt, near_answer in zip(
            values.tolist(), prompt_far.tolist(), answer_far.tolist(), asked.tolist(), said.tolist(), strict=True
        )
    ]
    return Measurements(values.tolist(), evidence)


def deviations(similarity: np.ndarray) -> np.ndarray:
    """How far below the median each similarity is, in robust standard deviations; 0 above it."""
    import numpy as np

    usual = np.median(similarity)
    spread = max(float(np.median(np.abs(similarity - usual))), _LEAST_SPREAD)
    return np.maximum(0.6745 * (usual - similarity.astype(np.float64)) / spread, 0.0)


def nearness(vectors: np.ndarray) -> np.ndarray:
    """Mean cosine similarity of each row to its nearest other rows."""
    import numpy as np

    rows = np.arange(len(vectors))
    if len(vectors) > 2 * _REFERENCE:
        rows = np.sort(np.random.default_rng(0).choice(len(vectors), _REFERENCE, replace=False))
    count = min(max(_FEWEST_NEIGHBOURS, int(_NEIGHBOURS * len(rows))), len(rows) - 1)
    reference = np.ascontiguousarray(vectors[rows], dtype=np.float32)
    means = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = np.asarray(vectors[start : start + _BLOCK], dtype=np.float32) @ reference.T
        own = np.searchsorted(rows, np.arange(start, start + len(block)))
        own = np.where((own < len(rows)) & (rows[np.minimum(own, len(rows) - 1)] == np.arange(start, start + len(block))), own, -1)
        block[np.flatnonzero(own >= 0), own[own >= 0]] = -1.0
        means[start : start + len(block)] = np.partition(block, -count, axis=1)[:, -count:].mean(axis=1)
    return means
