"""Unanswered tool call: the assistant asks a tool and the conversation goes on without the result."""

from __future__ import annotations

import json
from typing import Any

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import ASSISTANT, TOOL, Findings, flow


@check(title="Tool calls without a result", unit="calls", group="structure", severity="error", flag_above=0)
def tool_call_unanswered(batch: Batch) -> Measurements:
    """Number of tool calls that get no result although the conversation goes on.

    The model would learn to invent what the tool returned. Add the result, or remove the call. A row that ends with a call is
    fine: there the call is the answer.
    """
    import numpy as np
    import pyarrow.compute as pc

    turns = flow(batch)
    asks = turns.calls & (turns.role == ASSISTANT) & ~turns.last
    ignored = asks & (turns.after(turns.role, TOOL) != TOOL)
    found = Findings(len(batch))
    for i in np.flatnonzero(ignored).tolist():
        found.add(int(turns.record[i]), Evidence(int(turns.turn[i]), note="the next turn is not the result of this call"))
    several = pc.greater_equal(pc.count_substring(batch.turns.column("tool_calls"), '"id"'), 2)
    partly = asks & ~ignored & pc.fill_null(several, False).to_numpy()
    for i in np.flatnonzero(partly).tolist():
        record, turn = int(turns.record[i]), int(turns.turn[i])
        for name in _without_result(batch, record, turn):
            found.add(record, Evidence(turn, note=f"the call of {name} has no result"))
    return found.measurements()


def _without_result(batch: Batch, record: int, turn: int) -> list[str]:
    """Names of the parallel calls of a turn whose id no following result carries; empty where results carry no ids."""
    row: dict[str, Any] = {column: batch.column(column)[record].as_py() or [] for column in ("messages", "chosen")}
    conversation = row["messages"] + row["chosen"]
    results = []
    for message in conversation[turn + 1 :]:
        if message["role"] != "tool":
            break
        results.append(message["tool_call_id"])
    if turn + 1 + len(results) == len(conversation) or None in results:
        return []
    calls = json.loads(conversation[turn]["tool_calls"])
    return [_name(call) for call in calls if isinstance(call, dict) and call.get("id") not in (None, *results)]


def _name(call: dict[str, Any]) -> str:
    function = call.get("function")
    return str(function.get("name", "a tool")) if isinstance(function, dict) else "a tool"
