"""Conflict: how much two answers to the same question contradict each other, from cheap signs."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.checks._json_schema import JsonSchema, fields
from pipelines.checks._refusals import find_refusal

_YES = re.compile(r"\W*(?:yes|yep|true|correct|ja|oui|sí|si|sim|はい)\b|\W*(?:是的|是|对|可以|有)(?=[，。,. ]|$)", re.IGNORECASE)
_NO = re.compile(r"\W*(?:no|nope|false|incorrect|nein|non|nee|não|いいえ)\b|\W*(?:不是|不|不可以|没有|否)(?=[，。,. ]|$)", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not|no|never|cannot|without|none|nor|\w+n['’]t|nicht|kein\w*|nie|ohne|ne|pas|jamais|sans|nunca|sin|mai|senza|niet|geen|nooit)\b"
    r"|不|没|无法|未",
    re.IGNORECASE,
)
_CONTRARY = re.compile(
    r"\W*(?:(?:no, )?(?:on|quite) the contrary|contrary to (?:this|that|what|the)|(?:exactly |just )?the opposite is"
    r"|(?:this|that|it) is (?:not true|untrue|wrong|false|incorrect)|im gegenteil|das stimmt nicht|(?:bien )?au contraire"
    r"|(?:todo )?lo contrario|al contrario|integendeel|正好相反|恰恰相反)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SAID = r"####|\b(?:final )?answer(?: is)?\b|答案(?:是|为)?"
_LAST_NUMBER = r"\s*[:：]?\s*\$?(-?\d+(?:[.,]\d+)*)\D{0,12}$"
_MARKED, _FINAL = (re.compile(f"(?:{before}){_LAST_NUMBER}", re.IGNORECASE) for before in (_SAID, f"{_SAID}|="))
_WORD = re.compile(r"[\u3000-\ud7ff]|[^\W_\u3000-\ud7ff]+")
_CODE_SIGNS = "{}();=<>[]"
_SHORT = 6
"""An answer of at most so many words is a label, a name or a number: another one is another answer."""

CERTAIN = 0.5
"""Above it, a sign of contradiction was seen; up to it, the texts merely differ."""


@dataclass(frozen=True)
class Answer:
    """What is compared of an answer. Each sign is looked for once, however many answers it is compared with."""

    text: str
    labels: dict[str, Any] | None = None
    """Label-like fields of a JSON answer by path; None for other answers."""

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word occurs, capital letters aside; a Chinese, Japanese or Korean character is one."""
        return Counter(_WORD.findall(self.text.lower()))

    @cached_property
    def length(self) -> int:
        """In words."""
        return self.words.total()

    @cached_property
    def is_short(self) -> bool:
        """Whether it is a label, a name or a number, by its length."""
        return sum(1 for _ in itertools.islice(_WORD.finditer(self.text), _SHORT + 1)) <= _SHORT

    @cached_property
    def polarity(self) -> str:
        """Whether it begins with yes or with no."""
        return "no" if _NO.match(self.text) else "yes" if _YES.match(self.text) else ""

    @cached_property
    def contradicts(self) -> bool:
        """Whether it begins by saying the contrary of something."""
        return _CONTRARY.match(self.text) is not None

    @cached_property
    def refuses(self) -> bool:
        """Whether it declines."""
        return find_refusal(self.text) is not None

    @cached_property
    def is_code(self) -> bool:
        """Whether more than one in 25 characters is a sign of code."""
        return sum(map(self.text.count, _CODE_SIGNS)) * 25 > len(self.text)

    @cached_property
    def result(self) -> str | None:
        """The final number of a worked answer."""
        final = _FINAL.search(self.text)
        return final[1] if final else None

    @cached_property
    def marked_result(self) -> str | None:
        """The final number where a mark says that it is the answer."""
        marked = _MARKED.search(self.text)
        return marked[1] if marked else None

    @cached_property
    def numbers(self) -> Counter[str]:
        """All its numbers."""
        return Counter(_NUMBER.findall(self.text))

    @cached_property
    def negations(self) -> int:
        """How often it says no, not, never."""
        return len(_NEGATION.findall(self.text))

    def distance(self, other: Answer) -> float:
        """The share of different words, from 0 to 1: a weighted Jaccard distance."""
        shorter, longer = (self, other) if len(self.words) < len(other.words) else (other, self)
        counts = longer.words.get
        shared = sum(min(n, counts(word, 0)) for word, n in shorter.words.items())
        return 1 - shared / max(self.length + other.length - shared, 1)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for answers that need not be compared."""
        return (self.text,) if self.labels is None else (self.text, *sorted((path, str(value)) for path, value in self.labels.items()))


def json_answer(value: dict[str, Any], schema: JsonSchema) -> Answer:
    """An answer in JSON, by its choices, numbers and truth values, and by its texts."""
    found = [f for f in fields(value) if f.value is not None and "[]" not in f.path]
    labels = {f.path: f.value for f in found if f.path in schema.label_paths}
    return text_answer(" ".join(str(f.value) for f in found if f.path not in labels), labels)


def text_answer(text: str, labels: dict[str, Any] | None = None) -> Answer:
    """An answer in words."""
    return Answer(text.strip(), labels)


def conflict(one: Answer, other: Answer, *, labels_only: bool = False) -> tuple[float, str]:
    """0 to 1, with what is seen: above CERTAIN a contradiction, up to it the share of different words."""
    if one.labels is not None and other.labels is not None:
        pairs = {path: (one.labels[path], other.labels[path]) for path in sorted(one.labels.keys() & other.labels.keys())}
        differing = [f"{path}: {_shown(left)} or {_shown(right)}" for path, (left, right) in pairs.items() if left != right]
        if differing:
            return CERTAIN + (1 - CERTAIN) * len(differing) / len(pairs), "; ".join(differing)
    short = one.is_short and other.is_short
    if labels_only and not short:
        return 0.0, ""
    return _text_conflict(one, other, short=short and one.labels is None)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text_conflict(one: Answer, other: Answer, *, short: bool) -> tuple[float, str]:
    if one.words == other.words:
        return 0.0, ""
    distance = one.distance(other)
    if {one.polarity, other.polarity} == {"yes", "no"}:
        return 1.0, "yes or no"
    if one.refuses != other.refuses and distance > 0.5:
        return 0.9, "one answers, the other declines"
    if one.refuses and other.refuses:
        return CERTAIN * distance, ""
    if one.contradicts != other.contradicts and distance > 0.3:
        return 0.8, "one says the contrary"
    if short and _is_other_label(one, other, distance):
        return 1.0, f"{one.text[:40]} or {other.text[:40]}"
    if one.marked_result and other.marked_result and one.marked_result != other.marked_result:
        return 0.9, f"{one.marked_result} or {other.marked_result}"
    if one.is_code or other.is_code:
        return CERTAIN * distance, ""  # code says the same with other signs
    if one.result and other.result and one.result != other.result:
        return 0.9, f"{one.result} or {other.result}"
    return _similar_with_a_difference(one, other, distance)


def _is_other_label(one: Answer, other: Answer, distance: float) -> bool:
    """Whether two short answers name different things; "Paris" and "It is Paris" do not."""
    if not re.search(r"\s", one.text + other.text):
        return True
    return distance > 0.5 and bool(one.words - other.words) and bool(other.words - one.words)


def _similar_with_a_difference(one: Answer, other: Answer, distance: float) -> tuple[float, str]:
    """Two texts that are mostly the same words, but for a number or a "not"."""
    if distance <= 0.5 and one.numbers and other.numbers and one.numbers != other.numbers:
        left, right = one.numbers - other.numbers, other.numbers - one.numbers
        return 0.8, f"{', '.join(left) or 'no number'} or {', '.join(right) or 'no number'}"
    if distance <= 0.4 and one.negations % 2 != other.negations % 2:
        return 0.7, "one says not, the other does not"
    return CERTAIN * distance, ""
