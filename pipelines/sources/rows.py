"""Row: what a source holds at one place, read but not yet understood."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_ROW_BYTES = 16 * 1024 * 1024
"""A longer row is rejected, so that one broken file cannot fill the memory."""
MAX_DEPTH = 64
"""Lists and objects inside each other. Real rows stay under ten; deeper ones break every reader that recurses."""
MAX_RAW_CHARACTERS = 100_000
"""How much of a rejected row's text is kept beside its reason. The whole of it is in the kept original."""

TOO_LONG = f"It is longer than {MAX_ROW_BYTES // 1024**2} MiB. Shorten it or split it."


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a source. Its value is strict JSON: text keys, no NaN, whole characters, at most MAX_DEPTH deep."""

    file: str
    """Name of the file in the source, or of the split of a saved data set."""
    row: int
    """From 1: line of a JSONL file, element of a JSON array, row of a CSV or Parquet file."""
    value: dict[str, Any]
    raw: str | None = None
    """The text as found; None where the file holds no text."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that could not be read or understood, with the reason in one sentence."""

    file: str
    row: int
    """As in RawRow; 0 when the whole file could not be read."""
    reason: str
    raw: str = ""

    def __str__(self) -> str:
        return f"{self.file} row {self.row}: {self.reason}" if self.row else f"{self.file}: {self.reason}"


def reject(raw: RawRow, reason: str) -> Rejection:
    """The rejection of a row that was read but not understood."""
    text = raw.raw if raw.raw is not None else json.dumps(raw.value, ensure_ascii=False)
    return Rejection(raw.file, raw.row, reason, text)


_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _NAMES.get(type(value), type(value).__name__)


def text_problem(text: str) -> str | None:
    """Why a text cannot be stored as it is, or None."""
    if "\x00" in text:
        return "It holds a NUL character (U+0000). Take it out."
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            return (
                f"It holds half a character (the lone surrogate U+{ord(text[error.start]):04X}). Write the whole character or take it out."
            )
    return None


def value_problem(value: Any, depth: int = MAX_DEPTH) -> str | None:
    """The first problem of a JSON value's texts or its depth, or None."""
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, (dict, list)):
        if depth == 0:
            return f"Its lists and objects are nested deeper than {MAX_DEPTH} levels. Flatten it."
        parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        return next((problem for part in parts if (problem := value_problem(part, depth - 1))), None)
    return None


def json_value(value: Any) -> Any:
    """A typed value (of a Parquet or Arrow file) as strict JSON: NaN and missing are null, dates are ISO text, bytes are text or base64."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_value(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(part) for part in value]
    if isinstance(value, bytes):
        return _bytes_text(value)
    if hasattr(value, "isoformat"):  # datetime, date, time, and pandas' Timestamp for nanoseconds
        return value.isoformat()
    return str(value)  # Decimal, UUID, timedelta


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode("ascii")
