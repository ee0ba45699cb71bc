"""Stray white space: blanks before, after or inside a turn that nobody meant to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_STRAY = r"^\s|\s$|\n[ \t\r]*\n[ \t\r]*\n"
_GAP = re.compile(r"\n[ \t\r]*\n[ \t\r]*\n[ \t\r\n]*")
_PLACES = re.compile(rf"(?P<start>\A\s+)|(?P<end>\s+\Z)|(?P<gap>{_GAP.pattern})")
_EMPTY_LINES = re.compile(r"\A(?:[ \t\r]*\n)+")
_CODE = re.compile(r"```|~~~|^(?: {4}|\t)\S", re.MULTILINE)


@check(title="Blanks at the start or end of answers", unit="places", group="text", severity="info", flag_above=0)
def stray_whitespace(batch: Batch) -> Measurements:
    """Number of places in answers with blanks nobody meant: before the first word, after the last one, several empty lines in a row.

    The model learns to begin or end with blanks, which programs that read its answers trip over. Trim them.

    Empty answers are another check's matter. Several empty lines are left alone in answers with code.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _STRAY, roles=["assistant"]):
        content = turn.content
        start, end = len(content) - len(content.lstrip()), len(content.rstrip())
        if not end:
            continue
        if start:
            found.add(turn.record, Evidence(turn.turn, 0, start, note="blanks before the first word"))
        if (gaps := list(_GAP.finditer(content, start, end))) and not _CODE.search(content):
            for gap in gaps:
                found.add(turn.record, Evidence(turn.turn, *gap.span(), note="several empty lines"))
        if end < len(content):
            found.add(turn.record, Evidence(turn.turn, end, len(content), note="blanks after the last word"))
    return found.measurements()


@fix(stray_whitespace, title="Trim the blanks")
def _trimmed(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Takes blanks at the start and end of the answer away, and makes several empty lines one. The text itself stays as it is."""
    mended = list(turns)
    for turn in {found.turn for found in evidence if found.turn is not None}:
        content = turns[turn].content
        if _CODE.search(content):  # the first line keeps its indentation, and code its empty lines
            better = _EMPTY_LINES.sub("", content).rstrip()
        else:
            better = _PLACES.sub(lambda blank: "\n\n" if blank.lastgroup == "gap" else "", content)
        mended[turn] = replace(mended[turn], content=better)
    return mended if mended != list(turns) else None
