"""Stand-in: what takes the place of a personal detail, the same one for the same detail all through a conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipelines.checks import Evidence
from pipelines.checks._mending import replaced
from pipelines.records import Message

_SIGNS = re.compile(r"[\W_]+")


def with_stand_ins(turns: Sequence[Message], evidence: Sequence[Evidence], stand_in: Callable[[str, int], str]) -> list[Message] | None:
    """The turns with a stand-in for each detail that the evidence points at, also where a tool call repeats it.

    `stand_in` is given the detail as written and its number in the conversation, from 1: details that differ in case and punctuation
    alone are one and have one number.
    """
    numbers: dict[str, int] = {}
    stand_ins: dict[str, str] = {}
    spans = []
    for found in sorted(evidence, key=lambda found: (found.turn or 0, found.start or 0)):
        if found.turn is None or not (found.detail or (found.start is not None and found.end is not None)):
            continue
        detail = found.detail or turns[found.turn].content[found.start : found.end]
        number = numbers.setdefault(_SIGNS.sub("", detail).casefold(), len(numbers) + 1)
        stand_ins[detail] = stand_in(detail, number)
        if found.start is not None and found.end is not None:
            spans.append((found.turn, found.start, found.end, stand_ins[detail]))
    mended = [_without(turn, stand_ins) for turn in replaced(turns, spans) or turns]
    return mended if mended != list(turns) else None


def _without(turn: Message, stand_ins: dict[str, str]) -> Message:
    calls, thoughts = turn.tool_calls, turn.reasoning_content
    for detail, instead in stand_ins.items():
        calls = calls and calls.replace(detail, instead)
        thoughts = thoughts and thoughts.replace(detail, instead)
    return replace(turn, tool_calls=calls, reasoning_content=thoughts)


def zeros(detail: str, number: int, *, keep: int = 0) -> str:
    """The detail in its own shape with zeros for its digits, the last of them the number; the first `keep` characters stay."""
    blank = re.sub(r"\d", "0", detail[keep:])
    digits = [match.start() for match in re.finditer("0", blank)]
    written = str(number)[-len(digits) :] if digits else ""
    letters = list(blank)
    for position, digit in zip(digits[len(digits) - len(written) :], written, strict=True):
        letters[position] = digit
    return detail[:keep] + "".join(letters)
