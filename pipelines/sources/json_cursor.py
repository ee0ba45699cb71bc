"""JSON cursor: reads a JSON document of any size piece by piece, and finds its way on after a broken piece."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from pipelines.sources.encoding import Encoding, undecodable
from pipelines.sources.rows import MAX_RAW_CHARACTERS, MAX_ROW_BYTES, TOO_LONG
from pipelines.sources.strict_json import DECODER, BadJson, check_value, parse_json

_CHUNK_CHARACTERS = 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")
_OUTSIDE = re.compile(r'["{}\[\],]')
_INSIDE = re.compile(r'["\\\n]')
_LONGEST_INDENT = 200
_INDENT = re.compile(r"[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of a document: parsed, or why it could not be."""

    value: Any
    raw: str
    problem: str | None = None


class JsonCursor:
    """A place in a JSON text. Only the piece at hand and one chunk behind it are in memory."""

    def __init__(self, text: io.TextIOWrapper, encoding: Encoding) -> None:
        self.stream = text
        self.encoding = encoding
        self.text = ""
        self.at = 0
        self.has_ended = False
        self.key_indent = ""

    def peek(self) -> str:
        """The next character that is not white space, or an empty string at the end of the text."""
        while True:
            self.at = _behind_space(self.text, self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._read_more():
                return ""

    def skip(self) -> None:
        """Passes over the character that peek returned."""
        self.at += 1

    def key(self) -> str | None:
        """The key at the cursor, which is then behind its colon; None, and nothing moves, when there is no key."""
        self.key_indent = self._indent()
        while True:
            try:
                key, end = DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError):
                key, end = None, len(self.text)
            behind = _behind_space(self.text, end)
            if behind == len(self.text) and behind - self.at < MAX_ROW_BYTES and self._read_more():
                continue
            if not isinstance(key, str) or self.text[behind : behind + 1] != ":":
                return None
            self.at = behind + 1
            return key

    def first_element(self) -> Any:
        """The first element of the list at the cursor, which does not move; None when it cannot be parsed."""
        while True:
            try:
                return DECODER.raw_decode(self.text, _behind_space(self.text, self.at + 1))[0]
            except (ValueError, RecursionError):
                if len(self.text) - self.at > MAX_ROW_BYTES or not self._read_more():
                    return None

    def value(self, *, is_member: bool = False) -> Piece:
        """The value at the cursor, which is then behind it. The cursor must stand on its first character: call peek before.

        A member is the value of the last key: when it is broken, the next key shows where to go on.
        """
        try:
            value, end = DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError):
            return self._value_by_search(is_member)
        if type(value) is not dict or is_member:  # an object in a list is whole whatever follows it: a row whose comma may be missing
            behind = _behind_space(self.text, end)
            if (behind == len(self.text) and not self.has_ended) or self.text[behind : behind + 1] not in (",", "]", "}", ""):
                return self._value_by_search(is_member)
        raw = self.text[self.at : end]
        self.at = end
        return self._checked(value, raw)

    def _checked(self, value: Any, raw: str) -> Piece:
        problem = undecodable(raw, self.encoding)
        try:
            check_value(value, raw)
        except BadJson as error:
            problem = problem or str(error)
        return Piece(value, raw, problem)

    def _value_by_search(self, is_member: bool) -> Piece:
        """Looks for the end of the value by its brackets and quotes alone, then parses it."""
        indent, opening = (self.key_indent, '"') if is_member else (self._indent(), re.escape(self.text[self.at]))
        next_sibling = re.compile(f"\n{indent}{opening}")
        length = self._length()
        while length is None:
            sibling = next_sibling.search(self.text, self.at + 1)
            if sibling:
                length = sibling.start() - self.at
            elif len(self.text) - self.at > MAX_ROW_BYTES:
                if not is_member and (whole := self._leading_object(self.text[self.at : self.at + MAX_ROW_BYTES])):
                    return whole
                head = self.text[self.at : self.at + MAX_RAW_CHARACTERS]
                self._drop_until(next_sibling)
                return Piece(None, head, TOO_LONG)
            elif not self._read_more():
                length = len(self.text) - self.at
        raw = self.text[self.at : self.at + max(length, 1)].rstrip()
        if not is_member and (whole := self._leading_object(raw)):
            return whole
        self.at += max(length, 1)  # a stray bracket is a piece of its own
        problem = undecodable(raw, self.encoding)
        if problem:
            return Piece(None, raw, problem)
        try:
            return Piece(parse_json(raw.removesuffix(",")), raw)
        except BadJson as error:
            return Piece(None, raw, str(error))

    def _leading_object(self, raw: str) -> Piece | None:
        """The object that a text begins with, passed over: it is whole whatever follows it, a row whose comma is missing. Else None."""
        try:
            value, length = DECODER.raw_decode(raw)
        except (ValueError, RecursionError):
            return None
        if type(value) is not dict:
            return None
        self.at += length
        return self._checked(value, raw[:length])

    def _length(self) -> int | None:
        """Characters up to the comma or bracket behind the value; None when a text breaks off, the document ends, or it is too long."""
        length, depth = 0, 0
        while True:
            found = self._next_mark(_OUTSIDE, length)
            if found is None:
                return len(self.text) - self.at if self.has_ended and depth == 0 else None
            mark, length = found
            if mark == '"':
                closed = self._behind_quote(length)
                if closed is None:
                    return None
                length = closed
            elif mark in "{[":
                depth += 1
            elif depth == 0:
                return length - 1
            elif mark in "}]":
                depth -= 1

    def _behind_quote(self, length: int) -> int | None:
        """Where the text that starts there ends; None at a line break, which a JSON text cannot hold: its closing quote is missing."""
        while True:
            found = self._next_mark(_INSIDE, length)
            if found is None or found[0] == "\n":
                return None
            mark, length = found
            if mark == '"':
                return length
            length += 1  # behind the backslash stands a character that means itself

    def _next_mark(self, marks: re.Pattern[str], length: int) -> tuple[str, int] | None:
        """The next mark after so many characters behind the cursor, and how many it takes to be behind it."""
        while True:
            found = marks.search(self.text, self.at + length)
            if found:
                return found.group(), found.end() - self.at
            length = max(length, len(self.text) - self.at)
            if length > MAX_ROW_BYTES or not self._read_more():
                return None

    def _drop_until(self, next_sibling: re.Pattern[str]) -> None:
        """Gives up a value that is too long: goes on at the next line that starts like it, or at the end of the document."""
        while True:
            self.at = max(self.at, len(self.text) - _LONGEST_INDENT)
            if not self._read_more():
                self.at = len(self.text)
                return
            sibling = next_sibling.search(self.text, self.at)
            if sibling:
                self.at = sibling.start()
                return

    def _indent(self) -> str:
        return _INDENT.search(self.text, max(0, self.at - _LONGEST_INDENT), self.at).group()  # type: ignore[union-attr] # matches always

    def _read_more(self) -> bool:
        if self.has_ended:
            return False
        more = self.stream.read(_CHUNK_CHARACTERS)
        if not more:
            self.has_ended = True
            return False
        kept = max(0, self.at - _LONGEST_INDENT)  # the indentation before a value says where its next sibling starts
        self.text = self.text[kept:] + more
        self.at -= kept
        return True


def _behind_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr] # matches always
