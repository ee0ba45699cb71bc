"""Exact duplicates: rows whose canonical texts are equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipelines.duplicates.canonical import Piece

_BLOCK_BYTES = 4 << 20


def exact_groups(texts: pa.ChunkedArray | pa.Array, *, emit: Callable[..., None] = lambda **_: None) -> np.ndarray:
    """int64, one per text: the index of the first text with the same canonical form. A missing text counts as an empty one.

    Texts are compared by 128-bit hash, so nothing as long as the texts is held in memory.
    """
    return first_equal(text_digests(texts, emit=emit))


def text_digests(texts: pa.ChunkedArray | pa.Array, *, emit: Callable[..., None] = lambda **_: None) -> np.ndarray:
    """uint64, two numbers per text: the 128-bit xxh3 hash of its canonical form."""
    import numpy as np

    from pipelines.duplicates.canonical import TextRows
    from pipelines.executor import Threads

    rows = TextRows(texts)
    digests = np.zeros((len(rows), 2), dtype=np.uint64)

    def hash_block(block: np.ndarray) -> int:
        for piece in rows.pieces(block):
            digests[piece.rows] = _digests(piece)
        return len(block)

    done = 0
    for count in Threads().map(hash_block, rows.blocks(_BLOCK_BYTES)):
        done += count
        emit(fraction=done / len(rows), message=f"Compared {done:,} rows for exact copies")
    return digests


def first_equal(codes: np.ndarray) -> np.ndarray:
    """int64, one per row: the index of the first row with the same numbers (one column per number of the code)."""
    import numpy as np

    if len(codes) == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort(codes.T)  # stable: equal rows stay in their order
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    lengths = np.diff(np.r_[starts, len(codes)])
    first = np.empty(len(codes), dtype=np.int64)
    first[order] = np.repeat(order[starts], lengths)
    return first


def _digests(piece: Piece) -> np.ndarray:
    import numpy as np
    import xxhash

    buffer, starts, stops = piece.buffer, piece.starts, piece.stops
    if piece.is_ascii:
        from pipelines.duplicates import kernels

        base = starts[0]
        starts = starts - base
        collapsed = np.empty(int(stops[-1] - base), dtype=np.uint8)
        ends = np.empty(len(starts), dtype=np.int64)
        kernels.collapse(buffer[base : stops[-1]], starts, stops - base, collapsed, ends)
        buffer, stops = collapsed, ends
    view = buffer.data
    joined = b"".join([xxhash.xxh3_128_digest(view[a:b]) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)])
    return np.frombuffer(joined, dtype=np.uint64).reshape(-1, 2)
