"""Unsupported number: a number in an answer that the passage it was to be taken from does not hold."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import Findings, answer_turns

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?!\w)(?!\.\d)")
_ASKS_TO_RECKON = (
    r"(?i)how (?:many|much|long|old|far)|calculat|comput|total|sum\b|average|percent|convert|estimate|difference|python|code|program"
    r"|berechn|wie ?viel|combien|cuánt|计算|多少"
)
_CONFIDENCE = re.compile(r"(?i)confidence\W{0,4}$")
_WORD = re.compile(r"[^\W\d_]{4,}")
_FEWEST_WORDS = 8
_DRAWN_ON = 0.4


@check(title="Numbers that the given text does not hold", unit="numbers", group="meaning", severity="info", flag_above=0, version=2)
def unsupported_number(batch: Batch) -> Measurements:
    """Number of different numbers in an answer about a given text that neither the text nor the question holds.

    The model would learn to make figures up where it should read them off. Look them up in the text, or drop the row.

    Looked at are answers to prompts with a passage: 600 characters or more, in two paragraphs or more, without an earlier answer, where
    the answer draws two fifths of its longer words from the prompt. Numbers below 13 do not count, nor does a rounded form of a number of
    the text, and rows that ask to calculate are left out. Not measured for other rows.
    """
    import numpy as np
    import pyarrow.compute as pc

    prompts, answers = batch.column("prompt"), batch.column("answer")
    is_long = pc.and_(pc.greater_equal(pc.utf8_length(prompts), 600), pc.match_substring_regex(prompts, r"\n\s*\n"))
    turns = answer_turns(batch.column("messages"), batch.column("chosen"))
    asks = re.compile(_ASKS_TO_RECKON)
    found = Findings(len(batch))
    is_measured = np.zeros(len(batch), bool)
    for row in np.flatnonzero(np.asarray(pc.fill_null(is_long, False))).tolist():
        prompt, answer, system = prompts[row].as_py(), answers[row].as_py() or "", batch.column("system")[row].as_py() or ""
        if turns[row] > (2 if system else 1) or asks.search(prompt.rsplit("\n\n", 1)[-1][-300:]) or not _draws_on(answer, prompt):
            continue
        is_measured[row] = True
        given = _values(prompt) | _values(system)
        told: set[str] = set()
        for match in _NUMBER.finditer(answer):
            is_confidence = bool(_CONFIDENCE.search(answer, max(match.start() - 16, 0), match.start()))
            if match.group() not in told and not is_confidence and not _is_supported(match.group(), given):
                told.add(match.group())
                found.add(row, Evidence(int(turns[row]), *match.span(), note="not in the given text"))
    measured = found.measurements()
    values = [value if known else None for value, known in zip(measured.values, is_measured.tolist(), strict=True)]
    return Measurements(values, measured.evidence)


def _draws_on(answer: str, prompt: str) -> bool:
    """Whether the answer's words are largely the passage's: an essay that only takes a passage as its occasion may bring figures along."""
    words = set(_WORD.findall(answer.casefold()))
    return len(words) >= _FEWEST_WORDS and len(words.intersection(_WORD.findall(prompt.casefold()))) >= _DRAWN_ON * len(words)


def _values(text: str) -> set[float]:
    return {value for match in _NUMBER.finditer(text) for value in _readings(match.group())}


def _readings(number: str) -> set[float]:
    """What a number can mean, with the comma as decimal mark or between thousands."""
    forms = {number.replace(",", ""), number.replace(".", "").replace(",", ".")}
    return {float(form) for form in forms if form.count(".") <= 1 and form}


def _is_supported(number: str, given: set[float]) -> bool:
    readings = _readings(number)
    if not readings or max(readings) < 13:
        return True
    places = len(re.split(r"[.,]", number)[-1]) if re.search(r"[.,]\d+$", number) else 0
    return any(value in given or value / 100 in given or any(round(other, places) == value for other in given) for value in readings)
