"""JSON demand: what a rule asks of answers that programs read."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.checks._json_text import read_json
from pipelines.checks._json_validator import closed_validator, refers_outside
from pipelines.rules.demand import Breach

if TYPE_CHECKING:
    import pyarrow as pa

Place = Literal["whole", "block", "first"]
"""Where the JSON stands: it is the answer; it is in a ``` block of it; it begins with the first bracket of it."""
_BLOCK = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)
MOST_BREACHES = 20
"""Faults named in one answer."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema that answers must fit (https://json-schema.org; draft 2020-12 unless the schema names another)."""

    schema: str
    """Canonical JSON."""
    place: Place = "whole"

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The answers that are no JSON or do not fit, with the path of each fault."""
        found = {i: self._of(text) for i, text in enumerate(texts.to_pylist())}
        return {i: breaches for i, breaches in found.items() if breaches}

    def _of(self, text: str) -> list[Breach]:
        place = json_place(text, self.place)
        if place is None:
            return [Breach("there is no JSON in it")]
        start, end = place
        read = read_json(text[start:end])
        if read.value is None:
            fault = read.faults[0] if read.faults else None
            return [Breach(fault.reason, start + fault.start, start + fault.end)] if fault else [Breach("it is not JSON")]
        errors = list(_validator(self.schema).iter_errors(read.value))[:MOST_BREACHES]
        return [_breach(error, text, start, end) for error in errors]


def json_place(text: str, place: Place) -> tuple[int, int] | None:
    """Where the JSON of a text begins and ends, or None when there is nothing that could be JSON."""
    if place == "whole":
        return (0, len(text)) if text.strip() else None
    if place == "block":
        block = _BLOCK.search(text)
        return block.span(1) if block else None
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return None
    try:
        _, length = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return start, len(text)
    return start, start + length


def _breach(error: Any, text: str, start: int, end: int) -> Breach:
    """A fault at the place of the last name in its path, when that name stands once in the text."""
    path = [str(step) for step in error.instance_path]
    where = f"{'.'.join(path)}: " if path else ""
    name = json.dumps(path[-1], ensure_ascii=False) if path else ""
    at = text.find(name, start, end) if name else -1
    message = f"{where}{error.message}"[:300]
    if at < 0 or text.find(name, at + 1, end) >= 0:
        return Breach(message)
    return Breach(message, at, at + len(name))


@functools.lru_cache(64)
def _validator(schema: str) -> Any:
    return closed_validator(json.loads(schema))


def schema_fault(schema: Any) -> str | None:
    """Why a JSON Schema cannot be used, or None. A schema that refers to another file or address is refused: nothing is fetched."""
    import jsonschema_rs

    if refers_outside(schema):
        return "it refers to another schema; write it out"
    try:
        closed_validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        return str(error).splitlines()[0]
    return None


@dataclass(frozen=True, slots=True)
class Labels:
    """The answers that are allowed, or the values of one field of JSON answers."""

    allowed: tuple[str, ...]
    field: str | None = None
    """Path of the field, such as category or customer.tier; None for the whole answer."""

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The answers with another label, or without the field."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.field is None:
            is_allowed = pc.is_in(pc.utf8_trim_whitespace(texts), value_set=pa.array(self.allowed, texts.type))
            others = np.flatnonzero(~np.asarray(is_allowed.to_numpy(), bool)).tolist()
            return {i: [Breach(f'"{_short(texts[i].as_py())}" is not one of {self._listed}')] for i in others}
        found = {i: self._of(text, self.field) for i, text in enumerate(texts.to_pylist())}
        return {i: [breach] for i, breach in found.items() if breach}

    @property
    def _listed(self) -> str:
        return ", ".join(self.allowed[:8]) + (f" and {len(self.allowed) - 8} more" if len(self.allowed) > 8 else "")

    def _of(self, text: str, field: str) -> Breach | None:
        value: Any = read_json(text).value
        if value is None:
            return Breach("it is not JSON")
        for name in field.split("."):
            if not isinstance(value, dict) or name not in value:
                return Breach(f"it has no {field}")
            value = value[name]
        label = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if label in self.allowed:
            return None
        at = text.rfind(json.dumps(value, ensure_ascii=False))
        span = (at, at + len(json.dumps(value, ensure_ascii=False))) if at >= 0 else (None, None)
        return Breach(f'{field}: "{_short(label)}" is not one of {self._listed}', *span)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:60] + "…"
