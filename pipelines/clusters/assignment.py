"""Assignment: which cluster each row belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MAX_CLUSTERS = 60
"""More than that nobody reads."""
_SAME_DIRECTION = 0.95
"""Two clusters whose middles are closer than this are one."""
_SMALLEST_SHARE = 0.15
"""Of the average size: smaller clusters join their nearest neighbours, row by row."""
_SMALLEST_SIZE = 3
_TRAINING_ROWS_PER_CLUSTER = 2_000


def assign(vectors: np.ndarray, *, seed: int) -> np.ndarray:
    """int32 cluster numbers of rows of unit vectors, 0 for the largest cluster, without gaps. Fewer than four rows are one cluster."""
    import numpy as np

    count = len(vectors)
    if count <= _SMALLEST_SIZE:
        return np.zeros(count, dtype=np.int32)
    wanted = min(max(2, round(count**0.5 / 2)), MAX_CLUSTERS)
    middles = _merged(_k_means(vectors, wanted, seed))
    nearest = _nearest(vectors, middles)
    smallest = max(_SMALLEST_SIZE, round(_SMALLEST_SHARE * count / len(middles)))
    while len(middles) > 1:
        sizes = np.bincount(nearest, minlength=len(middles))
        if sizes.min() >= smallest:
            break
        middles = np.delete(middles, sizes.argmin(), axis=0)  # one at a time: its rows may make another one large enough
        nearest = _nearest(vectors, middles)
    return _by_size(nearest)


def _k_means(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    import faiss
    import numpy as np

    search = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=20,
        nredo=5,
        spherical=True,
        seed=seed + 1,
        min_points_per_centroid=1,
        max_points_per_centroid=_TRAINING_ROWS_PER_CLUSTER,
    )
    search.train(vectors)
    return np.asarray(search.centroids)


def _merged(middles: np.ndarray) -> np.ndarray:
    """The middles that are left when each one too close to an earlier one is left out."""
    import numpy as np

    middles = middles[np.linalg.norm(middles, axis=1) > 0]  # of a cluster that lost all its rows
    kept: list[int] = []
    for number, middle in enumerate(middles):
        if not kept or (middles[kept] @ middle).max() < _SAME_DIRECTION:
            kept.append(number)
    return middles[kept]


def _nearest(vectors: np.ndarray, middles: np.ndarray) -> np.ndarray:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(middles)
    return index.search(vectors, 1)[1][:, 0]


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Labels numbered from the largest cluster down; of two of one size, the one whose first row comes first."""
    import numpy as np

    _, first, compact, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int32)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes), dtype=np.int32)
    return rank[compact]
