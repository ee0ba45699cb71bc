"""Label error: a label that rows with much the same prompt do not have."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._json_schema import learn_schema
from pipelines.checks._json_text import ATTEMPT, read_json
from pipelines.checks._label_odds import label_odds
from pipelines.checks._turns import answer_turns

if TYPE_CHECKING:
    import numpy as np

_FEWEST_RECORDS = 100
_FEWEST_PER_LABEL = 5
_MOST_LABELS = 300
_LONGEST_LABEL = 60
_COVERED = 0.9
_FEWEST_TOLD = 0.4
"""Skill below which the labels cannot be told from the prompts, and nothing is measured."""


@dataclass(frozen=True, slots=True)
class _Labels:
    """One choice that the answers make."""

    field: str
    """Name of the JSON field; empty where the whole answer is the label."""
    rows: np.ndarray
    codes: np.ndarray
    names: list[str]


@check(
    title="Labels that similar rows do not have",
    unit="times as likely",
    group="meaning",
    flag_above=50.0,
    scope="set",
    needs=("embeddings", "prompt_groups"),
)
def label_error(features: SetFeatures) -> Measurements:
    """How many times as likely another label is for this prompt as the one it has, judged by the other rows.

    A wrong label teaches the model the wrong answer, and makes a right one look wrong in an evaluation. Read the prompt and set the label
    that fits, or drop the row where none does.

    Looked at are sets whose answers are few short labels, and fields of JSON answers that hold few different values. With 5 % of the
    labels of 10,003 bank questions (77 intents) changed at random, 91 % of the changed rows are flagged, and 86 % of the flagged rows are
    such. In the set as published 1.5 % of the rows are flagged, and about half of these are mislabelled. A change to a label of nearly the
    same meaning is found less often.
    The same prompt elsewhere in the set has no say, so that copies of an error do not confirm each other. Not measured for labels that
    fewer than 5 rows have, where the prompts do not tell the labels, and in sets of fewer than 100 rows.
    """
    import numpy as np

    values = np.full(len(features.ids), np.nan)
    evidence: list[tuple[Evidence, ...]] = [()] * len(values)
    if len(values) < _FEWEST_RECORDS:
        return Measurements([None] * len(values))
    turns = answer_turns(features.column("messages"), features.column("chosen"))
    for labels in _choices(features):
        vectors = features.embeddings[labels.rows]
        found = label_odds(vectors, labels.codes, features.prompt_groups[labels.rows])
        if found.skill < _FEWEST_TOLD:
            continue
        higher = ~(values[labels.rows] >= found.odds)
        values[labels.rows[higher]] = found.odds[higher]
        for i in np.flatnonzero(higher & (found.odds > 2)).tolist():
            row, other = int(labels.rows[i]), int(found.other[i])
            named = f"{labels.field}: " if labels.field else ""
            note = f"{named}labelled {labels.names[labels.codes[i]]}, similar rows are labelled {labels.names[other]}"
            nearest = int(labels.rows[_nearest(vectors, i, np.flatnonzero(labels.codes == other))])
            evidence[row] = (Evidence(int(turns[row]), record=features.ids[nearest], note=note),)
    return Measurements([None if np.isnan(value) else float(value) for value in values], evidence)


def _nearest(vectors: np.ndarray, row: int, among: np.ndarray) -> int:
    return int(among[(vectors[among] @ vectors[row]).argmax()])


def _choices(features: SetFeatures) -> Iterator[_Labels]:
    """The whole answers, where they are labels, or else the fields of the JSON answers that are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    answers = features.column("answer")
    usable = pc.fill_null(pc.not_equal(features.column("label"), False), True)  # unwanted answers teach nothing
    short = pc.less_equal(pc.fill_null(pc.utf8_length(answers), 0), _LONGEST_LABEL)
    if (pc.sum(pc.cast(pc.and_(short, usable), pa.int64())).as_py() or 0) >= _COVERED * len(answers):
        wanted = pc.if_else(pc.and_(short, usable), pc.utf8_trim_whitespace(answers), "").to_pylist()
        found = _labels("", list(enumerate(wanted)), len(wanted))
        if found is not None:
            yield found
            return
    attempts = pc.and_(pc.match_substring_regex(answers, ATTEMPT), usable)
    if (pc.sum(pc.cast(attempts, pa.int64())).as_py() or 0) < max(_FEWEST_RECORDS, 0.6 * len(answers)):
        return
    read = [
        (row, value) for row, text in enumerate(pc.if_else(attempts, answers, "").to_pylist()) if isinstance(value := _value(text), dict)
    ]
    schema = learn_schema(value for _, value in read)
    for field in sorted(schema.known):
        truth = schema.kinds[field] == {"true or false"}
        if "." not in field and "[]" not in field and (field in schema.labels or truth):
            found = _labels(field, [(row, _text(value.get(field))) for row, value in read], len(read))
            if found is not None:
                yield found


def _value(text: str) -> Any:
    return read_json(text).value if text else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else ""


def _labels(field: str, texts: list[tuple[int, str]], total: int) -> _Labels | None:
    """The labels as numbers; None where these are no labels. Upper and lower case are one."""
    import numpy as np

    counts = Counter(text.casefold() for _, text in texts if text)
    if len(counts) > max(_MOST_LABELS, total // _FEWEST_PER_LABEL):
        return None
    kept = sorted(label for label, seen in counts.items() if seen >= _FEWEST_PER_LABEL)
    if not 2 <= len(kept) <= _MOST_LABELS or sum(counts[label] for label in kept) < _COVERED * total:
        return None
    number = {label: i for i, label in enumerate(kept)}
    some = [(row, number[text.casefold()], text) for row, text in texts if text.casefold() in number]
    if len(some) < _FEWEST_RECORDS:
        return None
    written = {code: text for _, code, text in reversed(some)}
    rows, codes = (np.array([entry[i] for entry in some], np.int64) for i in (0, 1))
    return _Labels(field, rows, codes, [written[i] for i in range(len(kept))])
