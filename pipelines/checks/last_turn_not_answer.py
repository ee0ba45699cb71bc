"""Last turn not an answer: the conversation stops before the assistant speaks."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._turns import ASSISTANT, SYSTEM, TOOL, USER, flow
from pipelines.records import Message

_NOTES = {SYSTEM: "ends with a system turn", USER: "ends with the user's words", TOOL: "ends with the result of a tool"}


@check(title="Conversations that end without an answer", unit="missing answers", group="structure", severity="error", flag_above=0)
def last_turn_not_answer(batch: Batch) -> Measurements:
    """1 when the row has an answer but its last turn is not the assistant's, else 0.

    The last question is never answered, often because an export was cut off. Remove the turns after the last answer, or add the
    missing one. Not measured where there is no answer at all: see "Rows without an answer".
    """
    import numpy as np

    turns = flow(batch)
    answered = np.bincount(turns.record[turns.role == ASSISTANT], minlength=len(batch)) > 0
    values: list[float | None] = [0.0 if a else None for a in answered]
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    for i in np.flatnonzero(turns.last & (turns.role != ASSISTANT)).tolist():
        record = int(turns.record[i])
        if answered[record]:
            note = _NOTES.get(int(turns.role[i]), "ends with a turn of unknown role")
            values[record], evidence[record] = 1.0, (Evidence(int(turns.turn[i]), note=note),)
    return Measurements(values, evidence)


@fix(last_turn_not_answer, title="Take out what follows the last answer")
def _until_answer(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Ends the conversation with its last answer."""
    last = max((i for i, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
    return list(turns[: last + 1]) or None
