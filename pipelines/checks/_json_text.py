"""JSON text: an answer that is meant to be JSON, read strictly, with its faults in plain words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

ATTEMPT = (
    r"^\s*(?:```(?:json|JSON)[ \t]*\n\s*[\[{]"  # a fence that says so
    r"|(?:```[ \t]*\n\s*)?(?:\{\s*(?:\"|\}|'[^'\n]{1,60}'\s*:)|\[\s*(?:\{\s*[\"'}]|\")))"  # {"…  {'…':  [{"…  ["…
)
"""RE2 and `re`: how an answer starts that is clearly meant to be JSON. Not so [Name], [1], {{name}} or a block of code."""

ENDS_EARLY = "the answer ends before the JSON is complete"
_FENCED = re.compile(r"^\s*```(?:json|JSON)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_REASONS = {
    "Expecting property name enclosed in double quotes": "a name in double quotes belongs here",
    "Illegal trailing comma before end of object": "a comma too many before the closing bracket",
    "Illegal trailing comma before end of array": "a comma too many before the closing bracket",
    "Expecting ':' delimiter": "a colon is missing here",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing here",
    "Expecting value": "a value is missing here, or its text is not in double quotes",
    "Unterminated string starting at": "this text has no closing quotation mark",
    "Invalid control character at": "a line break or tab inside a text; in JSON it is written \\n or \\t",
    "Invalid \\escape": "a backslash that starts no known sign; in JSON it is written \\\\",
    "Invalid \\uXXXX escape": "\\u needs four hexadecimal digits",
    "Extra data": "the JSON ends before this text",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a JSON text, and where."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON text as read. `value` is None when it does not parse."""

    value: Any
    faults: tuple[Fault, ...]

    @property
    def is_broken(self) -> bool:
        """Whether it does not parse or repeats a name."""
        return bool(self.faults)


class _NotJson(ValueError):
    """A word such as NaN that Python reads and JSON does not know."""


def read_json(text: str) -> JsonText:
    """The strict reading of a JSON text, within ```json fences or without. Repeated names and NaN are faults."""
    fenced = _FENCED.match(text)
    body, offset = (fenced.group(1), fenced.start(1)) if fenced else (text, 0)
    repeated: list[str] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return built

    try:
        value = json.loads(body, object_pairs_hook=build, parse_constant=_refuse, parse_int=_number)
    except json.JSONDecodeError as error:
        return JsonText(None, _syntax_fault(error, body, offset))
    except _NotJson as error:
        start = offset + max(body.find(str(error)), 0)
        return JsonText(None, (Fault(start, start + len(str(error)), f"{error} is not a JSON value"),))
    except RecursionError:
        return JsonText(None, (Fault(offset, offset + 1, "brackets inside brackets, too deep to read"),))
    return JsonText(value, tuple(_repetition_fault(name, body, offset) for name in repeated))


def _refuse(constant: str) -> NoReturn:
    raise _NotJson(constant)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)  # Python refuses to read longer integers


def _syntax_fault(error: json.JSONDecodeError, body: str, offset: int) -> tuple[Fault, ...]:
    at = error.pos
    if error.msg == "Extra data":
        if _is_lines(body) or _is_code_after_list(body, at):
            return ()
        return (Fault(offset + at, offset + len(body.rstrip()), _REASONS[error.msg]),)
    if not body[at:].strip():
        end = len(body.rstrip())
        return (Fault(offset + max(end - 1, 0), offset + end, ENDS_EARLY),)
    if error.msg == "Unterminated string starting at":
        return (Fault(offset + at, offset + len(body.rstrip()), ENDS_EARLY if "\n" not in body[at:].strip() else _REASONS[error.msg]),)
    return (Fault(offset + at, offset + at + 1, _REASONS.get(error.msg, error.msg)),)


def _is_lines(body: str) -> bool:
    """JSON Lines: each line is JSON by itself."""
    try:
        return all(json.loads(line) is not None for line in body.splitlines() if line.strip())
    except (ValueError, RecursionError):
        return False


def _is_code_after_list(body: str, end: int) -> bool:
    """A list with words or code after it, such as ["a", "b"].length, is not an attempt at JSON."""
    return body.lstrip().startswith("[") and "{" not in body[:end]


def _repetition_fault(name: str, body: str, offset: int) -> Fault:
    places = [match.span() for match in re.finditer(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:", body)]
    start, end = places[1] if len(places) > 1 else (0, 1)
    return Fault(offset + start, offset + end, f'the name "{name}" stands here a second time')
