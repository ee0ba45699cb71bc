"""Prompt echo: an answer that says the question again before, or instead of, answering it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced
from pipelines.checks._turns import ASSISTANT, USER, content_bytes, flow
from pipelines.records import Message

_FEWEST = 6
"""A shorter prompt is repeated for good reasons: "Good morning", "Thank you very much"."""
_OPENING = 120
"""Characters in which the echo of six words begins."""
_LABEL_WORDS = 4
"""An echo may follow a label such as "Question:" or "You asked me:"."""
_SENTENCE_END = re.compile(r"[\"'”’»)\]*]*(?:\s*\Z|\s*[.?!:。？！：؟।]|\s*\n|\s+[A-Z\"“])")
_WORD = r"[\u3000-\ud7ff]|[^\W_\u3000-\ud7ff]+"


@check(title="Answers that repeat the prompt", unit="share of the prompt", group="text", flag_above=0.8)
def prompt_echo(batch: Batch) -> Measurements:
    """Share of the prompt's words that the answer says again, word for word and as a sentence of its own, at its beginning.

    The model would learn to repeat the question. Remove the copy from the answer, or drop the row. A sentence that takes up the
    question and goes on ("If 3 crows eat 30 worms, then …") does not count. Not measured for prompts of fewer than six words.
    """
    import numpy as np

    from pipelines.features.kernels import same_openings

    turns = flow(batch)
    answers = np.flatnonzero((turns.role == ASSISTANT) & (turns.before(turns.role, ASSISTANT) == USER))
    content = batch.turns.column("content")
    text = content_bytes(batch)
    repeats = np.empty(len(answers), np.int8)
    same_openings(text.letters, text.starts, text.stops, answers - 1, answers, _OPENING, _FEWEST, _LABEL_WORDS, repeats)
    values: list[float | None] = [None] * len(batch)
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    for record in turns.record[answers[repeats >= 0]].tolist():
        values[record] = 0.0
    for answer in answers[repeats > 0].tolist():
        record, turn = int(turns.record[answer]), int(turns.turn[answer])
        share, start, end = _echo(content[answer - 1].as_py(), content[answer].as_py())
        if share > (values[record] or 0.0):
            values[record] = share
            evidence[record] = (Evidence(turn, start, end, note="the prompt once more"),)
    return Measurements(values, evidence)


def _echo(asked: str, said: str) -> tuple[float, int, int]:
    """Share of the asked words that are said in a row from the first on, and where."""
    question = [word.group().lower() for word in re.finditer(_WORD, asked)]
    answer = list(re.finditer(_WORD, said))
    best = (0, 0, 0)
    for label in range(min(_LABEL_WORDS + 1, len(answer))):
        length = 0
        for wanted, word in zip(question, answer[label:], strict=False):
            if wanted != word.group().lower():
                break
            length += 1
        if length > best[0] and _SENTENCE_END.match(said, end := answer[label + length - 1].end()):
            best = (length, answer[label].start(), end)
    return best[0] / max(len(question), 1), best[1], best[2]


_AFTER_ECHO = re.compile(r"[\"'”’»)\]*]*\s*[.?!:。？！：]*[\"'”’»)\]*]*\s*(?:(?:answer|response|reply|a)\s*[:：]\s*)?", re.IGNORECASE)
_FEWEST_LEFT = 2
"""Characters that an answer must have without its echo."""


@fix(prompt_echo, title="Take the repeated question out")
def _without_echo(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Begins the answer after the repeated question. An answer that is nothing but the question is left to a person."""
    spans = []
    for found in evidence:
        if found.turn is None or found.end is None:
            continue
        content = turns[found.turn].content
        after = _AFTER_ECHO.match(content, found.end)
        end = after.end() if after else found.end
        if len(content[end:].strip()) < _FEWEST_LEFT:
            return None
        spans.append((found.turn, 0, end, ""))
    return replaced(turns, spans)
