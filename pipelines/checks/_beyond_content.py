"""Beyond content: reasoning and tool calls, which a row teaches too, shown to a check as if they were the text of their turns."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipelines.checks import Batch, Evidence, Measurements
from pipelines.records import Message, Record

Measure = Callable[[Batch], Measurements]
_WORDS = {"reasoning": "in the reasoning", "calls": "in a tool call"}


@dataclass(frozen=True, slots=True)
class _Hidden:
    rows: list[int]
    """Their numbers in the batch."""
    batch: Batch
    """The same conversations with what is hidden in place of the content."""
    texts: list[list[str]]


def everywhere(measure: Measure) -> Measure:
    """A check that counts findings, made to count those in reasoning and tool calls too. Their evidence has no span but the text itself."""

    @functools.wraps(measure)
    def measured(batch: Batch) -> Measurements:
        found = measure(batch)
        values = list(found.values)
        evidence = [list(spans) for spans in found.evidence or [()] * len(values)]
        for kind, words in _WORDS.items():
            hidden = batch.shared(("hidden", kind), functools.partial(_hidden, batch, kind))
            if hidden is None:
                continue
            seen = measure(hidden.batch)
            for row, texts, value, spans in zip(hidden.rows, hidden.texts, seen.values, seen.evidence or (), strict=True):
                if value:
                    values[row] = (values[row] or 0.0) + value
                    evidence[row] += [_without_span(span, texts, words) for span in spans]
        return Measurements(values, evidence)

    return measured


def _without_span(span: Evidence, texts: list[str], words: str) -> Evidence:
    detail = "" if span.turn is None or span.start is None else texts[span.turn][span.start : span.end]
    return replace(span, start=None, end=None, detail=detail, note=f"{span.note} {words}: {detail}" if detail else f"{span.note} {words}")


def _hidden(batch: Batch, kind: str) -> _Hidden | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipelines.store.tables import records_to_table

    field = "reasoning_content" if kind == "reasoning" else "tool_calls"
    found: set[int] = set()
    for column in ("messages", "chosen"):
        lists = batch.column(column)
        turns = pc.list_flatten(lists)
        if field in [inner.name for inner in turns.type] and (texts := pc.struct_field(turns, field)).null_count < len(texts):
            found |= set(pc.list_parent_indices(lists).filter(pc.is_valid(texts)).to_pylist())
    rows = sorted(found)
    if not rows:
        return None
    table = batch.table.take(pa.array(rows, pa.int64()))
    conversations = zip(*(table.column(name).to_pylist() for name in ("messages", "chosen")), strict=True)
    turns = [[*(messages or ()), *(chosen or ())] for messages, chosen in conversations]
    texts = [[_text(turn, kind) for turn in of_row] for of_row in turns]
    records = [
        Record(tuple(Message(turn["role"], text) for turn, text in zip(of_row, said, strict=True)))
        for of_row, said in zip(turns, texts, strict=True)
    ]
    return _Hidden(rows, Batch(records_to_table(records, ids=table.column("id").to_pylist())), texts)


def _text(turn: dict[str, Any], kind: str) -> str:
    if kind == "reasoning":
        return turn.get("reasoning_content") or ""
    return "\n".join(_values(turn.get("tool_calls")))


def _values(calls: str | None) -> Iterator[str]:
    """The texts among the arguments of tool calls; names and ids of calls are no detail of anybody's."""
    try:
        parsed = json.loads(calls) if calls else []
    except ValueError:
        yield calls or ""
        return
    for call in parsed if isinstance(parsed, list) else [parsed]:
        function = call.get("function", call) if isinstance(call, dict) else call
        yield from _leaves(function.get("arguments") if isinstance(function, dict) else function)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        if isinstance(inner, dict | list):
            yield from _leaves(inner)
        else:
            yield value
