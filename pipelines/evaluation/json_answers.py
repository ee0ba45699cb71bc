"""JSON answer: an answer meant for a program, its fields, and which of them are labels."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.sources.strict_json import BadJson, parse_json

Scalar = str | int | float | bool | None

LABEL_CHARACTERS = 60
"""A label is one line of at most this length."""
ROWS_PER_LABEL = 1.5
"""The values of a label repeat: at most two different values for every three rows."""

_FENCE = re.compile(r"```[ \t]*(?:json|JSON)?[ \t]*\r?\n(.*?)\n?[ \t]*```", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def read_container(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or array that the whole text is, or None. White space around it is allowed, words and code fences are not."""
    if text.strip()[:1] not in ("{", "["):
        return None
    try:
        value = parse_json(text)
    except BadJson:
        return None
    return value if isinstance(value, dict | list) else None


def holds_fenced_json(text: str) -> bool:
    """Whether the text is not JSON itself but has valid JSON inside a ``` fence."""
    return read_container(text) is None and any(read_container(found.group(1)) is not None for found in _FENCE.finditer(text))


def fields(value: Any) -> dict[str, Scalar]:
    """The single values of an object, by name; those of inner objects as outer.inner. Arrays are left out."""
    found: dict[str, Scalar] = {}
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict):
                found |= {f"{name}.{key}": scalar for key, scalar in fields(inner).items()}
            elif not isinstance(inner, list):
                found[name] = inner
    return found


def has_keys(expected: Any, given: Any) -> bool:
    """Whether every key of the expected object, also of its inner objects, is in the given one."""
    if not isinstance(expected, dict):
        return True
    return isinstance(given, dict) and all(name in given and has_keys(inner, given[name]) for name, inner in expected.items())


def label_fields(expected: Sequence[Any]) -> list[str]:
    """The fields to be matched exactly, in order of first appearance: true/false, numbers, and texts that repeat over the set.

    A text field is a label when its texts are single lines of at most LABEL_CHARACTERS characters with at most two different values for
    every three rows that have it.
    """
    return [name for name, values in _values_by_field(expected).items() if _is_label(values)]


def text_fields(expected: Sequence[Any]) -> list[str]:
    """The fields that hold free text, in order of first appearance: texts that are not labels."""
    by_field = _values_by_field(expected)
    return [name for name, values in by_field.items() if not _is_label(values) and any(isinstance(v, str) for v in values)]


def _values_by_field(expected: Iterable[Any]) -> dict[str, list[Scalar]]:
    by_field: dict[str, list[Scalar]] = defaultdict(list)
    for value in expected:
        for name, scalar in fields(value).items():
            by_field[name].append(scalar)
    return by_field


def _is_label(values: Sequence[Scalar]) -> bool:
    texts = [v for v in values if isinstance(v, str)]
    if any(len(text) > LABEL_CHARACTERS or "\n" in text for text in texts):
        return False
    return any(v is not None for v in values) and len(set(texts)) * ROWS_PER_LABEL <= max(len(texts), 0)


def same_json(expected: Any, given: Any) -> bool:
    """Whether two JSON values are the same: objects whatever the order of their keys, arrays in order, single values as same_scalar."""
    if isinstance(expected, dict):
        return isinstance(given, dict) and expected.keys() == given.keys() and all(same_json(expected[k], given[k]) for k in expected)
    if isinstance(expected, list):
        return isinstance(given, list) and len(expected) == len(given) and all(map(same_json, expected, given))
    return same_scalar(expected, given)


def same_scalar(expected: Scalar, given: object) -> bool:
    """Whether two JSON values are the same: 1 and 1.0 are, true and 1, or "1" and 1, are not."""
    if isinstance(expected, bool) or isinstance(given, bool) or isinstance(expected, str) or expected is None:
        return type(expected) is type(given) and expected == given
    return isinstance(given, int | float) and expected == given
