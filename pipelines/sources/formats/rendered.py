"""Rendered format: a column that holds a whole conversation as one text, as a chat template writes it."""

from __future__ import annotations

from pipelines.records import Record
from pipelines.sources.formats.classification import LABEL_COLUMNS
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, optional_text, plain_name
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS, TOOL_COLUMNS
from pipelines.sources.formats.prompt_completion import COMPLETION_COLUMNS
from pipelines.sources.formats.rendering import dialect_of, read_rendered
from pipelines.sources.formats.rendering.dialect import excerpt
from pipelines.sources.formats.tools import tools_from, tools_of
from pipelines.sources.formats.turns import with_system
from pipelines.sources.rows import kind_of


def _convert(row: Row, columns: Columns) -> Record:
    column = columns["text"]
    text = row[column]
    if not isinstance(text, str):
        raise Unfit(f'The column "{column}" holds {kind_of(text)}, not a text.')
    dialect = dialect_of(text)
    if dialect is None:
        raise Unfit(
            f'The column "{column}" holds a text in which no turns can be told apart; it begins "{excerpt(text)}". '
            "Say in the mapping which column holds what, e.g. question and answer."
        )
    rendered = read_rendered(text, dialect)
    messages = rendered.messages
    if optional_text(row, columns, "system").strip():
        said = {columns["system"]: optional_text(row, columns, "system").strip().removeprefix("SYSTEM:").strip()}  # Glaive
        messages = with_system(said, {"system": columns["system"]}, messages)
    tools = tools_of(row, columns)
    if tools is None and rendered.tools:
        tools = tools_from(rendered.tools, f'the tools in the column "{column}"')
    return Record(messages, tools=tools)


def _fits(row: Row, columns: Columns) -> bool:
    """Whether the text is clearly a rendering; of a prompt only when its answer stands in no other column."""
    text = row[columns["text"]]
    dialect = dialect_of(text) if isinstance(text, str) else None
    if dialect is None:
        return False
    names = {plain_name(name) for name in row}
    if dialect.is_loose and names & set(LABEL_COLUMNS):
        return False
    if names.isdisjoint(COMPLETION_COLUMNS):
        return True
    if dialect.is_loose:
        return False
    try:
        return read_rendered(text, dialect).messages[-1].role == "assistant"
    except Unfit:
        return False


RENDERED = Format(
    name="rendered",
    fields={
        "text": (
            "text",
            *MESSAGE_COLUMNS,
            "formatted_text",
            "formatted",
            "rendered",
            "formatted_chat",
            "prompt",
            "content",
            "input",
        ),
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(("text",),),
    convert=_convert,
    fits=_fits,
)
