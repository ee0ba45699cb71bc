"""Alpaca format: an instruction, perhaps an input, and an output or response."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, need_one, optional_text, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS
from pipelines.sources.formats.turns import turns_of
from pipelines.sources.rows import kind_of

INPUT_JOIN = "\n\n"
"""Between the instruction and its input: one blank line."""
NO_INPUT = {"", "<noinput>", "n/a"}
"""Inputs that mean there is none, as the first Alpaca sets wrote it; letter case and white space around do not matter."""
INSTRUCTION_COLUMNS = ("instruction", "instructions")


def user_turn(instruction: str, given: str) -> Message:
    """The user turn of an instruction and its input."""
    return Message("user", instruction if given.strip().lower() in NO_INPUT else f"{instruction}{INPUT_JOIN}{given}")


def before_prompt(row: Row, columns: Columns) -> Iterator[Message]:
    """The system prompt and the earlier turns of a row, if it has them."""
    system = optional_text(row, columns, "system")
    if system.strip():
        yield Message("system", system)
    column = columns.get("history")
    history = row[column] if column is not None else None
    if not history:
        return
    if not isinstance(history, list):
        raise Unfit(f'The column "{column}" holds {kind_of(history)}, not a list of earlier questions and answers.')
    if all(isinstance(turn, dict) and {"role", "from"} & turn.keys() for turn in history):
        yield from turns_of(history, str(column), [])
        return
    for number, pair in enumerate(history, 1):
        said = list(pair.values()) if isinstance(pair, dict) else pair
        if not isinstance(said, list) or len(said) != 2 or not all(isinstance(text, str) for text in said):
            raise Unfit(f'Entry {number} of "{column}" is not a list of a question and an answer.')
        yield Message("user", said[0])
        yield Message("assistant", said[1])


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "instruction", "output")
    prompt = user_turn(text_of(row, columns["instruction"]), optional_text(row, columns, "input"))
    return Record((*before_prompt(row, columns), prompt, Message("assistant", text_of(row, columns["output"]))))


ALPACA = Format(
    name="alpaca",
    fields={
        "instruction": INSTRUCTION_COLUMNS,
        "input": ("input", "inputs", "context"),
        "output": ("output", "response", "outputs", "answer", "completion", "target"),
        "system": SYSTEM_COLUMNS,
        "history": ("history",),
    },
    needs=(("instruction", "output"),),
    convert=_convert,
)
