"""Invalid JSON: an answer that is meant for a program and that no program can read."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._json_text import ATTEMPT, read_json
from pipelines.checks._turns import Findings, turns_with


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
