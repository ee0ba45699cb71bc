"""Nested question format: passages, each with several questions about it (SQuAD and its many relatives); each question is one row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.sources.formats.context_qa import CONTEXT_QA
from pipelines.sources.formats.format import Columns, Format, Row, Unfit
from pipelines.sources.rows import kind_of


def _expand(row: Row, columns: Columns) -> list[dict[str, Any]]:
    if "paragraphs" not in columns:
        return list(_questions(row, columns["qas"], columns["context"], {}))
    column = columns["paragraphs"]
    around = {name: value for name, value in row.items() if name != column}
    found: list[dict[str, Any]] = []
    for number, paragraph in enumerate(_list(row[column], column), 1):
        if not isinstance(paragraph, dict) or "qas" not in paragraph or "context" not in paragraph:
            raise Unfit(f'Entry {number} of "{column}" is not an object with a context and its questions (qas).')
        found += _questions(paragraph, "qas", "context", around)
    if not found:
        raise Unfit(f'The column "{column}" holds no question.')
    return found


def _questions(paragraph: Row, qas: str, context: str, around: dict[str, Any]) -> Iterator[dict[str, Any]]:
    beside = {name: value for name, value in paragraph.items() if name not in (qas, context)}
    for number, asked in enumerate(_list(paragraph[qas], qas), 1):
        if not isinstance(asked, dict):
            raise Unfit(f'Entry {number} of "{qas}" is {kind_of(asked)}, not an object with a question and its answers.')
        yield {**around, **beside, "context": paragraph[context], **asked}


def _list(value: Any, column: str) -> list[Any]:
    if not isinstance(value, list):
        raise Unfit(f'The column "{column}" holds {kind_of(value)}, not a list.')
    return value


def _fits(row: Row, columns: Columns) -> bool:
    listed = row[columns.get("paragraphs") or columns["qas"]]
    return isinstance(listed, list) and bool(listed) and isinstance(listed[0], dict) and ("qas" in listed[0] or "question" in listed[0])


NESTED_QA = Format(
    name="nested_qa",
    fields={"paragraphs": ("paragraphs",), "context": ("context",), "qas": ("qas",)},
    needs=(("paragraphs",), ("context", "qas")),
    convert=CONTEXT_QA.convert,
    fits=_fits,
    expand=_expand,
    inner=CONTEXT_QA,
)
