"""Containment: which texts of a small set stand, whole or nearly, in each of many other texts.

A text is its set of runs of three words, as in the search for near duplicates. Its containment in another text is the share of its runs
that the other holds too (Broder 1997), so a short text is found inside a long one, which their similarity would not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.duplicates.canonical import TextRows

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FEWEST_RUNS = 5
"""A text of fewer own runs, under eight words or so, is said too often to tell where it is from."""
_SHARED_BY = 0.02
_FEWEST_SHARING = 20
"""A run that so many of the texts hold is their template, and tells none of them."""


@dataclass(frozen=True, slots=True)
class Contained:
    """Per searched text: the text of the set that is contained most."""

    share: np.ndarray
    """float64: share of its runs that are there, 0 where nothing of any is."""
    which: np.ndarray
    """int64: its number in the set; -1 where nothing of any is there."""


class TextSet:
    """Texts that others are searched for. The same texts give the same answers, whatever else is searched."""

    def __init__(self, texts: pa.ChunkedArray | pa.Array) -> None:
        import numpy as np

        runs, owners = _runs(texts)
        self.count = len(texts)
        keys, holders = np.unique(runs, return_counts=True)
        common = keys[holders > max(_FEWEST_SHARING, _SHARED_BY * self.count)]
        own = ~np.isin(runs, common)
        runs, owners = runs[own], owners[own]
        self.sizes = np.bincount(owners, minlength=self.count)
        told = self.sizes[owners] >= FEWEST_RUNS
        order = np.argsort(runs[told], kind="stable")
        self._runs, self._owners = runs[told][order], owners[told][order]

    @property
    def searchable(self) -> int:
        """How many of the texts are long enough, beside what they share, to be told."""
        return int((self.sizes >= FEWEST_RUNS).sum())

    def contained_in(self, texts: pa.ChunkedArray | pa.Array) -> Contained:
        """For each text, the one of the set that it holds most of; of several, the first."""
        import numpy as np

        share, which = np.zeros(len(texts)), np.full(len(texts), -1, np.int64)
        runs, rows = _runs(texts)
        low, high = np.searchsorted(self._runs, runs, "left"), np.searchsorted(self._runs, runs, "right")
        held = high > low
        lengths = (high - low)[held]
        if not len(lengths):
            return Contained(share, which)
        starts = np.repeat(low[held] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        pairs, shared = np.unique(
            np.repeat(rows[held], lengths) * self.count + self._owners[starts + np.arange(lengths.sum())], return_counts=True
        )
        row, owner = pairs // self.count, pairs % self.count
        shares = shared / self.sizes[owner]
        order = np.lexsort((owner, -shares, row))
        best = order[np.concatenate([[True], row[order][1:] != row[order][:-1]])]
        share[row[best]], which[row[best]] = shares[best], owner[best]
        return Contained(share, which)


def _runs(texts: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The different runs of three words of each text, as 64-bit hashes, and the number of the text."""
    import numpy as np

    from pipelines.duplicates import kernels
    from pipelines.duplicates.characters import alphabet

    found: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    for piece in TextRows(texts).pieces(np.arange(len(texts), dtype=np.int64)):
        room = np.maximum(piece.stops - piece.starts, 1)  # no word is shorter than a byte
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(room)])
        shingles, counts = np.empty(offsets[-1], np.uint64), np.zeros(len(piece.rows), np.int64)
        local = piece._replace(rows=np.arange(len(piece.rows), dtype=np.int64))
        kernels.distinct_shingles(local, alphabet(), offsets, shingles, counts)
        kept = np.arange(offsets[-1]) - np.repeat(offsets[:-1], room) < np.repeat(counts, room)
        found.append(shingles[kept])
        owners.append(np.repeat(piece.rows, counts))
    nothing = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    return (np.concatenate(found), np.concatenate(owners)) if found else nothing
