"""Prompt and completion format: texts, or lists of turns on both sides."""

from __future__ import annotations

from pipelines.records import Message, Record
from pipelines.sources.formats.alpaca import user_turn
from pipelines.sources.formats.format import Columns, Format, Row, need_one, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS, TOOL_COLUMNS
from pipelines.sources.formats.tools import tools_of
from pipelines.sources.formats.turns import Extra, said_beside, turns_of, with_system

PROMPT_COLUMNS = ("prompt", "input", "instruction", "query", "source", "user", "human", "inputs")
COMPLETION_COLUMNS = ("completion", "response", "output", "answer", "reply", "target", "assistant", "outputs", "gpt", "bot")


def side(row: Row, column: str, role: str, extras: list[Extra]) -> tuple[Message, ...]:
    """The turns of one side: a text is one turn of the role, a list or object is turns."""
    value = row[column]
    if isinstance(value, (list, dict)):
        return turns_of(value, column, extras)
    return (Message(role, text_of(row, column)),)


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "prompt", "completion")
    extras: list[Extra] = []
    asked = side(row, columns["prompt"], "user", extras)
    if "input" in columns and not isinstance(row[columns["prompt"]], (list, dict)):
        asked = (user_turn(asked[0].content, text_of(row, columns["input"])),)
    turns = asked + side(row, columns["completion"], "assistant", extras)
    return Record(with_system(row, columns, turns), tools=tools_of(row, columns), meta=said_beside(extras))


PROMPT_COMPLETION = Format(
    name="prompt_completion",
    fields={
        "prompt": PROMPT_COLUMNS,
        "input": ("input", "context"),
        "completion": COMPLETION_COLUMNS,
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(("prompt", "completion"),),
    convert=_convert,
)
