"""Repetition: an answer that says the same words again and again."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import turns_of
from pipelines.checks._utf8 import utf8

_STRETCH, _TIMES, _TAIL = 6, 3, 60


@check(title="Answers that repeat themselves", unit="share of the words", group="text", flag_above=0.55)
def repetition(batch: Batch) -> Measurements:
    """Share of an answer's words that stand in stretches of six words found three times or more in it.

    The model would learn to go round in circles. Shorten the answer, or drop the row. Of a long answer the last 60 words count alone
    if their share is higher, because a model caught in a loop does not leave it. The answer with the highest share stands for the
    row. Lists, code and refrains stay below 0.5.
    """
    import numpy as np

    from pipelines.features.kernels import repeated_words

    turns = turns_of(batch, ["assistant"])
    text = utf8(turns.column("content"))
    shares, first, last = np.empty(len(turns)), np.empty(len(turns), np.int64), np.empty(len(turns), np.int64)
    repeated_words(text.letters, text.starts, text.stops, _STRETCH, _TIMES, _TAIL, shares, first, last)
    record, turn, content = turns.column("record").to_numpy(), turns.column("turn").to_numpy(), turns.column("content")
    values = [0.0] * len(batch)
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    for i in np.flatnonzero(shares).tolist():
        owner = int(record[i])
        if shares[i] > values[owner]:
            values[owner] = float(shares[i])
            span = _in_characters(content[i].as_py(), int(first[i]), int(last[i]))
            evidence[owner] = (Evidence(int(turn[i]), *span, note="the same words again and again"),)
    return Measurements(values, evidence)


def _in_characters(content: str, start: int, end: int) -> tuple[int, int]:
    encoded = content.encode("utf-8")
    return len(encoded[:start].decode("utf-8")), len(encoded[:end].decode("utf-8"))
