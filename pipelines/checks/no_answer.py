"""No answer: nothing in the row for the model to learn to say."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import ASSISTANT, flow


@check(title="Rows without an answer", unit="missing answers", group="structure", severity="error", flag_above=0)
def no_answer(batch: Batch) -> Measurements:
    """1 when the row has no assistant turn at all, else 0.

    Training learns only from what the assistant says, so the row teaches nothing. Add an answer, or drop the row.
    """
    import numpy as np

    turns = flow(batch)
    missing = np.bincount(turns.record[turns.role == ASSISTANT], minlength=len(batch)) == 0
    evidence = [(Evidence(note="no turn by the assistant"),) if m else () for m in missing]
    return Measurements(missing.astype(float).tolist(), evidence)
