"""Mending: what a check's automatic fix makes of rows, looked at again by the checks before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.checks import Batch, Check, Evidence, all_checks
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table

TurnChange = tuple[int, str, str]
"""Position of a turn in the conversation, its text before and after; an empty text where the turn is new or gone."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A row as a fix would leave it."""

    edit: list[dict[str, Any]]
    """The turns as a decision "edit" holds them: of a preference pair the prompt, then the chosen answer."""
    changes: list[TurnChange]


def mend(check: Check, records: Sequence[Record], evidence: Sequence[Sequence[Evidence]]) -> list[Mended | None]:
    """For each record with the check's evidence for it: how the fix would leave it, or None where a person has to decide.

    A fix counts only if the check is content with the result, and if no check of the severity "error" that looks at rows one by one
    finds more than before: a mended row is never worse. Raises ValueError for a check without a fix.
    """
    if check.fix is None:
        raise ValueError(f"the check {check.name} has no automatic fix")
    turns = [check.fix.mend(record.conversation, found) for record, found in zip(records, evidence, strict=True)]
    places = [i for i, changed in enumerate(turns) if changed and tuple(changed) != records[i].conversation]
    before = [records[i] for i in places]
    after = [_with_turns(record, turns[i] or []) for record, i in zip(before, places, strict=True)]
    is_better = _is_better(check, before, after)
    mended: list[Mended | None] = [None] * len(records)
    for i, old, new, better in zip(places, before, after, is_better, strict=True):
        if better:
            mended[i] = Mended([turn.to_json() for turn in new.conversation], _changes(old.conversation, new.conversation))
    return mended


def _with_turns(record: Record, turns: Sequence[Message]) -> Record:
    from pipelines.curation.selection import edited_record

    return edited_record(record, [turn.to_json() for turn in turns])


def _is_better(check: Check, before: Sequence[Record], after: Sequence[Record]) -> list[bool]:
    if not before:
        return []
    old, new = (Batch(records_to_table(records)) for records in (before, after))
    better = [not check.is_issue(value) for value in check.measure(new).values] if check.scope == "batch" else [True] * len(before)
    for other in all_checks().values():
        if other.scope != "batch" or other.severity != "error":
            continue
        worse = [_beyond(other, b) < _beyond(other, a) for b, a in zip(other.measure(old).values, other.measure(new).values, strict=True)]
        better = [is_good and not is_worse for is_good, is_worse in zip(better, worse, strict=True)]
    return better


def _beyond(check: Check, value: float | None) -> float:
    """How far a value is beyond the threshold; 0 where it is no issue."""
    return abs(value - check.threshold) if value is not None and check.is_issue(value) else 0.0


def _changes(before: Sequence[Message], after: Sequence[Message]) -> list[TurnChange]:
    """The turns that differ, in order, after turns that stayed the same at both ends are left out."""
    head = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    size = max(len(old), len(new))
    texts = [[_shown(turns[i]) if i < len(turns) else "" for i in range(size)] for turns in (old, new)]
    return [(head + i, texts[0][i], texts[1][i]) for i in range(size) if texts[0][i] != texts[1][i]]


def _shown(turn: Message) -> str:
    """A turn as a reader of the change sees it: with its role, reasoning and calls, since any may be what changed."""
    return f"{turn.role}: " + "\n".join(filter(None, (turn.reasoning_content, turn.content, turn.tool_calls)))
