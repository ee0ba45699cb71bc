"""Batch: rows that go through the model together. Rows of like length share one, so that little is padded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

POOL = 16
"""How many batches' worth of randomly drawn rows are sorted by length together. More saves padding but mixes rows less."""


def epoch_order(lengths: Sequence[int], batch_size: int, *, seed: int, epoch: int) -> list[int]:
    """The rows of one epoch in training order: each run of `batch_size` is a batch.

    Depends on its arguments alone, so that a resumed run meets the same batches. They come in random order; only the last may be smaller.
    """
    draw = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    draw.shuffle(order)
    remainder = len(order) % batch_size
    last, full = order[:remainder], order[remainder:]
    batches = []
    for start in range(0, len(full), POOL * batch_size):
        pool = sorted(full[start : start + POOL * batch_size], key=lambda row: lengths[row])
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    draw.shuffle(batches)
    return [row for batch in batches for row in batch] + last


def padded_tokens(lengths: Sequence[int], order: Sequence[int], batch_size: int) -> list[int]:
    """What each batch costs: its longest row times its rows."""
    batches = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
    return [max(lengths[row] for row in batch) * len(batch) for batch in batches]


class EpochSampler:
    """A sampler for torch's DataLoader over `epoch_order`. accelerate and Trainer call `set_epoch`."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(epoch_order(self.lengths, self.batch_size, seed=self.seed, epoch=self.epoch))
