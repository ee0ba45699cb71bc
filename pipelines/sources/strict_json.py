"""Strict JSON: what the JSON standard allows and a trainer can store, with reasons in plain words for the rest.

The standard library reads it, not a faster parser: orjson keeps the last of two equal keys without a word and has no hook
to notice it. Converting and hashing a row cost more than parsing it (measured in tests/benchmarks/bench_import.py).
"""

from __future__ import annotations

import json
import re
from typing import Any

from pipelines.sources.rows import MAX_DEPTH, value_problem


class BadJson(ValueError):
    """Says in one sentence why a text is not JSON that can be used."""


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises BadJson, also on NaN, duplicate keys, lone surrogates, NUL and deep nesting."""
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson(_syntax_reason(error)) from None
    except (RecursionError, ValueError) as error:
        raise BadJson(other_reason(error)) from None
    check_value(value, text)
    return value


def check_value(value: Any, text: str) -> None:
    """Raises BadJson if a parsed value holds what JSON allows but nobody can store. Its text serves to find most values harmless fast."""
    if ("\\u" in text and _SUSPICIOUS_ESCAPE.search(text)) or text.count("{") + text.count("[") > MAX_DEPTH:
        problem = value_problem(value)
        if problem:
            raise BadJson(problem)


def other_reason(error: Exception) -> str:
    """The sentence for an exception of the parser that is not about syntax."""
    if isinstance(error, BadJson):
        return str(error)
    if isinstance(error, RecursionError):
        return f"Its lists and objects are nested deeper than {MAX_DEPTH} levels. Flatten it."
    return "It holds a number with thousands of digits. Put it in quotes."  # int() refuses more than 4,300


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f'The key "{twice}" stands twice in one object. Keep one of the two.')
    return unique


def _refuse_constant(name: str) -> Any:
    raise BadJson(f"{name} is not JSON. Write null or a number.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BadJson(f"The number {text[:40]} is too large. Put it in quotes.")
    return number


DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite)
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_PLAIN_WORDS = {
    "Expecting value": "a value is missing or not quoted",
    "Expecting ',' delimiter": "a comma is missing, or a quote inside a text is not escaped",
    "Expecting ':' delimiter": "the colon after a key is missing",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing (a comma too many, or single quotes)",
    "Illegal trailing comma before end of object": "there is a comma too many before the closing brace",
    "Illegal trailing comma before end of array": "there is a comma too many before the closing bracket",
    "Unterminated string starting at": "the text that starts here has no closing quote",
    "Invalid control character at": "a line break, tab or other control character inside a text is not escaped",
    "Invalid \\escape": "a backslash inside a text is not escaped",
    "Invalid \\uXXXX escape": "a \\u escape is not followed by four hexadecimal digits",
    "Extra data": "there is more text after the end of the value",
}


def _syntax_reason(error: json.JSONDecodeError) -> str:
    text, position = error.doc, error.pos
    if "\x00" in text:
        return "It holds a NUL byte. Take it out."
    if position >= len(text.rstrip()) or (error.msg.startswith("Unterminated") and '"' not in text[position + 1 :]):
        return "It is cut off: the JSON is not closed. Complete it or take it out."
    if error.msg == "Expecting value" and not text[:position].strip():
        return "It is not JSON: a row begins with an opening brace."
    what = next((words for start, words in _PLAIN_WORDS.items() if error.msg.startswith(start)), error.msg)
    return f"It is not valid JSON at character {position + 1}: {what}."
