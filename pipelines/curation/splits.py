"""Split: which of train, validation and test each record belongs to. Groups of records that tell of each other are split, never rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SPLITS = ("train", "validation", "test")
GIANT_SHARE = 0.1
"""A group above this share of all rows is reported: it cannot be divided, so it decides how near the ratios can be met."""
FEW_GROUPS = 10
"""From this many groups on, every split that was asked for gets at least one."""

_Pairs = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One entry per record, in the order the records were given."""

    group: np.ndarray
    """int64: the smallest index of the records that must stay together."""
    split: np.ndarray
    """int8: index into SPLITS."""
    warnings: tuple[str, ...]
    """Sentences for people: groups too large to divide, splits that stayed empty."""


def first_equal(values: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """int64 per value: the index of the first equal one, -1 for null and for an empty text."""
    encoded = (values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    empty = pc.index(encoded.dictionary, pa.scalar("", encoded.dictionary.type)).as_py() if len(encoded.dictionary) else -1
    first = np.full(len(encoded.dictionary), len(codes), np.int64)
    known = np.flatnonzero(codes >= 0)
    np.minimum.at(first, codes[known], known)
    missing = codes < 0
    if empty >= 0:
        missing |= codes == empty
    found = np.where(missing, 0, codes)
    return np.where(missing, -1, first[found] if len(first) else -1)


def leak_groups(rows: int, *, pairs: Sequence[_Pairs] = (), keys: Sequence[np.ndarray] = ()) -> np.ndarray:
    """int64 per record: the smallest index of the records it is tied to, directly or through others.

    `pairs` are edges between record indices. Each of `keys` holds, per record, the index of the first record with the same value,
    or -1 where the record has none.
    """
    from pipelines.duplicates.groups import components

    lefts = [np.asarray(left, np.int64) for left, _ in pairs]
    rights = [np.asarray(right, np.int64) for _, right in pairs]
    for first in keys:
        tied = np.flatnonzero((first >= 0) & (first != np.arange(rows)))
        lefts.append(first[tied])
        rights.append(tied)
    nothing = [np.empty(0, np.int64)]
    return np.asarray(components(rows, np.concatenate(lefts or nothing), np.concatenate(rights or nothing)), np.int64)


def assign_splits(
    ids: Sequence[str] | pa.ChunkedArray,
    group: np.ndarray,
    *,
    cluster: np.ndarray | None = None,
    ratios: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> Assignment:
    """Whole groups shared out among train, validation and test, in sizes as near to `ratios` as the groups allow.

    Groups are placed from the largest size to the smallest, so that the small ones even out what the large ones left over. Among
    groups of one size, each cluster gets its own quota of every split, so that each split looks like the whole (a group counts for the
    cluster most of its rows are in); within a quota a number drawn from `seed` and the record ids decides. That number does not
    depend on the other records: when rows are added or dropped, most records stay in the split they were in. The order of the records
    changes nothing as long as `group` ties the same ones.
    """
    rows = len(group)
    if rows == 0:
        return Assignment(np.empty(0, np.int64), np.empty(0, np.int8), ())
    _, member = np.unique(group, return_inverse=True)
    size = np.bincount(member)
    draw = np.full(len(size), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(draw, member, _draws(ids, seed))
    stratum = _home_cluster(member, cluster)
    chosen = _place(size, stratum, draw, np.asarray(ratios, float))
    warnings = _fill_empty(chosen, size, draw, ratios)
    warnings += _giants(size, rows)
    return Assignment(np.asarray(group, np.int64), chosen[member], tuple(warnings))


def _draws(ids: Sequence[str] | pa.ChunkedArray, seed: int) -> np.ndarray:
    """uint64 per id, evenly spread and different for each seed (the finaliser of splitmix64)."""
    texts = ids.to_numpy() if isinstance(ids, pa.ChunkedArray) else np.asarray(ids, object)
    words = np.asarray([int(id[:16], 16) for id in texts], np.uint64)
    with np.errstate(over="ignore"):
        return _mixed(words ^ _mixed(np.array([seed % 2**64], np.uint64)))


def _mixed(words: np.ndarray) -> np.ndarray:
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _home_cluster(member: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    """Per group, the position of the cluster with most of its rows; of equals, the lowest."""
    groups = int(member.max()) + 1
    if cluster is None:
        return np.zeros(groups, np.int64)
    _, of_row = np.unique(cluster, return_inverse=True)
    clusters = int(of_row.max()) + 1
    cells, counts = np.unique(member.astype(np.int64) * clusters + of_row, return_counts=True)
    order = np.lexsort((cells % clusters, -counts, cells // clusters))
    owner = cells[order] // clusters
    first = np.r_[True, owner[1:] != owner[:-1]]
    return (cells[order] % clusters)[first]


def _place(size: np.ndarray, stratum: np.ndarray, draw: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """int8 per group: its split."""
    strata = int(stratum.max()) + 1
    wanted = np.outer(np.bincount(stratum, size, strata), ratios)
    placed = np.zeros((strata, 3))
    chosen = np.zeros(len(size), np.int8)
    order = np.lexsort((draw, stratum, -size))
    starts = np.flatnonzero(np.r_[True, np.diff(size[order]) != 0])
    for members in np.split(order, starts[1:]):
        rows_each = int(size[members[0]])
        here, groups = np.unique(stratum[members], return_counts=True)
        shares = _shares(wanted - placed, here, groups, ratios)
        quotas = _whole_quotas(shares * groups[:, None])
        # Lowest numbers go to test, the next to validation: a group's own number decides, not how many others there are.
        for at, quota in zip(np.split(members, np.cumsum(groups)[:-1]), quotas, strict=True):
            chosen[at] = np.repeat(np.array([2, 1, 0], np.int8), quota[::-1])
        placed[here] += quotas * rows_each
    return chosen


def _shares(missing: np.ndarray, here: np.ndarray, groups: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Per cluster, the shares of the splits in what is placed now: what its splits miss, scaled so that all clusters together fit."""
    columns = np.clip(missing.sum(axis=0), 0, None)
    columns = columns / columns.sum() if columns.sum() > 0 else ratios
    cells = np.clip(missing[here], 0, None) + 1e-9 * ratios
    target = columns * groups.sum()
    for _ in range(30):  # iterative proportional fitting: rows are the clusters' groups, columns the splits' needs
        cells *= (groups / cells.sum(axis=1))[:, None]
        sums = cells.sum(axis=0)
        cells *= np.divide(target, sums, out=np.zeros(3), where=sums > 0)
        cells += 1e-12 * ratios
    return cells / cells.sum(axis=1)[:, None]


def _whole_quotas(wanted: np.ndarray) -> np.ndarray:
    """Whole numbers with the same row sums; what rounding takes from one row is given back in the next, so columns stay near too."""
    quotas = np.zeros(wanted.shape, np.int64)
    owed = np.zeros(3)
    for i, row in enumerate(wanted):
        owed += row
        total = round(row.sum())
        quota = np.clip(np.floor(owed + 1e-6), 0, None).astype(np.int64)
        while quota.sum() > total:
            quota[np.argmin(np.where(quota > 0, owed - quota, np.inf))] -= 1
        while quota.sum() < total:
            quota[np.argmax(owed - quota)] += 1
        quotas[i] = quota
        owed -= quota
    return quotas


def _fill_empty(chosen: np.ndarray, size: np.ndarray, draw: np.ndarray, ratios: tuple[float, float, float]) -> list[str]:
    """Gives an empty split the smallest group of the one with most groups, or says why it stays empty."""
    warnings = []
    for split in (2, 1, 0):
        if ratios[split] <= 0 or (chosen == split).any():
            continue
        if len(size) < FEW_GROUPS and split != 0:
            warnings.append(
                f"The {SPLITS[split]} split is empty: the rows form only {len(size)} groups that must stay together. "
                "Add rows of other kinds, or give this split a larger share."
            )
            continue
        giver = np.bincount(chosen, minlength=3).argmax()
        candidates = np.flatnonzero(chosen == giver)
        chosen[candidates[np.lexsort((draw[candidates], size[candidates]))[0]]] = split
    return warnings


def _giants(size: np.ndarray, rows: int) -> list[str]:
    return [
        f"{count:,} of {rows:,} rows ({count / rows:.0%}) are tied to each other and stay in one split: same or nearly the same text, "
        'same prompt, or same source. If they are copies, drop them: the Report has them under "Near duplicates" and "Exact duplicates".'
        for count in sorted(size[size > GIANT_SHARE * rows].tolist(), reverse=True)
        if count > 1
    ]
