"""Unpaired preference format (KTO): one answer and whether it was wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipelines.records import Record
from pipelines.sources.formats.alpaca import INSTRUCTION_COLUMNS
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, need_one
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS, TOOL_COLUMNS, conversation
from pipelines.sources.formats.prompt_completion import COMPLETION_COLUMNS, asked_and_answered
from pipelines.sources.formats.tools import tools_of
from pipelines.sources.formats.turns import Extra, said_beside, with_system
from pipelines.sources.rows import kind_of

_CLEAR = {True: True, False: False, "true": True, "false": False}
_NUMBERS = {"1": True, "0": False}


def _plain(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _label(row: Row, columns: Columns) -> bool:
    value = _plain(row[columns["label"]])
    if type(value) is bool or value in ("true", "false"):
        return _CLEAR[value]
    if str(value) in _NUMBERS:
        return _NUMBERS[str(value)]
    said = f'"{value}"' if isinstance(value, str) else kind_of(value)
    raise Unfit(f'The column "{columns["label"]}" is {said}, not true or false.')


def _convert(row: Row, columns: Columns) -> Record:
    label = _label(row, columns)
    if "messages" in columns and row[columns["messages"]] is not None:
        return replace(conversation(row, columns), kind="unpaired", label=label)
    if "prompt" not in columns or "completion" not in columns:
        raise Unfit(f'The column "{columns["messages"]}" is null.')
    need_one(row, columns, "prompt", "completion")
    extras: list[Extra] = []
    asked, answered = asked_and_answered(row, columns, extras)
    turns = with_system(row, columns, asked + answered)
    return Record(turns, "unpaired", tools_of(row, columns), label=label, meta=said_beside(extras))


def _fits(row: Row, columns: Columns) -> bool:
    """A label of 0 and 1 may as well be a class: only true and false speak for themselves, or a column that says what it is."""
    value = _plain(row[columns["label"]])
    return type(value) is bool or value in ("true", "false") or columns["label"].lower() == "kto_tag"


UNPAIRED_PREFERENCE = Format(
    name="unpaired_preference",
    fields={
        "messages": MESSAGE_COLUMNS,
        "prompt": ("prompt", *INSTRUCTION_COLUMNS, "question", "query", "input"),
        "input": ("input",),
        "completion": COMPLETION_COLUMNS,
        "label": ("label", "kto_tag", "desirable"),
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(("messages", "label"), ("prompt", "completion", "label")),
    convert=_convert,
    fits=_fits,
)
