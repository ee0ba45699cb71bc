"""Mending: what the automatic fixes share to change the turns of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipelines.checks import Evidence
from pipelines.records import Message

Span = tuple[int, int, int, str]
"""Turn, first character, one past the last, and the text that takes their place."""


def replaced(turns: Sequence[Message], spans: Sequence[Span]) -> list[Message] | None:
    """The turns with other text in some places; None when nothing would change. Places that overlap an earlier one are passed over."""
    mended = list(turns)
    reached = (-1, 0)
    kept: list[Span] = []
    for span in sorted(spans):
        if span[:2] >= reached:
            kept.append(span)
            reached = (span[0], span[2])
    for turn, start, end, text in reversed(kept):
        content = mended[turn].content
        mended[turn] = replace(mended[turn], content=content[:start] + text + content[end:])
    return mended if mended != list(turns) else None


def replaced_by(turns: Sequence[Message], evidence: Sequence[Evidence], text: Callable[[str], str | None]) -> list[Message] | None:
    """The turns with `text(found)` in place of each span of the evidence; None from `text` leaves it as it is."""
    spans = []
    for found in evidence:
        if found.turn is None or found.start is None or found.end is None:
            continue
        better = text(turns[found.turn].content[found.start : found.end])
        if better is not None:
            spans.append((found.turn, found.start, found.end, better))
    return replaced(turns, spans)
