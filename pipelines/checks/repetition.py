"""Repetition: an answer that says the same words again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._words import Words, portions, stretch_hashes, words

if TYPE_CHECKING:
    import numpy as np

_STRETCH, _TIMES, _TAIL = 6, 3, 60


@check(title="Answers that repeat themselves", unit="share of the words", group="text", flag_above=0.55)
def repetition(batch: Batch) -> Measurements:
    """Share of an answer's words that stand in stretches of six words found three times or more in it.

    The model would learn to go round in circles. Shorten the answer, or drop the row. Of a long answer the last 60 words count alone
    if their share is higher, because a model caught in a loop does not leave it. The answer with the highest share stands for the
    row. Lists, code and refrains stay below 0.5.
    """
    import numpy as np
    import pyarrow.compute as pc

    turns = batch.turns.filter(pc.equal(batch.turns.column("role"), "assistant")).select(["record", "turn", "content"])
    record, turn = turns.column("record").to_numpy(), turns.column("turn").to_numpy()
    values = np.zeros(len(batch))
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    for first, texts in portions(turns.column("content")):
        of = words(texts)
        said_again = _said_again(of)
        share = _share(of, said_again, len(texts))
        for i in np.flatnonzero(share).tolist():
            owner = int(record[first + i])
            if share[i] > values[owner]:
                values[owner] = share[i]
                span = _longest_span(of, said_again, i, texts[i].as_py())
                evidence[owner] = (Evidence(int(turn[first + i]), *span, note="the same words again and again"),)
    return Measurements(values.tolist(), evidence)


def _said_again(of: Words) -> np.ndarray:
    """Whether each word stands in a stretch that its text holds three times or more."""
    import numpy as np

    stretches = stretch_hashes(of, _STRETCH)
    ordered = np.sort(stretches)
    frequent = np.unique(ordered[_TIMES - 1 :][ordered[_TIMES - 1 :] == ordered[: 1 - _TIMES]])
    frequent = frequent[frequent != 0]
    if not len(frequent):
        return np.zeros(len(stretches), bool)
    until = np.cumsum(np.r_[0, of.is_number])
    ends = np.minimum(np.arange(len(stretches)) + _STRETCH, len(stretches))
    numbers = until[ends] - until[:-1]  # how many of the six words are digits only
    place = np.minimum(np.searchsorted(frequent, stretches), len(frequent) - 1)
    starts = np.flatnonzero((frequent[place] == stretches) & (numbers <= _STRETCH / 2))
    edges = np.zeros(len(stretches) + _STRETCH + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + _STRETCH, -1)
    return np.cumsum(edges)[: len(stretches)] > 0


def _share(of: Words, said_again: np.ndarray, texts: int) -> np.ndarray:
    import numpy as np

    count = np.bincount(of.text, minlength=texts)
    in_tail = np.cumsum(count)[of.text] - np.arange(len(of.text)) <= _TAIL
    whole = np.bincount(of.text, weights=said_again, minlength=texts) / np.maximum(count, 1)
    tail = np.bincount(of.text, weights=said_again & in_tail, minlength=texts) / np.clip(count, 1, _TAIL)
    return np.maximum(whole, tail)


def _longest_span(of: Words, said_again: np.ndarray, text: int, content: str) -> tuple[int, int]:
    """The longest run of repeated words, in characters."""
    runs: Iterator[tuple[int, int]] = _runs(of, said_again, text)
    start, end = max(runs, key=lambda run: run[1] - run[0])
    encoded = content.encode("utf-8")
    return len(encoded[:start].decode("utf-8")), len(encoded[:end].decode("utf-8"))


def _runs(of: Words, said_again: np.ndarray, text: int) -> Iterator[tuple[int, int]]:
    import numpy as np

    first, last = np.searchsorted(of.text, [text, text + 1])
    flags = np.r_[False, said_again[first:last], False]
    edges = np.flatnonzero(flags[1:] != flags[:-1])
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield int(of.start[first + begin]), int(of.end[first + end - 1])
