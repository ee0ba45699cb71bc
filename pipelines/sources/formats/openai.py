"""OpenAI format: `messages` with role and content, tool calls and tools."""

from __future__ import annotations

from pipelines.records import Record
from pipelines.sources.formats.format import Columns, Format, Row
from pipelines.sources.formats.tools import tools_of
from pipelines.sources.formats.turns import ROLE_KEYS, Extra, is_list_of, said_beside, turns_of, with_system

MESSAGE_COLUMNS = ("messages", "conversations", "conversation", "chat", "dialogue", "dialog", "turns")
SYSTEM_COLUMNS = ("system", "system_prompt", "system_message")
TOOL_COLUMNS = ("tools", "functions")


def conversation(row: Row, columns: Columns) -> Record:
    """The record of a row with a list of turns."""
    column = columns["messages"]
    extras: list[Extra] = []
    messages = with_system(row, columns, turns_of(row[column], column, extras))
    return Record(messages, tools=tools_of(row, columns), meta=said_beside(extras))


def _fits(row: Row, columns: Columns) -> bool:
    return is_list_of(row[columns["messages"]], *(key for key in ROLE_KEYS if key != "from"))


OPENAI = Format(
    name="openai",
    fields={"messages": MESSAGE_COLUMNS, "system": SYSTEM_COLUMNS, "tools": TOOL_COLUMNS},
    needs=(("messages",),),
    convert=conversation,
    fits=_fits,
)
