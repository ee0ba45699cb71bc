"""Ranked preference format: several answers to a prompt with scores, ranks or a choice; the best and the worst become a pair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.records import Record
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, plain_name
from pipelines.sources.formats.openai import SYSTEM_COLUMNS, TOOL_COLUMNS
from pipelines.sources.formats.preference import PREFERENCE, PROMPT_COLUMNS
from pipelines.sources.rows import kind_of

_TEXT_KEYS = ("response", "text", "content", "answer", "output", "completion", "generation")
_SCORE_KEYS = ("overall_score", "score", "rating", "reward", "fine_grained_score")
_RANK_KEYS = ("rank",)
_FIRST = {"a", "model_a", "response_a", "first", "left", "assistant_a"}
_SECOND = {"b", "model_b", "response_b", "second", "right", "assistant_b"}
_TIES = {"tie", "both", "neither", "equal", "tie (bothbad)", "both_bad", "none", "same"}


def _convert(row: Row, columns: Columns) -> Record:
    if "first" in columns and "second" in columns and "choice" in columns:
        answers, best = [row[columns["first"]], row[columns["second"]]], _chosen(row, columns)
        worst, told = 1 - best, {columns["choice"]: row[columns["choice"]]}
    else:
        answers, best, worst, told = _ordered(row, columns)
    pair: dict[str, Any] = {"chosen": answers[best], "rejected": answers[worst]}
    kept = {name: columns[name] for name in ("prompt", "system", "tools") if name in columns}
    record = PREFERENCE.convert({**row, **pair}, {**kept, "chosen": "chosen", "rejected": "rejected"})
    others = {columns["responses"]: row[columns["responses"]]} if len(answers) > 2 else {}
    return replace(record, meta={**record.meta, **told, **others})


def _ordered(row: Row, columns: Columns) -> tuple[list[Any], int, int, dict[str, Any]]:
    """The answers, which of them are best and worst, and what says so."""
    column = columns["responses"]
    listed = row[column]
    if not isinstance(listed, list) or len(listed) < 2:
        what = f"a list of {len(listed)}" if isinstance(listed, list) else kind_of(listed)
        raise Unfit(f'The column "{column}" is {what}, not a list of two answers or more.')
    answers = [_answer(one, column) for one in listed]
    if "choice" in columns and "scores" not in columns and "ranks" not in columns:
        best = row[columns["choice"]]
        if type(best) is not int or not 0 <= best < len(answers) or len(answers) != 2:
            raise Unfit(f'The column "{columns["choice"]}" does not say which of the {len(answers)} answers is better.')
        return answers, best, 1 - best, {columns["choice"]: best}
    scores, told = _scores(row, columns, listed)
    best, worst = scores.index(max(scores)), scores.index(min(scores))
    if best == worst:
        raise Unfit(f"All of its {len(answers)} answers are judged the same, so none is better than another.")
    return answers, best, worst, told


def _answer(one: Any, column: str) -> Any:
    if isinstance(one, Mapping) and "role" not in one and "from" not in one:
        text = next((one[key] for key in _TEXT_KEYS if isinstance(one.get(key), (str, list))), None)
        if text is None:
            raise Unfit(f'An answer in the column "{column}" holds no text (it has {", ".join(one)}).')
        return text
    return one


def _scores(row: Row, columns: Columns, listed: list[Any]) -> tuple[list[float], dict[str, Any]]:
    """A number for each answer, higher for better, and where it was found."""
    for field, sign in (("scores", 1), ("ranks", -1)):
        if field in columns:
            column = columns[field]
            found = row[column]
            numbers = [_number(value) for value in found] if isinstance(found, list) else []
            if len(numbers) != len(listed) or any(number is None for number in numbers):
                raise Unfit(f'The column "{column}" does not hold a number for each of the {len(listed)} answers.')
            return [sign * number for number in numbers if number is not None], {column: found}
    inside = _inside(listed)
    if inside is None:
        raise Unfit(f'Nothing says which answer of the column "{columns["responses"]}" is better: it needs scores or ranks.')
    return inside, {"scores": inside}


def _inside(listed: list[Any]) -> list[float] | None:
    """Scores that stand in the answers themselves."""
    if not all(isinstance(one, Mapping) for one in listed):
        return None
    named = [{plain_name(key): value for key, value in one.items()} for one in listed]
    for keys, sign in ((_SCORE_KEYS, 1), (_RANK_KEYS, -1)):
        for key in keys:
            numbers = [_number(one.get(key)) for one in named]
            if all(number is not None for number in numbers):
                return [sign * number for number in numbers if number is not None]
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _chosen(row: Row, columns: Columns) -> int:
    """0 when the first of two answers is better, 1 for the second. Raises Unfit for a tie and for what says neither."""
    column = columns["choice"]
    value = row[column]
    plain = plain_name(value) if isinstance(value, str) else ""
    if plain in _TIES or value is None:
        raise Unfit(f'The column "{column}" is {json.dumps(value)}: neither answer is better, so there is nothing to learn from the pair.')
    names = [plain_name(columns[side]) for side in ("first", "second")]
    if plain in names:
        return names.index(plain)
    if plain in _FIRST:
        return 0
    if plain in _SECOND:
        return 1
    number = _number(value) if not isinstance(value, bool) else None
    counts_from_one = names[0].endswith("1") and names[1].endswith("2")
    if number is not None and number - counts_from_one in (0, 1):
        chosen = int(number) - counts_from_one
        return 1 - chosen if names[0] == "human_ref_a" else chosen  # SHP writes 1 where A is better
    raise Unfit(f'The column "{column}" is {json.dumps(value)}, which does not say which of the two answers is better.')


def _fits(row: Row, columns: Columns) -> bool:
    if "first" in columns and "second" in columns and "choice" in columns:
        return True
    listed = row[columns["responses"]] if "responses" in columns else None
    if not isinstance(listed, list) or len(listed) < 2:
        return False
    told = [row[columns[field]] for field in ("scores", "ranks") if field in columns]
    return any(isinstance(found, list) for found in told) or _inside(listed) is not None or ("choice" in columns and not told)


def _sides(*endings: str) -> tuple[str, ...]:
    """The names of the column of one of two answers."""
    return tuple(f"{name}_{ending}" for ending in endings for name in ("response", "answer", "completion", "conversation", "human_ref"))


RANKED_PREFERENCE = Format(
    name="ranked_preference",
    fields={
        "prompt": PROMPT_COLUMNS,
        "responses": ("responses", "completions", "answers", "candidates", "generations", "outputs", "replies", "summaries"),
        "scores": ("scores", "ratings", "rewards", "score", "rating"),
        "ranks": ("ranks", "rankings", "ranking", "rank"),
        "first": _sides("a", "0", "1"),
        "second": _sides("b", "1", "2"),
        "choice": ("winner", "choice", "better_response_id", "preference", "preferred", "better", "best", "label", "labels"),
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(
        ("prompt", "first", "second", "choice"),
        ("first", "second", "choice"),
        ("prompt", "responses", "scores"),
        ("prompt", "responses", "ranks"),
        ("prompt", "responses", "choice"),
        ("prompt", "responses"),
    ),
    convert=_convert,
    fits=_fits,
)
