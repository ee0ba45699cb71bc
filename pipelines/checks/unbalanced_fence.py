"""Unbalanced fence: a code block or a bracket that is opened and never closed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_FENCE = re.compile(r"^[ \t]*(?:>[ \t]*|[-*+][ \t]+|\d+[.)][ \t]+)*(`{3,}|~{3,})(.*)$", re.MULTILINE)


@check(title="Code blocks that are never closed", unit="blocks", group="format", flag_above=0)
def unbalanced_fence(batch: Batch) -> Measurements:
    """Number of ``` code blocks that are opened and never closed.

    Usually the answer was cut off, or the closing line was lost. Add the closing line, or drop the row.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, r"(?m)^[\s>*+\d.)-]*(?:```|~~~)", roles=["assistant", "user"], having="`~"):
        if (opening := _never_closed(turn.content)) is not None:
            found.add(turn.record, Evidence(turn.turn, *opening.span(1), note="this code block is never closed"))
    return found.measurements()


def _never_closed(content: str) -> re.Match[str] | None:
    """The fence that is still open at the end, by the rules of CommonMark (section 4.5)."""
    opening = None
    for fence in _FENCE.finditer(content):
        marks, rest = fence.group(1), fence.group(2)
        if opening is None:
            if marks[0] == "~" or "`" not in rest:  # ```code``` in one line opens nothing
                opening = fence
        elif marks[0] == opening.group(1)[0] and len(marks) >= len(opening.group(1)) and not rest.strip():
            opening = None
    return opening


@fix(unbalanced_fence, title="Close the code block")
def _closed(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Adds the closing line at the end of the turn, or puts one that is glued to the code on a line of its own.

    Whether words after the code belong into it is for a person to see.
    """
    spans = []
    for turn in sorted({found.turn for found in evidence if found.turn is not None}):
        content = turns[turn].content
        if opening := _never_closed(content):
            marks, end = opening.group(1), len(content.rstrip())
            start = end - len(marks) if content.endswith(marks, opening.end(), end) else end
            spans.append((turn, start, len(content), f"\n{marks}"))
    return replaced(turns, spans)
