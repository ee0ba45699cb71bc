"""Clusters: rows about the same thing, with a name a person can read, and a map on which they lie together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def build_map(
    texts: Sequence[str] | pa.ChunkedArray | pa.Array,
    vectors: np.ndarray,
    ids: Sequence[str] | pa.ChunkedArray | pa.Array,
    *,
    seed: int = 0,
    emit: Callable[..., None] = lambda **_: None,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """A table (id, cluster int32, x and y float32 between -1 and 1), one line per row in order, and the clusters.

    Each cluster is {"cluster": number, "name": text, "size": rows}; number 0 is the largest. Names are never empty and never the same.
    The same rows in the same order with the same seed give the same map.
    """
    import numpy as np
    import pyarrow as pa

    from pipelines.clusters.assignment import assign
    from pipelines.clusters.layout import lay_out
    from pipelines.clusters.names import name_clusters

    emit(fraction=0.0, message="Grouping rows by meaning")
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    cluster = assign(vectors, seed=seed)
    emit(fraction=0.2, message="Naming the groups")
    column = texts if isinstance(texts, pa.ChunkedArray | pa.Array) else pa.array(texts, pa.large_string())
    names = name_clusters(column, cluster, seed=seed)
    emit(fraction=0.35, message="Drawing the map")
    places = lay_out(vectors, seed=seed, emit=lambda fraction, **event: emit(fraction=0.35 + 0.65 * fraction, **event))
    table = pa.table(
        {
            "id": ids if isinstance(ids, pa.ChunkedArray | pa.Array) else pa.array(ids, pa.string()),
            "cluster": pa.array(cluster, pa.int32()),
            "x": pa.array(places[:, 0], pa.float32()),
            "y": pa.array(places[:, 1], pa.float32()),
        }
    )
    sizes = np.bincount(cluster, minlength=len(names))
    return table, [{"cluster": number, "name": name, "size": int(sizes[number])} for number, name in enumerate(names)]
