"""Question and answer format: one column each."""

from __future__ import annotations

from pipelines.records import Message, Record
from pipelines.sources.formats.alpaca import before_prompt
from pipelines.sources.formats.format import Columns, Format, Row, need_one, text_of
from pipelines.sources.formats.openai import SYSTEM_COLUMNS

QUESTION_COLUMNS = ("question", "query", "questions", "problem")
ANSWER_COLUMNS = ("answer", "response", "long_answer", "solution", "reply", "answers", "ground_truth", "output")


def _convert(row: Row, columns: Columns) -> Record:
    need_one(row, columns, "question", "answer")
    asked = Message("user", text_of(row, columns["question"]))
    return Record((*before_prompt(row, columns), asked, Message("assistant", text_of(row, columns["answer"]))))


QA = Format(
    name="qa",
    fields={"question": QUESTION_COLUMNS, "answer": ANSWER_COLUMNS, "system": SYSTEM_COLUMNS, "history": ("history",)},
    needs=(("question", "answer"),),
    convert=_convert,
)
