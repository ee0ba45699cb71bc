"""Guess: which columns of a table with names of its own hold the question and the answer. A proposal, never applied unasked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.sources.formats import FORMATS
from pipelines.sources.formats.format import Format, Unfit

_LISTED = {
    "question": """question questions query queries ask asked prompt problem request enquiry inquiry message ticket email mail customer user
        frage fragen anfrage kundenfrage pregunta consulta demande domanda richiesta vraag pergunta вопрос 问题 问 提问 質問""",
    "answer": """answer answers answered response responses reply replies replied solution resolution completion output assistant agent
        advice antwort antworten lösung respuesta réponse reponse risposta antwoord resposta ответ 回答 答案 答 答复""",
    "context": """context contexts passage passages background document source excerpt abstract evidence
        kontext hintergrund contexto contexte contesto контекст 上下文 背景 文档""",
    "text": """text sentence utterance message comment review document question query ticket email
        satz beitrag texto texte testo 文本""",
    "label": """label category intent class sentiment topic tag department
        kategorie klasse abteilung etiqueta categoría étiquette 标签 类别""",
}
_WORDS = {field: frozenset(words.split()) for field, words in _LISTED.items()}
_WORD = re.compile(r"[^\W\d_]+")
_LONG_ANSWER = 25
"""Mean characters from which a column is more an answer than a label."""
_FORMS = ("context_qa", "qa", "classification")
_FITTING = 0.5
"""Share of the rows that a guess must be able to read."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A format and the column of each of its needed fields."""

    format: str
    mapping: dict[str, str]

    def in_words(self) -> str:
        """What to add to the command line to read the rows so."""
        return " ".join(f'--map {field}="{column}"' for field, column in self.mapping.items())


def guess_columns(rows: Sequence[Mapping[str, Any]]) -> Guess | None:
    """The likeliest reading of rows whose columns no format knows, by words in the columns' names and by what they hold; None without one.

    A column is taken for one field only; of several that would do, the one with the longest texts is.
    """
    length_by_column = _mean_lengths(rows)
    for name in _FORMS:
        form = FORMATS[name]
        mapping = _mapping(form, length_by_column)
        if mapping and _fits(form, rows, mapping):
            return Guess(name, mapping)
    return None


def _mean_lengths(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean characters of the texts in each column that holds texts."""
    texts: dict[str, list[int]] = {}
    for row in rows:
        for column, value in row.items():
            if isinstance(value, str) and value.strip():
                texts.setdefault(column, []).append(len(value))
    return {column: sum(lengths) / len(lengths) for column, lengths in texts.items()}


def _mapping(form: Format, length_by_column: Mapping[str, float]) -> dict[str, str] | None:
    mapping: dict[str, str] = {}
    for field in sorted(form.needs[0], key=("answer", "label", "context", "question", "text").index):
        fitting = [column for column in length_by_column if column not in mapping.values() and _WORDS[field] & set(_words(column))]
        if field == "answer":
            fitting = [column for column in fitting if length_by_column[column] >= _LONG_ANSWER] or fitting
        if not fitting:
            return None
        mapping[field] = max(fitting, key=lambda column: (length_by_column[column], column))
    return {field: mapping[field] for field in form.needs[0]}


def _words(column: str) -> list[str]:
    """The words of a column's name in small letters, also of camelCase and of Chinese characters."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return [word.lower() for word in _WORD.findall(spaced)]


def _fits(form: Format, rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str]) -> bool:
    fitting = 0
    for row in rows:
        columns = form.columns(tuple(row), mapping)
        if columns is None:
            continue
        try:
            form.attempt(row, columns)
        except Unfit:
            continue
        fitting += 1
    return fitting >= _FITTING * len(rows) > 0
