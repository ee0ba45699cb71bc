"""Preference format: a prompt with a chosen and a rejected answer (DPO), in all the layouts in use."""

from __future__ import annotations

from typing import Any

from pipelines.records import Message, Record
from pipelines.sources.formats.alpaca import user_turn
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, optional_text, text_of
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS, TOOL_COLUMNS
from pipelines.sources.formats.prompt_completion import turns_in_prompt
from pipelines.sources.formats.rendering import dialect_of, read_rendered
from pipelines.sources.formats.rendering.labelled import TRANSCRIPT
from pipelines.sources.formats.tools import tools_of
from pipelines.sources.formats.turns import Extra, said_beside, turns_of, with_system

PROMPT_COLUMNS = ("prompt", "question", "instruction", *MESSAGE_COLUMNS, "query", "input", "post", "history")
CHOSEN_COLUMNS = (
    *("chosen", "chosen_response", "response_chosen", "preferred_output", "preferred", "accepted"),
    *("response_j", "better_response", "good_response", "winning_response", "positive_response"),
)
REJECTED_COLUMNS = (
    *("rejected", "rejected_response", "response_rejected", "non_preferred_output", "dispreferred", "not_preferred"),
    *("response_k", "worse_response", "bad_response", "losing_response", "negative_response"),
)


def _convert(row: Row, columns: Columns) -> Record:
    extras: list[Extra] = []
    prompt = _prompt(row, columns, extras)
    chosen, rejected = (_answer(row, columns[side], extras, has_prompt=bool(prompt)) for side in ("chosen", "rejected"))
    prompt, chosen, rejected = _parted(prompt, chosen, rejected)
    if not chosen or not rejected:
        raise Unfit("Its chosen or rejected side holds no answer behind the prompt.")
    for side, turns in (("chosen", chosen), ("rejected", rejected)):
        if all(turn.role in ("user", "system") for turn in turns):
            raise Unfit(f"Its {side} side holds no answer: the {turns[-1].role} says it. Give the turn the role assistant.")
    if not prompt:
        raise Unfit(f'It has no prompt: "{columns["chosen"]}" and "{columns["rejected"]}" do not begin with the same turns.')
    tools = tools_of(row, columns) or _openai_tools(row, columns)
    return Record(with_system(row, columns, prompt), "preference", tools, chosen, rejected, meta=said_beside(extras))


def _answer(row: Row, column: str, extras: list[Extra], *, has_prompt: bool) -> tuple[Message, ...]:
    value = row[column]
    if isinstance(value, (list, dict)):
        return turns_of(value, column, extras)
    if value is None:
        raise Unfit(f'The column "{column}" is null.')
    text = text_of(row, column)
    dialect = dialect_of(text)
    if dialect is None or (dialect.is_loose and has_prompt and not text.startswith("\n\nHuman:")):  # an answer may hold a dialogue
        return (Message("assistant", text),)
    return read_rendered(text, dialect, may_end_open=True).messages


def _prompt(row: Row, columns: Columns, extras: list[Extra]) -> tuple[Message, ...]:
    column = columns.get("prompt")
    if column is None or row[column] is None:
        return ()
    value = row[column]
    if isinstance(value, dict) and isinstance(value.get("messages"), list):  # OpenAI's own layout of preference data
        return turns_of(value["messages"], f"{column}.messages", extras)
    if isinstance(value, (list, dict)):
        return turns_of(value, column, extras)
    text = text_of(row, column)
    if text.startswith("\n\nHuman:"):
        return read_rendered(text, TRANSCRIPT).messages
    return turns_in_prompt(text) or (user_turn(text, optional_text(row, columns, "input")),)


def _openai_tools(row: Row, columns: Columns) -> str | None:
    column = columns.get("prompt")
    value: Any = row[column] if column is not None else None
    return tools_of(value, {"tools": "tools"}) if isinstance(value, dict) and "tools" in value else None


Turns = tuple[Message, ...]


def _parted(prompt: Turns, chosen: Turns, rejected: Turns) -> tuple[Turns, Turns, Turns]:
    """Prompt and answers without repeating each other. Sides that begin with a question hold the prompt themselves."""
    if chosen[0].role == "assistant" and rejected[0].role == "assistant":
        return prompt, chosen, rejected
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    return chosen[:shared] or prompt, chosen[shared:], rejected[shared:]


def _fits(row: Row, columns: Columns) -> bool:
    return row[columns["chosen"]] is not None and row[columns["rejected"]] is not None


PREFERENCE = Format(
    name="preference",
    fields={
        "prompt": PROMPT_COLUMNS,
        "chosen": CHOSEN_COLUMNS,
        "rejected": REJECTED_COLUMNS,
        "input": ("input",),
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(("chosen", "rejected"),),
    convert=_convert,
    fits=_fits,
)
