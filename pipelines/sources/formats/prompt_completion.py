"""Prompt and completion format: texts, or lists of turns on both sides."""

from __future__ import annotations

from dataclasses import replace

from pipelines.records import Message, Record
from pipelines.sources.formats.alpaca import user_turn
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, need_one, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS, TOOL_COLUMNS
from pipelines.sources.formats.rendering import dialect_of, read_rendered
from pipelines.sources.formats.rendering.dialect import without_end
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


def asked_and_answered(row: Row, columns: Columns, extras: list[Extra]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The turns of the prompt and of the completion. A prompt that a chat template has written is read back. Raises Unfit."""
    prompt = row[columns["prompt"]]
    answered = side(row, columns["completion"], "assistant", extras)
    rendered = turns_in_prompt(prompt) if isinstance(prompt, str) else ()
    if rendered:
        answered = tuple(replace(turn, content=without_end(turn.content)) for turn in answered)
    asked = rendered or side(row, columns["prompt"], "user", extras)
    if "input" in columns and not isinstance(prompt, (list, dict)):
        asked = (*asked[:-1], user_turn(asked[-1].content, text_of(row, columns["input"])))
    return asked, answered


def turns_in_prompt(text: str) -> tuple[Message, ...]:
    """The turns of a prompt that a chat template has written; none for a plain text. Raises Unfit where its markers do not match.

    Where the markers are words that people write too, the text must end with the one after which the model answers.
    """
    dialect = dialect_of(text)
    if dialect is None:
        return ()
    try:
        turns = read_rendered(text, dialect, may_end_open=True).messages
    except Unfit:
        if dialect.is_loose:
            return ()
        raise
    return turns if not dialect.is_loose or turns[-1].role != "assistant" else ()


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "prompt", "completion")
    extras: list[Extra] = []
    asked, answered = asked_and_answered(row, columns, extras)
    return Record(with_system(row, columns, asked + answered), tools=tools_of(row, columns), meta=said_beside(extras))


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
