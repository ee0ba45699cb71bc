"""Role order: turns that do not take turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._turns import ASSISTANT, SYSTEM, TOOL, UNKNOWN, USER, Findings, Flow, flow
from pipelines.records import Message

if TYPE_CHECKING:
    import numpy as np

_NOBODY = -2


@check(title="Turns in the wrong order", unit="breaks", group="structure", severity="error", flag_above=0)
def role_order(batch: Batch) -> Measurements:
    """Number of places where the conversation breaks the order that chat templates expect.

    Many models cannot be trained on such a row, or see its turns run together. Merge or remove the turn, or drop the row. Counted: a
    system turn that is not first, an assistant who speaks first, two user or two assistant turns in a row, and a tool result that no
    call asked for. A tool call without a result has its own issue type.
    """
    found = Findings(len(batch))
    turns = flow(batch)
    for note, broken in _breaks(turns).items():
        for i in broken.nonzero()[0].tolist():
            found.add(int(turns.record[i]), Evidence(int(turns.turn[i]), note=note))
    return found.measurements()


def _breaks(turns: Flow) -> dict[str, np.ndarray]:
    role = turns.role
    before = turns.before(role, _NOBODY)
    called_before = turns.before(turns.calls, False).astype(bool)
    starts = turns.first | ((before == SYSTEM) & turns.before(turns.first, False).astype(bool))
    return {
        "the system turn is not the first": (role == SYSTEM) & ~turns.first,
        "the assistant speaks first": (role == ASSISTANT) & starts,
        "two user turns in a row": (role == USER) & (before == USER),
        "two assistant turns in a row": (role == ASSISTANT) & (before == ASSISTANT) & ~called_before,
        "a tool result that no call asked for": (role == TOOL) & ~called_before & (before != TOOL) & (before != UNKNOWN),
    }


@fix(role_order, title="Merge turns of the same speaker")
def _in_order(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Joins turns in a row of the same speaker with an empty line between them, and puts system turns first.

    Where the assistant speaks first, or a tool answers unasked, a person has to decide.
    """
    ordered = [turn for turn in turns if turn.role == "system"] + [turn for turn in turns if turn.role != "system"]
    merged: list[Message] = []
    for turn in ordered:
        last = merged[-1] if merged else None
        is_plain = last is not None and not last.tool_calls and not turn.tool_calls and last.name == turn.name
        if last is not None and is_plain and turn.role == last.role != "tool":
            merged[-1] = replace(last, content=f"{last.content}\n\n{turn.content}")
        else:
            merged.append(turn)
    return merged if merged != list(turns) else None
