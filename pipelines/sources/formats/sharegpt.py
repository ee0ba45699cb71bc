"""ShareGPT format: `conversations` with from and value, a tools and a system column."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.records import Record
from pipelines.sources.formats.format import Columns, Format, Row
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS, TOOL_COLUMNS, conversation
from pipelines.sources.formats.turns import is_list_of


def _as_messages(columns: Columns) -> Mapping[str, str]:
    return {"messages" if field == "conversations" else field: column for field, column in columns.items()}


def _convert(row: Row, columns: Columns) -> Record:
    return conversation(row, _as_messages(columns))


def _fits(row: Row, columns: Columns) -> bool:
    return is_list_of(row[columns["conversations"]], "from")


SHAREGPT = Format(
    name="sharegpt",
    fields={"conversations": ("conversations", *MESSAGE_COLUMNS), "system": SYSTEM_COLUMNS, "tools": TOOL_COLUMNS},
    needs=(("conversations",),),
    convert=_convert,
    fits=_fits,
)
