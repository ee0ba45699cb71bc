"""Fault: the place in the text of a rejected row that its reason speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from json.decoder import JSONDecodeError, JSONDecoder, scanstring  # type: ignore[attr-defined]

_AT = re.compile(r"at character (\d+)")
_TURN = re.compile(r'\b[Tt]urn (\d+) of "([^"]+)"')
_ENTRY = re.compile(r'\b(?:Entry|Instance) (\d+) of "([^"]+)"')
_QUOTED = re.compile(r'"([^"]+)"')
_MARK = re.compile(r"<\|?[\w｜▁/ ]+\|?>|\[/?[A-Z_]+\]|###? ?[A-Z]\w+:")
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """Characters `start` to `end` of a text, from 0. Both are the same where something is missing."""

    start: int
    end: int


def find_fault(text: str, reason: str) -> Fault | None:
    """Where the text of a row is at fault, as far as the reason tells; None when it speaks of the row as a whole."""
    at = _AT.search(reason)
    if at:
        start = min(int(at[1]) - 1, len(text))
        return Fault(start, min(start + 1, len(text)))
    if "cut off" in reason and "not closed" in reason and "turn" not in reason:
        return Fault(len(text.rstrip()), len(text.rstrip()))
    if "half a character" in reason:
        return _match(_HALF, text)
    if "NUL" in reason:
        return _word(text, "\x00") or _word(text, "\\u0000")
    return _fault_inside(text, reason)


def _fault_inside(text: str, reason: str) -> Fault | None:
    for pattern in (_TURN, _ENTRY):
        named = pattern.search(reason)
        if named:
            column = _member(text, named[2])
            return (column and _element(text, column, int(named[1]))) or column
    if "stands twice in one object" in reason:
        key = _QUOTED.search(reason)
        second = text.find(f'"{key[1]}"', text.find(f'"{key[1]}"') + 1) if key else -1
        return Fault(second, second + len(key[1]) + 2) if key and second >= 0 else None
    for quoted in _QUOTED.findall(reason):
        column = _member(text, quoted)
        if column:
            return column
        said = _word(text, quoted.removesuffix("…"))
        if said:
            return said
    marker = _MARK.search(reason)
    return _word(text, marker[0]) if marker else None


def _match(pattern: re.Pattern[str], text: str) -> Fault | None:
    found = pattern.search(text)
    return Fault(found.start(), found.end()) if found else None


def _word(text: str, word: str) -> Fault | None:
    at = text.rfind(word) if word else -1
    return Fault(at, at + len(word)) if at >= 0 else None


def _member(text: str, key: str) -> Fault | None:
    """The value of a key of the object that the text is; None when it is no object or has no such key."""
    at = _after_space(text, 0)
    if text[at : at + 1] != "{":
        return None
    at = _after_space(text, at + 1)
    try:
        while text[at : at + 1] == '"':
            name, at = scanstring(text, at + 1, False)
            at = _after_space(text, at)
            if text[at : at + 1] != ":":
                return None
            start = _after_space(text, at + 1)
            _, end = _DECODER.raw_decode(text, start)
            if name == key:
                return Fault(start, end)
            at = _after_space(text, end)
            at = _after_space(text, at + 1) if text[at : at + 1] == "," else len(text)
    except (JSONDecodeError, RecursionError, ValueError):
        return None
    return None


def _element(text: str, inside: Fault, number: int) -> Fault | None:
    """The element of a list by its number from 1."""
    at = inside.start
    if text[at : at + 1] != "[":
        return None
    at = _after_space(text, at + 1)
    try:
        while at < inside.end and text[at] != "]":
            _, end = _DECODER.raw_decode(text, at)
            number -= 1
            if number == 0:
                return Fault(at, end)
            at = _after_space(text, end)
            at = _after_space(text, at + 1) if text[at : at + 1] == "," else inside.end
    except (JSONDecodeError, RecursionError, ValueError):
        return None
    return None


def _after_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr] # it matches nothing at all
