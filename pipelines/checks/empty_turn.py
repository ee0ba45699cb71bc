"""Empty turn: somebody's turn without a visible character."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._turns import Findings
from pipelines.records import Message

_INVISIBLE = r"^[\s\p{Z}\x{85}\x{200B}-\x{200D}\x{2060}\x{FEFF}]*$"


@check(title="Empty turns", unit="turns", group="structure", severity="error", flag_above=0)
def empty_turn(batch: Batch) -> Measurements:
    """Number of turns that hold nothing, or only spaces and invisible characters, and call no tool.

    The model would learn to say nothing, or to answer nothing. Fill the turn in, or drop the row. An empty result of a tool is
    not counted: some tools return nothing.
    """
    import pyarrow.compute as pc

    turns = batch.turns
    mask = pc.and_(pc.match_substring_regex(turns.column("content"), _INVISIBLE), pc.is_null(turns.column("tool_calls")))
    empty = turns.select(["record", "turn", "role"]).filter(pc.and_(mask, pc.not_equal(turns.column("role"), "tool")))
    found = Findings(len(batch))
    for record, turn, role in zip(*(column.to_pylist() for column in empty.columns), strict=True):
        found.add(record, Evidence(turn, note=f"the {role} turn is empty"))
    return found.measurements()


@fix(empty_turn, title="Take the empty turns out")
def _spoken(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Takes them out where the conversation still makes sense without them. A question whose answer is empty is left to a person."""
    empty = {found.turn for found in evidence}
    return [turn for i, turn in enumerate(turns) if i not in empty] or None
