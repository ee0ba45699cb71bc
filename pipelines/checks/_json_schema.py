"""JSON schema: which fields the answers of a set usually have, of which type and with which values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_USUAL = 0.8
"""A field of this share of the answers is expected in all."""
_RARE = 0.01
"""A field of a smaller share of the answers is a deviation, and null where a field is null less often."""
_RARE_KIND = 0.05
"""Another type of a field is a deviation when fewer of its values have it."""
_FEWEST = 3
"""A field, type or label that fewer answers have is a deviation."""
_OBJECT, _NULL = "an object", "empty (null)"
_LONGEST_LABEL = 60
_MOST_LABELS = 300
_LABELS_COVER = 0.95
"""A field is a choice of labels when values seen three times or more make up this share of it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value in a JSON answer."""

    path: str
    """Names from the outside in, joined by dots; [] for an element of a list."""
    kind: str
    value: Any
    """The value of a text, number or truth value; None otherwise."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """How one answer differs from the usual."""

    path: str
    note: str
    value: str | None = None
    """The unusual label, when it is one."""


def fields(value: Any, path: str = "") -> Iterator[Field]:
    """All fields of an answer, nested ones after the field they are in."""
    if path:
        yield Field(path, _kind(value), value if isinstance(value, (str, int, float, bool)) else None)
    if isinstance(value, dict):
        for name, part in value.items():
            yield from fields(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for part in value:
            yield from fields(part, f"{path}[]")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return {str: "a text", list: "a list", dict: _OBJECT, type(None): _NULL}[type(value)]


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """What is usual in a set of JSON answers."""

    expected: tuple[str, ...]
    """Paths found in at least 80 % of the answers."""
    known: frozenset[str]
    kinds: dict[str, frozenset[str]]
    labels: dict[str, frozenset[str]]
    """For fields that are a choice: the labels seen three times or more."""

    @property
    def label_paths(self) -> frozenset[str]:
        """Fields that say something comparable: choices, numbers, true or false. Free text is not among them."""
        counted = (path for path, kinds in self.kinds.items() if kinds & {"true or false", "a number"})
        return frozenset(self.labels) | frozenset(counted)

    def deviations(self, answer: dict[str, Any]) -> list[Deviation]:
        """How an answer differs: fields that are missing, unknown, of another type, or with a label that no other answer has."""
        found = list(fields(answer))
        paths = {field.path for field in found}
        objects = {"", *(field.path for field in found if field.kind == _OBJECT)}
        missing = [Deviation(path, f"{path} is missing") for path in self.expected if path not in paths and _parent(path) in objects]
        return missing + [deviation for field in found if (deviation := self._deviation(field))]

    def _deviation(self, field: Field) -> Deviation | None:
        if field.path not in self.known:
            is_first = _parent(field.path) in self.known or not _parent(field.path)
            return Deviation(field.path, f"the other answers have no {field.path}") if is_first else None
        usual = self.kinds[field.path]
        if usual and field.kind not in usual:
            return Deviation(field.path, f"{field.path} is {field.kind}, in the others {' or '.join(sorted(usual))}")
        labels = self.labels.get(field.path)
        if labels is not None and isinstance(field.value, str) and field.value not in labels:
            return Deviation(field.path, f'{field.path} is "{field.value}", which hardly any other answer has', field.value)
        return None


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def learn_schema(answers: Iterable[dict[str, Any]]) -> JsonSchema:
    """The usual fields, types and labels of JSON answers."""
    count = 0
    paths: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    too_many: set[str] = set()
    for answer in answers:
        count += 1
        found = list(fields(answer))
        paths.update({field.path for field in found})
        for field in found:
            kinds[field.path][field.kind] += 1
            if field.kind == "a text" and field.path not in too_many:
                texts[field.path][field.value if len(field.value) <= _LONGEST_LABEL else ""] += 1
                if len(texts[field.path]) > 20 * _MOST_LABELS:  # free text: no need to remember it all
                    too_many.add(field.path)
                    del texts[field.path]
    known = frozenset(path for path, seen in paths.items() if seen >= max(_RARE * count, _FEWEST))
    outer = {path: paths[_parent(path)] if _parent(path) else count for path in known}
    return JsonSchema(
        expected=tuple(path for path in sorted(known) if "[]" not in path and paths[path] >= _USUAL * outer[path]),
        known=known,
        kinds={
            path: frozenset(kind for kind, seen in kinds[path].items() if seen >= max(_rare(kind) * kinds[path].total(), _FEWEST))
            for path in known
        },
        labels={path: labels for path, seen in texts.items() if path in known and (labels := _labels(seen))},
    )


def _rare(kind: str) -> float:
    return _RARE if kind == _NULL else _RARE_KIND


def _labels(seen: Counter[str]) -> frozenset[str] | None:
    """The labels of a choice, or None for free text."""
    frequent = {label: times for label, times in seen.items() if times >= _FEWEST and label}
    if not frequent or len(frequent) > _MOST_LABELS or sum(frequent.values()) < _LABELS_COVER * seen.total():
        return None
    return frozenset(frequent)
