"""Alternating format: a list of texts, said by user and assistant in turn (UltraChat and most older dialogue sets)."""

from __future__ import annotations

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Columns, Format, Row, Unfit
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS
from pipelines.sources.formats.turns import with_system
from pipelines.sources.rows import kind_of


def _convert(row: Row, columns: Columns) -> Record:
    column = columns["turns"]
    said = row[column]
    if not isinstance(said, list) or len(said) < 2:
        what = f"a list of {len(said)}" if isinstance(said, list) else kind_of(said)
        raise Unfit(f'The column "{column}" is {what}, not a list of at least a question and an answer.')
    for number, text in enumerate(said, 1):
        if not isinstance(text, str):
            raise Unfit(f'Entry {number} of "{column}" is {kind_of(text)}, not a text.')
    turns = tuple(Message("assistant" if place % 2 else "user", text) for place, text in enumerate(said))
    return Record(with_system(row, columns, turns))


def _fits(row: Row, columns: Columns) -> bool:
    said = row[columns["turns"]]
    return isinstance(said, list) and len(said) > 1 and isinstance(said[0], str) and isinstance(said[1], str)


ALTERNATING = Format(
    name="alternating",
    fields={"turns": ("data", *MESSAGE_COLUMNS, "utterances"), "system": SYSTEM_COLUMNS},
    needs=(("turns",),),
    convert=_convert,
    fits=_fits,
)
