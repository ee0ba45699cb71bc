"""Classification format: a text and its label; the label becomes the answer."""

from __future__ import annotations

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Columns, Format, Row, need_one, optional_text, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS

LABEL_COLUMNS = ("label_text", "label_name", "label", "category", "intent", "class", "sentiment", "topic", "emotion", "labels")


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "text", "label")
    system = optional_text(row, columns, "system")
    asked = (Message("user", text_of(row, columns["text"])), Message("assistant", text_of(row, columns["label"])))
    return Record((Message("system", system), *asked) if system.strip() else asked)


CLASSIFICATION = Format(
    name="classification",
    fields={
        "text": ("text", "sentence", "utterance", "query", "question", "message", "content", "review", "comment", "tweet", "document"),
        "label": LABEL_COLUMNS,
        "system": SYSTEM_COLUMNS,
    },
    needs=(("text", "label"),),
    convert=_convert,
)
