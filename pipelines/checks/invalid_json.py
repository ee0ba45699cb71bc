"""Invalid JSON: an answer that is meant for a program and that no program can read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._json_text import ATTEMPT, ENDS_EARLY, read_json
from pipelines.checks._mending import replaced
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message


@check(title="Answers with broken JSON", unit="answers", group="format", severity="error", flag_above=0)
def invalid_json(batch: Batch) -> Measurements:
    """Number of answers that start like JSON but cannot be read as JSON, or give the same name twice in one object.

    A model learns broken brackets as easily as correct ones. Correct the marked place, or drop the row. Prose where the other
    answers are JSON has its own issue type: "Answers that differ from the usual JSON".
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, ATTEMPT, roles=["assistant"]):
        for n, fault in enumerate(read_json(turn.content).faults):
            found.add(turn.record, Evidence(turn.turn, fault.start, fault.end, note=fault.reason), value=float(n == 0))
    return found.measurements()


_FENCED = re.compile(r"(\s*```(?:json|JSON)?[ \t]*\n)(.*?)(\n[ \t]*```\s*)?\Z", re.DOTALL)
_SIGNS = re.compile(r"[\W_]+")


@fix(invalid_json, title="Repair the JSON")
def _repaired(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts brackets, commas and quotation marks right, by the library json-repair, where every letter and digit stays in its place.

    An answer that ends early or names something twice is left to a person: what is missing cannot be known.
    """
    spans = []
    for turn in sorted({found.turn for found in evidence if found.turn is not None}):
        content = turns[turn].content
        if any(fault.reason == ENDS_EARLY for fault in read_json(content).faults):
            return None
        fenced = _FENCED.match(content)
        start, end = fenced.span(2) if fenced else (0, len(content))
        better = _repaired_text(content[start:end])
        if better is None:
            return None
        spans.append((turn, start, end, better))
    return replaced(turns, spans)


def _repaired_text(body: str) -> str | None:
    """The repaired JSON in the layout of the original, or None when something would be lost or added."""
    import json_repair

    value = json_repair.loads(body)
    if not isinstance(value, (dict, list)) or not value:
        return None
    if any(text.endswith(("'", '"')) for text in _texts(value)):  # a quotation mark taken for a part of the value: 'O'Brien'
        return None
    text = json.dumps(value, ensure_ascii=False, indent=2 if "\n" in body.strip() else None)
    return text if _letters(text) == _letters(body) else None


def _texts(value: Any) -> Iterator[str]:
    """All names and texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (name, *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _letters(text: str) -> str:
    """The letters and digits of a JSON text, without its escapes."""
    return _SIGNS.sub("", re.sub(r"\\[nrtbf\"/\\]", " ", text))
