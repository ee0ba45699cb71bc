"""Groups: the rows that pairs connect, directly or through others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def components(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """int64, one per row: the smallest row number in the same group. A row in no pair is a group of its own."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if n == 0:
        return np.zeros(0, dtype=np.int64)
    edges = coo_array((np.ones(len(left), dtype=np.int8), (np.asarray(left), np.asarray(right))), shape=(n, n))
    count, label = connected_components(edges, directed=False)
    smallest = np.full(count, n, dtype=np.int64)
    np.minimum.at(smallest, label, np.arange(n, dtype=np.int64))
    return smallest[label]
