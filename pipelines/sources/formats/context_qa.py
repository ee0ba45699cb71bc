"""Question with context format: passages, a question about them, and a long answer (PubMedQA, SQuAD and their like)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, need_one, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS
from pipelines.sources.formats.qa import ANSWER_COLUMNS, QUESTION_COLUMNS
from pipelines.sources.formats.turns import with_system
from pipelines.sources.rows import kind_of

CONTEXT_JOIN = "\n\n"
"""Between the passages, and between the last one and the question: one blank line."""


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "question", "answer")
    contexts = [text for text in _texts(row[columns["context"]], columns["context"]) if text.strip()]
    asked = Message("user", CONTEXT_JOIN.join([*contexts, text_of(row, columns["question"])]))
    return Record(with_system(row, columns, (asked, Message("assistant", _answer(row, columns["answer"])))))


def _texts(value: Any, column: str) -> Iterator[str]:
    """The passages: a text, a list of them, or an object that holds such a list (or a passage) under a known key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, column)
    elif isinstance(value, dict):
        inner = next((value[key] for key in ("contexts", "context", "text", "passage", "content", "sentences") if key in value), None)
        if inner is None:
            raise Unfit(f'The column "{column}" holds an object without a text (it has {", ".join(value) or "nothing"}).')
        yield from _texts(inner, column)
    elif value is not None:
        raise Unfit(f'The column "{column}" holds {kind_of(value)}, not a text or a list of texts.')


def _answer(row: Row, column: str) -> str:
    value = row[column]
    if isinstance(value, dict) and "text" in value:  # SQuAD: several wordings of one answer, each with its place
        value = value["text"]
    if isinstance(value, list):
        value = [one["text"] if isinstance(one, dict) and "text" in one else one for one in value]
        if not all(isinstance(text, str) for text in value):
            raise Unfit(f'The column "{column}" holds a list of things that are not texts.')
        return value[0] if value else ""
    return text_of({column: value}, column)


CONTEXT_QA = Format(
    name="context_qa",
    fields={
        "context": ("contexts", "context", "passages", "passage", "documents", "document", "paragraphs", "paragraph", "retrieved_contexts"),
        "question": QUESTION_COLUMNS,
        "answer": ("long_answer", *ANSWER_COLUMNS),
        "system": SYSTEM_COLUMNS,
    },
    needs=(("context", "question", "answer"),),
    convert=_convert,
)
