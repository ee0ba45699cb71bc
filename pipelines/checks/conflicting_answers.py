"""Conflicting answers: the same question with answers that cannot both be right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._conflict import CERTAIN, Answer, conflict, json_answer, text_answer
from pipelines.checks._json_schema import JsonSchema, learn_schema
from pipelines.checks._json_text import ATTEMPT, read_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_MOST_COMPARED = 100
_SAME_PROMPT = 0.9
_FEWEST_SHARED = 8


@check(
    title="Same question, conflicting answers",
    unit="degree of conflict",
    group="meaning",
    severity="error",
    flag_above=CERTAIN,
    scope="set",
    needs=("prompt_groups", "near_pairs"),
    version=3,
)
def conflicting_answers(features: SetFeatures) -> Measurements:
    """How much the answer contradicts another answer to the same question, from 0 to 1.

    A model that learns both learns neither. Choose: keep the right answer, and drop or correct the others. All rows of such a question
    are flagged, because only a person can say which is right.

    Above 0.5 there is a sign of contradiction: other labels or numbers in JSON answers, yes against no, another result, an added "not",
    an answer against a refusal, another short answer. Up to 0.5 the answers only differ in words, as two poems do. Rows with labels or
    short answers are also compared with nearly the same question. Among more than 100 different answers to one question each is
    compared with the 100 before it. Unwanted answers of a preference set are left out.
    """
    import numpy as np

    comparison = _Comparison(features)
    groups = features.prompt_groups
    order = np.argsort(groups, kind="stable")
    bounds = np.r_[0, np.flatnonzero(np.diff(groups[order])) + 1, len(order)]
    for several in np.flatnonzero(np.diff(bounds) > 1).tolist():
        members = order[bounds[several] : bounds[several + 1]].tolist()
        if comparison.asks_something(members[0]):
            comparison.compare_all(members)
    comparison.compare_near(features.near_pairs, groups)
    return comparison.measurements()


class _Comparison:
    """Answers read on demand, and the strongest conflict found of each."""

    def __init__(self, features: SetFeatures) -> None:
        self._features = features
        self._ids = features.ids
        self._answers = features.column("answer")
        self._prompts = features.column("prompt")
        self._unwanted = features.column("label")
        self._schema: JsonSchema | None = None
        self._value = [0.0] * len(self._ids)
        self._against: dict[int, tuple[int, str]] = {}

    def asks_something(self, record: int) -> bool:
        """Whether the prompt is not empty: rows without a question do not ask the same."""
        return bool((self._prompts[record].as_py() or "").strip())

    def compare_all(self, members: Sequence[int]) -> None:
        """Every two different answers of one question."""
        by_key: dict[tuple[object, ...], tuple[Answer, list[int]]] = {}
        for member in members:
            if self._is_wanted(member) and (answer := self._read(member)).text + str(answer.labels or ""):
                by_key.setdefault(answer.key, (answer, []))[1].append(member)
        different = list(by_key.values())
        for i, (answer, rows) in enumerate(different):
            for other, other_rows in different[max(i - _MOST_COMPARED, 0) : i]:
                self._note(rows, other_rows, *conflict(other, answer))

    def compare_near(self, pairs: pa.Table, groups: np.ndarray) -> None:
        """Labels and short answers of two questions that are the same but for a word or two."""
        left, right = (pairs.column(side).to_numpy() for side in ("left", "right"))
        other_question = groups[left] != groups[right]
        for one, other in zip(left[other_question].tolist(), right[other_question].tolist(), strict=True):
            if not (self._is_wanted(one) and self._is_wanted(other)):
                continue
            value, note = conflict(self._read(one), self._read(other), labels_only=True)
            if value and self._is_same_question(one, other):
                self._note([other], [one], value, note)

    def measurements(self) -> Measurements:
        """The strongest conflict of each record."""
        turns = self._features.answer_turns
        evidence: list[tuple[Evidence, ...]] = [()] * len(self._ids)
        for record, (other, note) in self._against.items():
            turn = int(turns[record]) if turns[record] >= 0 else None
            evidence[record] = (Evidence(turn, record=self._ids[other], note=note),)
        return Measurements(self._value, evidence)

    def _note(self, rows: Sequence[int], other_rows: Sequence[int], value: float, note: str) -> None:
        for these, those in ((rows, other_rows), (other_rows, rows)):
            for record in these:
                if value > self._value[record]:
                    self._value[record] = value
                    self._against[record] = (those[0], note or "other words")

    def _is_wanted(self, record: int) -> bool:
        return self._unwanted[record].as_py() is not False

    def _read(self, record: int) -> Answer:
        text = self._answers[record].as_py() or ""
        value = read_json(text).value if text.lstrip()[:1] in ("{", "`") else None
        return json_answer(value, self._usual()) if isinstance(value, dict) else text_answer(text)

    def _usual(self) -> JsonSchema:
        if self._schema is None:
            self._schema = learn_schema(_objects(self._answers))
        return self._schema

    def _is_same_question(self, one: int, other: int) -> bool:
        left, right = (text_answer(self._prompts[record].as_py() or "").words for record in (one, other))
        shared = (left & right).total()
        return shared >= _FEWEST_SHARED and shared >= _SAME_PROMPT * (left | right).total() and not _differs_in_number(left, right)


def _differs_in_number(left: dict[str, int], right: dict[str, int]) -> bool:
    return {word for word in left if word.isdigit()} != {word for word in right if word.isdigit()}


def _objects(answers: pa.ChunkedArray) -> Iterator[dict[str, object]]:
    import pyarrow.compute as pc

    for chunk in answers.chunks:
        for text in chunk.filter(pc.match_substring_regex(chunk, ATTEMPT)).to_pylist():
            if isinstance(value := read_json(text).value, dict):
                yield value
