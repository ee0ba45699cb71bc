"""Layout: where each row lies on the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LANDMARKS = 3_000
"""Rows that t-SNE arranges; the others are put around the landmark they are most similar to. Nine seconds of one processor; measured on
13,000 rows of banking77, ten neighbours on the map have the same intent in 70 % of cases (PaCMAP: 70 %, in the vectors: 78 %)."""
_FEWEST_FOR_TSNE = 16
_GOLDEN_ANGLE = 2.399963
_BLOCK_ROWS = 20_000


def lay_out(vectors: np.ndarray, *, seed: int, emit: Callable[..., None] = lambda **_: None) -> np.ndarray:
    """float32 x and y of each row, centred, between -1 and 1 and finite. Rows with the same vector lie around one point, not on it."""
    import numpy as np

    count = len(vectors)
    if count == 0:
        return np.zeros((0, 2), dtype=np.float32)
    chosen = np.sort(np.random.Generator(np.random.PCG64(seed)).permutation(count)[:LANDMARKS])
    _, first = np.unique(vectors[chosen], axis=0, return_index=True)
    landmarks = chosen[np.sort(first)]
    places = _arrange(vectors[landmarks], seed)
    emit(fraction=0.8, message="Placing the other rows")
    owner, similarity = _nearest_landmarks(vectors, vectors[landmarks], emit)
    owner[landmarks], similarity[landmarks] = np.arange(len(landmarks)), np.inf
    return _scaled(_surround(places, owner, similarity))


def _arrange(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Places of different vectors: t-SNE from the plane of greatest spread; for a handful of rows that plane itself."""
    import numpy as np
    from sklearn.decomposition import PCA

    count, width = vectors.shape
    if count < 3 or width < 2:
        return np.column_stack([np.arange(count, dtype=np.float64), np.zeros(count)])
    flat = PCA(min(50, count - 1, width), svd_solver="full").fit_transform(vectors.astype(np.float64))
    if count < _FEWEST_FOR_TSNE or flat.shape[1] < 2:
        return np.pad(flat, ((0, 0), (0, 1)))[:, :2]
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums of several threads are rounded in any order, and five hundred steps make that visible
        search = TSNE(2, perplexity=min(15.0, (count - 1) / 3), init="pca", max_iter=500, random_state=seed, n_jobs=1)
        return search.fit_transform(flat.astype(np.float32)).astype(np.float64)


def _nearest_landmarks(vectors: np.ndarray, landmarks: np.ndarray, emit: Callable[..., None]) -> tuple[np.ndarray, np.ndarray]:
    import faiss
    import numpy as np

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(landmarks))
    owner, similarity = np.empty(len(vectors), dtype=np.int64), np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        found_similarity, found = index.search(vectors[block], 1)
        owner[block], similarity[block] = found[:, 0], found_similarity[:, 0]
        emit(fraction=0.8 + 0.2 * min(1.0, block.stop / len(vectors)), message="Placing the other rows")
    return owner, similarity


def _surround(places: np.ndarray, owner: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Each row beside its landmark, like the seeds of a sunflower: the most similar one in the middle."""
    import numpy as np

    order = np.lexsort((-similarity, owner))
    counts = np.bincount(owner, minlength=len(places))
    starts = np.cumsum(counts) - counts
    seed_number = np.empty(len(owner), dtype=np.float64)
    seed_number[order] = np.arange(len(owner)) - np.repeat(starts, counts)
    radius = 0.5 * _room(places)[owner] * np.sqrt(seed_number / counts[owner])
    angle = seed_number * _GOLDEN_ANGLE
    return places[owner] + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


def _room(places: np.ndarray) -> np.ndarray:
    """Distance of each landmark to its nearest ones."""
    import numpy as np
    from scipy.spatial import cKDTree

    if len(places) == 1:
        return np.ones(1)
    distance, _ = cKDTree(places).query(places, k=min(4, len(places)))
    return distance[:, 1:].mean(axis=1)


def _scaled(places: np.ndarray) -> np.ndarray:
    import numpy as np

    places = places - (places.max(axis=0) + places.min(axis=0)) / 2
    return (places / (np.abs(places).max() or 1.0)).astype(np.float32)
