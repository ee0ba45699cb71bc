"""Unbalanced fence: a code block or a bracket that is opened and never closed."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import Findings, turns_with

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
