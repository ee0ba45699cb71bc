"""Near duplicates: pairs of rows that share most of their runs of three words.

Candidates come from sketches (locality-sensitive hashing), so a pair far below the threshold costs nothing; every candidate is then
compared in full, so no pair is listed that is not similar. Texts without a word are in no pair; a text shorter than three words is
similar only to its equals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.duplicates.canonical import TextRows
from pipelines.executor import Executor, Threads

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipelines.duplicates.kernels import Sketches

MAX_NEIGHBOURS = 64
"""Most later rows of one bucket that a row is compared with. Larger buckets are templates: each row meets its neighbours, not all."""
FEWEST_NEIGHBOURS = 8
"""So few in sets of millions of rows, where a template shared by all would otherwise give more pairs than memory holds."""
_CODES_PER_BAND = 16 << 20
_SKETCH_BYTES = 4 << 20
_VERIFY_SHINGLES = 2 << 20
_MERGE_CODES = 16 << 20


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Similar rows, and what was not compared."""

    pairs: pa.Table
    """`left` < `right` (row numbers) and their `similarity`, sorted. Rows with the same words are paired with the first of them only
    (similarity 1), and only that first row is paired with others: components of the pairs are the same at every threshold."""
    candidates: int
    """Pairs that were compared in full."""
    capped_buckets: int
    """Buckets of too many rows (see MAX_NEIGHBOURS), in which not every pair was compared."""
    capped_rows: int
    """Rows that stand in such a bucket."""


def near_pairs(
    texts: pa.ChunkedArray | pa.Array,
    *,
    min_similarity: float = 0.5,
    bands: int = 32,
    rows: int = 4,
    seed: int = 0,
    executor: Executor | None = None,
    emit: Callable[..., None] = lambda **_: None,
) -> NearPairs:
    """Pairs of texts whose sets of three-word runs have a Jaccard similarity of `min_similarity` or more.

    Every listed similarity is exact (words are compared by 64-bit hash). A pair of similarity s is found with probability
    1 - (1 - s^rows)^bands: 0.99 at 0.6, 0.9999999 at 0.8. The result depends on texts, parameters and seed only, not on threads or
    on how the column is cut into chunks.
    """
    import numpy as np

    if not 0 < min_similarity <= 1:
        raise ValueError(f"min_similarity is {min_similarity}; it must be above 0 and at most 1")
    texts_by_row = TextRows(texts)
    executor = executor or Threads()
    sketches = _sketch_all(texts_by_row, bands, rows, seed, executor, emit)
    first = _first_with_the_same_words(sketches)
    active = np.flatnonzero((first == np.arange(len(first))) & (sketches.sizes > 0))
    left, right, capped_buckets, capped_rows = _candidates(sketches.keys, active, executor, emit)
    similarity = _compare(texts_by_row, sketches.sizes, left, right, executor, emit)
    similar = similarity >= min_similarity
    copies = np.flatnonzero((first != np.arange(len(first))) & (sketches.sizes > 0))
    pairs = _pair_table(
        np.concatenate([left[similar], first[copies]]),
        np.concatenate([right[similar], copies]),
        np.concatenate([similarity[similar], np.ones(len(copies))]),
    )
    emit(fraction=1.0, message=f"Found {pairs.num_rows:,} pairs of similar rows", capped_rows=capped_rows)
    return NearPairs(pairs, candidates=len(left), capped_buckets=capped_buckets, capped_rows=capped_rows)


def _sketch_all(texts: TextRows, bands: int, rows: int, seed: int, executor: Executor, emit: Callable[..., None]) -> Sketches:
    import numpy as np

    from pipelines.duplicates import kernels
    from pipelines.duplicates.characters import alphabet

    count = len(texts)
    sketches = kernels.Sketches(np.empty((bands, count), np.uint32), np.empty(count, np.uint64), np.empty(count, np.int64))

    def sketch_block(block: np.ndarray) -> int:
        for piece in texts.pieces(block):
            kernels.sketch_rows(piece, alphabet(), rows, seed, sketches)
        return len(block)

    emit(fraction=0.0, message="Reading words")
    done = 0
    for finished in executor.map(sketch_block, texts.blocks(_SKETCH_BYTES)):
        done += finished
        emit(fraction=0.6 * done / count, message=f"Read the words of {done:,} rows")
    return sketches


def _first_with_the_same_words(sketches: Sketches) -> np.ndarray:
    from pipelines.duplicates.exact import first_equal

    return first_equal(sketches.contents[:, None])


def _candidates(
    keys: np.ndarray, active: np.ndarray, executor: Executor, emit: Callable[..., None]
) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Row numbers left < right of the different pairs that share a bucket in any band, and how many buckets and rows were capped."""
    import numpy as np

    count = len(active)
    capped = np.zeros(count, dtype=bool)
    capped_buckets = 0
    codes = np.zeros(0, dtype=np.int64)
    waiting: list[np.ndarray] = []
    bands = executor.map(lambda line: _band_candidates(keys[line, active]), range(len(keys)))
    for bands_done, band in enumerate(bands, start=1):
        waiting.append(band.codes)
        capped[band.capped] = True
        capped_buckets += band.capped_buckets
        if sum(map(len, waiting)) > _MERGE_CODES or bands_done == len(keys):
            codes = np.unique(np.concatenate([codes, *waiting]))
            waiting = []
        emit(fraction=0.6 + 0.15 * bands_done / len(keys), message=f"Sorted {bands_done} of {len(keys)} sketches")
    if count == 0:
        return codes, codes, 0, 0
    return active[codes // count], active[codes % count], capped_buckets, int(capped.sum())


@dataclass(frozen=True, slots=True)
class _Band:
    codes: np.ndarray
    """smaller position x number of positions + larger position."""
    capped: np.ndarray
    capped_buckets: int


def _band_candidates(key: np.ndarray) -> _Band:
    import numpy as np

    count = len(key)
    # Key and position in one number: one plain sort groups the buckets and keeps rows in order, faster than an argsort.
    packed = (key.astype(np.uint64) << np.uint64(32)) | np.arange(count, dtype=np.uint64)
    packed.sort()
    bucket = (packed >> np.uint64(32)).astype(np.uint32)
    position = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    found = []
    here = np.flatnonzero(bucket[1:] == bucket[:-1])
    for distance in range(1, max(FEWEST_NEIGHBOURS, min(MAX_NEIGHBOURS, _CODES_PER_BAND // max(count, 1))) + 1):
        if len(here) == 0:
            break
        found.append(position[here] * count + position[here + distance])
        here = here[here + distance + 1 < count]
        here = here[bucket[here] == bucket[here + distance + 1]]
    codes = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    too_large = np.unique(bucket[here])  # what is left has a neighbour further away than the last distance
    capped = position[np.isin(bucket, too_large)] if len(too_large) else np.zeros(0, dtype=np.int64)
    return _Band(codes, capped, len(too_large))


def _compare(
    texts: TextRows, sizes: np.ndarray, left: np.ndarray, right: np.ndarray, executor: Executor, emit: Callable[..., None]
) -> np.ndarray:
    """Exact similarity of each pair, in order."""
    import numpy as np

    similarity = np.empty(len(left), dtype=np.float64)

    def compare_block(block: np.ndarray) -> int:
        similarity[block] = _similarities(texts, sizes, left[block], right[block])
        return len(block)

    done = 0
    for finished in executor.map(compare_block, _comparison_blocks(len(texts), sizes, left, right)):
        done += finished
        emit(fraction=0.75 + 0.25 * done / len(left), message=f"Compared {done:,} of {len(left):,} pairs word for word")
    return similarity


def _comparison_blocks(count: int, sizes: np.ndarray, left: np.ndarray, right: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of pairs in blocks of bounded size; pairs that share rows stand together, so that each text is read about once."""
    import numpy as np

    from pipelines.duplicates.groups import components

    if len(left) == 0:
        return
    order = np.lexsort((right, left, components(count, left, right)[left]))
    cost = np.cumsum(sizes[left[order]] + sizes[right[order]])
    block = cost // _VERIFY_SHINGLES
    yield from np.split(order, np.flatnonzero(np.diff(block)) + 1)


def _similarities(texts: TextRows, sizes: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    import numpy as np

    from pipelines.duplicates import kernels
    from pipelines.duplicates.characters import alphabet

    used, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[used])])
    shingles = np.empty(offsets[-1], dtype=np.uint64)
    counts = np.empty(len(used), dtype=np.int64)
    for piece in texts.pieces(used):
        piece = piece._replace(rows=np.searchsorted(used, piece.rows))
        kernels.distinct_shingles(piece, alphabet(), offsets, shingles, counts)
    similarity = np.empty(len(left), dtype=np.float64)
    kernels.similarities(shingles, offsets, counts, places[: len(left)], places[len(left) :], similarity)
    return similarity


def _pair_table(left: np.ndarray, right: np.ndarray, similarity: np.ndarray) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    order = np.lexsort((right, left))
    columns = {"left": pa.array(left[order], pa.int64()), "right": pa.array(right[order], pa.int64())}
    return pa.table(columns | {"similarity": pa.array(similarity[order], pa.float64())})
