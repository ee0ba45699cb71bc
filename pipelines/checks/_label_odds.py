"""Label odds: how much likelier another label is for a row than the one it has, judged by rows that took no part in the judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_FOLDS = 5
_SHRINKAGE = 0.3
"""Of the covariance towards a ball: labels have fewer rows than vectors have dimensions."""
_TEMPERATURES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_NEIGHBOURS = 20
_WARMTH = 0.05
"""A neighbour's vote falls by a factor e for so much less cosine similarity."""
_REFERENCE = 16_384
"""In larger sets, neighbours are sought among so many rows, drawn at random once and for all."""
_SAMPLE = 20_000
"""Rows on which the temperature is chosen."""
_BLOCK = 1024
_FLOOR = 1e-4
"""Chances below it are not told apart: odds end at 10,000."""


@dataclass(frozen=True, slots=True)
class LabelOdds:
    """One entry per row."""

    odds: np.ndarray
    """How many times as likely the likeliest other label is as the row's own."""
    other: np.ndarray
    """int64: the likeliest other label."""
    skill: float
    """How well the labels can be told from the vectors: 0 as by always naming the most frequent, 1 without a miss."""


def label_odds(vectors: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> LabelOdds:
    """The odds of each row's label. Rows of one group (the same prompt) do not judge each other.

    The chance of a label is the mean of two judges: a linear discriminant, fitted on four fifths of the groups and asked about the fifth
    (its temperature chosen by out-of-sample likelihood, as in Guo et al. 2017), and the votes of the twenty nearest rows. On banking77
    with labels changed at random the mean of the two finds what cross-validated logistic regression finds, in a hundredth of its time.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    _, group = np.unique(groups, return_inverse=True)
    fold = rng.permutation(int(group.max()) + 1)[group] % _FOLDS
    discriminant = _Discriminant(vectors, labels, fold)
    reference = np.arange(len(vectors))
    if len(reference) > _REFERENCE:
        reference = np.sort(rng.choice(len(vectors), _REFERENCE, replace=False))
    votes = _Votes(vectors[reference], labels[reference], group[reference], discriminant.kinds)
    temperature = discriminant.best_temperature(rng.permutation(len(vectors))[:_SAMPLE])
    odds, other, hits = np.empty(len(vectors)), np.empty(len(vectors), np.int64), 0
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        chance = (discriminant.chances(rows, temperature) + votes.chances(vectors[rows], group[rows])) / 2
        at = np.arange(len(rows))
        own = chance[at, labels[rows]].copy()
        chance[at, labels[rows]] = -1.0
        other[rows] = chance.argmax(axis=1)
        best = chance[at, other[rows]]
        hits += int((own >= best).sum())
        odds[rows] = (best + _FLOOR) / (own + _FLOOR)
    most = np.bincount(labels).max() / len(labels)
    return LabelOdds(odds, other, float((hits / len(labels) - most) / max(1 - most, 1e-9)))


class _Discriminant:
    """Linear discriminant analysis, fitted once per fold on the rows of the other folds."""

    def __init__(self, vectors: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> None:
        import numpy as np

        self._vectors, self._labels, self._fold = vectors, labels, fold
        self.kinds = int(labels.max()) + 1
        size = vectors.shape[1]
        counts = np.zeros((_FOLDS, self.kinds))
        sums = np.zeros((_FOLDS, self.kinds, size))
        products = np.zeros((_FOLDS, size, size))
        for f in range(_FOLDS):
            rows = np.flatnonzero(fold == f)
            counts[f] = np.bincount(labels[rows], minlength=self.kinds)
            for part in np.array_split(rows, len(rows) // 65_536 + 1):
                some = vectors[part].astype(np.float64)
                np.add.at(sums[f], labels[part], some)
                products[f] += some.T @ some
        self._fits = [self._fit(counts.sum(0) - counts[f], sums.sum(0) - sums[f], products.sum(0) - products[f]) for f in range(_FOLDS)]

    def _fit(self, counts: np.ndarray, sums: np.ndarray, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights and offsets of the label scores. A label without rows gets a score that never wins."""
        import numpy as np

        size = products.shape[0]
        means = sums / np.maximum(counts, 1)[:, None]
        within = (products - (means * counts[:, None]).T @ means) / max(counts.sum() - self.kinds, 1)
        level = max(np.trace(within) / size, 1e-9)
        weights = np.linalg.solve((1 - _SHRINKAGE) * within + _SHRINKAGE * level * np.eye(size), means.T)
        offsets = -0.5 * np.einsum("ks,sk->k", means, weights) + np.log(np.maximum(counts, 1e-9) / max(counts.sum(), 1))
        return weights, np.where(counts > 0, offsets, -1e9)

    def chances(self, rows: np.ndarray, temperature: float) -> np.ndarray:
        """The chance of each label for these rows."""
        return _softmax(self._scores(rows) * temperature)

    def best_temperature(self, rows: np.ndarray) -> float:
        """The temperature at which the labels of these rows are likeliest."""
        import numpy as np

        losses = np.zeros(len(_TEMPERATURES))
        for part in np.array_split(rows, len(rows) // _BLOCK + 1):
            scores = self._scores(part)
            for i, temperature in enumerate(_TEMPERATURES):
                losses[i] -= np.log(_softmax(scores * temperature)[np.arange(len(part)), self._labels[part]] + 1e-12).sum()
        return _TEMPERATURES[int(losses.argmin())]

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        scores = np.empty((len(rows), self.kinds))
        for f, (weights, offsets) in enumerate(self._fits):
            here = self._fold[rows] == f
            scores[here] = self._vectors[rows[here]] @ weights + offsets
        return scores


def _softmax(scores: np.ndarray) -> np.ndarray:
    import numpy as np

    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class _Votes:
    """The nearest rows and their labels."""

    vectors: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    kinds: int

    def chances(self, vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """The share of the votes for each label, for these rows."""
        import numpy as np

        similarity = vectors @ self.vectors.T
        similarity[groups[:, None] == self.groups[None, :]] = -1.0
        count = min(_NEIGHBOURS, similarity.shape[1])
        nearest = np.argpartition(similarity, -count, axis=1)[:, -count:]
        weights = np.exp((np.take_along_axis(similarity, nearest, 1) - 1) / _WARMTH)
        votes = np.full((len(vectors), self.kinds), 1e-12)
        np.add.at(votes, (np.arange(len(vectors))[:, None], self.labels[nearest]), weights)
        return votes / votes.sum(axis=1, keepdims=True)
