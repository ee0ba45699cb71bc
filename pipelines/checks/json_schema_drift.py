"""JSON schema drift: an answer whose fields differ from those of the other answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._json_schema import Deviation, learn_schema
from pipelines.checks._json_text import ATTEMPT, read_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_FEWEST_RECORDS = 20
_MOST = 0.6


@check(title="Answers that differ from the usual JSON", unit="differences", group="format", flag_above=0, scope="set", version=2)
def json_schema_drift(features: SetFeatures) -> Measurements:
    """Number of fields of a JSON answer that are missing, unknown, of another type than usual, or hold an unusual label.

    A program that reads the model's answers will stumble over them. Correct the field, or drop the row. A field is usual when 80 % of
    the answers have it, a type when 5 % of the values have it, a label when three have it; an answer in prose counts 1. Not measured
    for broken JSON, which has its own issue type, and in sets where fewer than 20 answers, or less than 60 %, are JSON objects.
    """
    import numpy as np
    import pyarrow.compute as pc

    answers = features.column("answer")
    attempts = np.asarray(pc.match_substring_regex(answers, ATTEMPT))
    empty = np.asarray(pc.match_substring_regex(answers, r"^\s*$"))
    values: list[float | None] = [None] * len(answers)
    if attempts.sum() < max(_FEWEST_RECORDS, _MOST * (~empty).sum()):
        return Measurements(values)
    schema = learn_schema(value for _, value in _readable(answers, attempts) if isinstance(value, dict))
    turns = features.answer_turns
    evidence: list[tuple[Evidence, ...]] = [()] * len(answers)
    for i in np.flatnonzero(~attempts & ~empty).tolist():
        values[i], evidence[i] = 1.0, (Evidence(int(turns[i]), note="prose, where the other answers are JSON"),)
    for i, value in _readable(answers, attempts):
        deviations = schema.deviations(value) if isinstance(value, dict) else [Deviation("", "not an object, as the other answers are")]
        values[i] = float(len(deviations))
        if deviations:
            evidence[i] = tuple(_evidence(answers[i].as_py(), int(turns[i]), deviation) for deviation in deviations)
    return Measurements(values, evidence)


def _readable(answers: pa.ChunkedArray, attempts: np.ndarray) -> Iterator[tuple[int, Any]]:
    """Index and value of each answer that can be read as JSON."""
    first = 0
    for chunk in answers.chunks:
        for offset, text in enumerate(chunk.to_pylist()):
            if attempts[first + offset] and (value := read_json(text).value) is not None:
                yield first + offset, value
        first += len(chunk)


def _evidence(answer: str, turn: int, deviation: Deviation) -> Evidence:
    name = deviation.path.removesuffix("[]").rpartition(".")[2]
    place = re.search(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:", answer)
    if place is None:
        return Evidence(turn, note=deviation.note)
    start, end = place.span()
    if deviation.value is not None:
        text = re.compile(re.escape(json.dumps(deviation.value, ensure_ascii=False))).search(answer, end)
        start, end = text.span() if text else (start, end)
    return Evidence(turn, start, end, note=deviation.note)
