"""Metric: one question asked of every answer, such as whether it is valid JSON. "Not scored" is None, which is not 0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.evaluation.intervals import Estimate, design_effect, mean, mean_difference, proportion, proportion_difference
from pipelines.evaluation.json_answers import fields, has_keys, label_fields, read_container, same_json, same_scalar, text_fields
from pipelines.evaluation.wording import final_number, length_agreement, overlap, short_form

MOSTLY = 0.8
"""Share of the expected answers from which a set counts as "mostly" of a form."""
SHORT_CHARACTERS = 60
"""A short answer is one line of at most this length."""
FIELD_SHARE = 0.2
"""A label has a metric of its own when at least this share of the expected JSON answers has it. All labels count in field_accuracy."""

Form = Literal["json", "number", "short", "text"]
Direction = Literal["higher", "lower"]
Kind = Literal["proportion", "mean"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to one prompt."""

    text: str
    stopped: bool
    """Whether the model ended the answer by itself, before the limit."""
    loss: float | None = None
    """Mean negative log-likelihood per token of the expected answer with its end of turn, in nats. None when it was not computed."""
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """A score per record, and how it is shown and averaged."""

    name: str
    title: str
    """Plain words for the column of a table."""
    description: str
    """The rule, in one sentence."""
    direction: Direction
    """Which way is better."""
    kind: Kind
    score: Callable[[str, Answer], float | None]
    """(expected answer, answer) -> score; 0 or 1 for a proportion."""
    bounds: tuple[float, float] | None = (0.0, 1.0)
    """The least and the greatest score possible; None when there are none."""

    def to_json(self) -> dict[str, Any]:
        """What a table needs to show the metric."""
        shown = {"title": self.title, "description": self.description, "direction": self.direction, "kind": self.kind}
        return shown | {"is_share": self.bounds == (0.0, 1.0)}


def answer_form(expected: Sequence[str]) -> Form:
    """What most of the expected answers are: JSON objects or arrays, worked answers with "#### number", short answers, or free text."""
    answers = [text for text in expected if text.strip()]
    tests: tuple[tuple[Form, Callable[[str], bool]], ...] = (
        ("json", lambda text: read_container(text) is not None),
        ("number", lambda text: final_number(text) is not None),
        ("short", lambda text: len(text.strip()) <= SHORT_CHARACTERS and "\n" not in text.strip()),
    )
    for form, holds in tests:
        if answers and sum(map(holds, answers)) >= MOSTLY * len(answers):
            return form
    return "text"


def metrics_for(expected: Sequence[str]) -> list[Metric]:
    """The metrics that fit a set of expected answers, most telling first."""
    by_form = {"json": _json_metrics, "number": lambda _: [_NUMBER, _OVERLAP], "short": _short_metrics, "text": lambda _: [_OVERLAP]}
    return [*by_form[answer_form(expected)](expected), *_ALWAYS]


def estimate(metric: Metric, scores: Sequence[float | None], groups: Sequence[int]) -> Estimate:
    """The mean of the scores that there are, with its interval. `groups`: the number of the question behind each row."""
    if metric.kind == "proportion":
        return estimate_share(scores, groups)
    (measured,), kept = _scored(groups, scores)
    return mean(measured, metric.bounds, design_effect(measured, kept))


def estimate_difference(metric: Metric, before: Sequence[float | None], after: Sequence[float | None], groups: Sequence[int]) -> Estimate:
    """The mean of after minus before over the records that both scored, with its paired interval. `groups` as in `estimate`."""
    if metric.kind == "proportion":
        return estimate_share_difference(before, after, groups)
    (first, second), kept = _scored(groups, before, after)
    return mean_difference(first, second, metric.bounds, design_effect(_changes(first, second), kept))


def estimate_share(holds: Sequence[float | None], groups: Sequence[int]) -> Estimate:
    """The share of ones (or True) among what there is, with its interval. `groups` as in `estimate`."""
    (measured,), kept = _scored(groups, holds)
    return proportion(round(sum(measured)), len(measured), design_effect(measured, kept))


def estimate_share_difference(before: Sequence[float | None], after: Sequence[float | None], groups: Sequence[int]) -> Estimate:
    """The share after minus the share before over the rows that have both, with its paired interval. `groups` as in `estimate`."""
    (first, second), kept = _scored(groups, before, after)
    effect = design_effect(_changes(first, second), kept)
    return proportion_difference([b == 1 for b in first], [a == 1 for a in second], effect)


def _scored(groups: Sequence[int], *columns: Sequence[float | None]) -> tuple[list[list[float]], list[int]]:
    """The columns and the groups without the rows in which a score is missing."""
    rows = [(group, scores) for group, *scores in zip(groups, *columns, strict=True) if None not in scores]
    return [[scores[n] for _, scores in rows] for n in range(len(columns))], [group for group, _ in rows]


def _changes(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [a - b for b, a in zip(before, after, strict=True)]


def _json_metrics(expected: Sequence[str]) -> list[Metric]:
    parsed = [value for value in map(read_container, expected) if value is not None]
    labels, texts = label_fields(parsed), text_fields(parsed)
    share = {name: sum(name in fields(value) for value in parsed) / len(parsed) for name in labels}
    metrics = [
        Metric(
            "json_valid", "Valid JSON", "The whole answer is a strict JSON object or array; words around it or a code fence do not count.",
            "higher", "proportion", lambda wanted, answer: _if_json(wanted, lambda _: float(read_container(answer.text) is not None)),
        )
    ]  # fmt: skip
    if any(isinstance(value, dict) for value in parsed):
        metrics.append(
            Metric(
                "schema_keys", "All expected keys", "The answer is JSON with every key of the expected answer, also of its inner objects.",
                "higher", "proportion", _score_keys,
            )
        )  # fmt: skip
    if labels:
        metrics.append(
            Metric(
                "field_accuracy", "Fields right, on average", f"Share of these fields with just the expected value: {', '.join(labels)}.",
                "higher", "mean", lambda wanted, answer: _field_accuracy(wanted, answer, labels),
            )
        )  # fmt: skip
        metrics += [_field_metric(name) for name in labels if share[name] >= FIELD_SHARE]
    if not texts:
        metrics.append(_EXACT_JSON)
    if texts:
        metrics.append(
            Metric(
                "answer_overlap", "Words shared with the expected text",
                f"Token F1 (as in SQuAD) between the texts of these fields, on average: {', '.join(texts)}. 0 when the answer is not JSON.",
                "higher", "mean", lambda wanted, answer: _field_overlap(wanted, answer, texts),
            )
        )  # fmt: skip
    return metrics


def _if_json(expected: str, score: Callable[[Any], float | None]) -> float | None:
    """The score of a record whose expected answer is JSON; the few others of a mostly-JSON set are not scored."""
    wanted = read_container(expected)
    return None if wanted is None else score(wanted)


def _score_keys(expected: str, answer: Answer) -> float | None:
    return _if_json(expected, lambda wanted: float(has_keys(wanted, read_container(answer.text))) if isinstance(wanted, dict) else None)


def _field_metric(name: str) -> Metric:
    def score(expected: str, answer: Answer) -> float | None:
        wanted = fields(read_container(expected))
        return float(_is_right(name, wanted, fields(read_container(answer.text)))) if name in wanted else None

    description = f'The answer is JSON and its field "{name}" has exactly the expected value.'
    return Metric(f"field:{name}", f"Right {name}", description, "higher", "proportion", score)


def _is_right(name: str, wanted: dict[str, Any], given: dict[str, Any]) -> bool:
    return name in given and same_scalar(wanted[name], given[name])


def _field_accuracy(expected: str, answer: Answer, labels: Sequence[str]) -> float | None:
    wanted, given = fields(read_container(expected)), fields(read_container(answer.text))
    asked = [name for name in labels if name in wanted]
    return sum(_is_right(name, wanted, given) for name in asked) / len(asked) if asked else None


def _field_overlap(expected: str, answer: Answer, texts: Sequence[str]) -> float | None:
    wanted, given = fields(read_container(expected)), fields(read_container(answer.text))
    pairs = [(text, given.get(name)) for name in texts if isinstance(text := wanted.get(name), str)]
    scores = [overlap(text, answered) if isinstance(answered, str) else 0.0 for text, answered in pairs]
    return sum(scores) / len(scores) if scores else None


def _score_number(expected: str, answer: Answer) -> float | None:
    wanted = final_number(expected)
    return None if wanted is None else float(final_number(answer.text) == wanted)


def _short_metrics(expected: Sequence[str]) -> list[Metric]:
    """Exact matches; for answers that do not repeat, and so are no labels, the shared words too."""
    forms = [short_form(text) for text in expected if text.strip()]
    return [_EXACT] if len(set(forms)) * 1.5 <= len(forms) else [_EXACT, _OVERLAP]


_EXACT = Metric(
    "exact_match", "Exactly the expected answer", "The same text, whatever its case, spacing, quotes around it and full stop at the end.",
    "higher", "proportion", lambda expected, answer: float(short_form(expected) == short_form(answer.text)) if expected.strip() else None,
)  # fmt: skip
_EXACT_JSON = Metric(
    "exact_match", "Exactly the expected JSON", "The answer is JSON with the same keys and values; the order of keys does not matter.",
    "higher", "proportion", lambda wanted, answer: _if_json(wanted, lambda value: float(same_json(value, read_container(answer.text)))),
)  # fmt: skip
_NUMBER = Metric(
    "exact_match", "Right final number", 'The number after "####" is the expected one (the convention of gsm8k).',
    "higher", "proportion", _score_number,
)  # fmt: skip
_OVERLAP = Metric(
    "answer_overlap", "Words shared with the expected answer",
    "Token F1 as in SQuAD: how many words answer and expected answer share, from 0 (none) to 1 (all).",
    "higher", "mean", lambda expected, answer: overlap(expected, answer.text) if expected.strip() else None,
)  # fmt: skip
_ALWAYS = (
    Metric(
        "answer_loss", "Surprise at the expected answer",
        "Mean negative log-likelihood per token of the expected answer with its end of turn, in nats; 0 means it was certain of it.",
        "lower", "mean", lambda _, answer: answer.loss, None,
    ),
    Metric(
        "length_ratio", "Length like the expected answer",
        "The shorter length divided by the longer, in characters: 1 is the same length, 0.5 is half or twice.",
        "higher", "mean", lambda expected, answer: length_agreement(expected, answer.text),
    ),
    Metric(
        "stopped", "Ended by itself", "The model ended its answer before the limit on its length.",
        "higher", "proportion", lambda _, answer: float(answer.stopped),
    ),
    Metric(
        "empty_answer", "Empty answers", "The answer has no text.",
        "lower", "proportion", lambda _, answer: float(not answer.text.strip()),
    ),
)  # fmt: skip
