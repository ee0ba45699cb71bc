"""JSON lines: one object a line. The line number is the row number; blank lines are not rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from pipelines.sources.encoding import Encoding, bytes_of, open_text, undecodable
from pipelines.sources.rows import MAX_RAW_CHARACTERS, MAX_ROW_BYTES, TOO_LONG, RawRow, Rejection, kind_of
from pipelines.sources.strict_json import BadJson, parse_json

_BLANKS = " \t\r\n\v\f"
"""What a blank line may hold. Not every character that Python calls white space: a stray byte 0x85 is a broken row, not none."""


def read_json_lines(stream: BinaryIO, file: str, encoding: Encoding) -> Iterator[RawRow | Rejection]:
    """The rows of a stream that has just been opened."""
    lines = _byte_lines(stream, encoding) if encoding.keeps_ascii else _text_lines(open_text(stream, encoding), encoding)
    for row, (text, problem) in enumerate(lines, 1):
        if problem is None:
            if not text.strip(_BLANKS):
                continue
            try:
                value = parse_json(text)
            except BadJson as error:
                problem = str(error)
            else:
                if type(value) is dict:
                    yield RawRow(file, row, value, text)
                    continue
                problem = f'It is {kind_of(value)}, not an object in braces. Write each row as {{"column": value}}.'
        yield Rejection(file, row, problem, text.rstrip("\r\n"))


Line = tuple[str, str | None]
"""The text of a line and why it cannot be read."""


def _byte_lines(stream: BinaryIO, encoding: Encoding) -> Iterator[Line]:
    """Cut at bytes first: several times faster than a text stream, and a character that is not a line end never ends a line."""
    name, readline = encoding.name, bytes_of(stream, encoding).readline
    while line := readline(MAX_ROW_BYTES + 1):
        if len(line) > MAX_ROW_BYTES and not line.endswith(b"\n"):
            while (more := readline(MAX_ROW_BYTES)) and not more.endswith(b"\n"):
                pass
            yield line[: 4 * MAX_RAW_CHARACTERS].decode(name, "backslashreplace"), TOO_LONG
            continue
        try:
            yield line.decode(name), None
        except UnicodeDecodeError as error:
            yield (
                line.decode(name, "backslashreplace"),
                f"It holds bytes that are not {encoding.title} (at byte {error.start + 1}). Save the file as UTF-8.",
            )


def _text_lines(text: io.TextIOWrapper, encoding: Encoding) -> Iterator[Line]:
    """Lines of UTF-16 and UTF-32. A carriage return alone ends a line here too; JSON cannot hold one inside a text."""
    while line := text.readline(MAX_ROW_BYTES // 2):
        if len(line) == MAX_ROW_BYTES // 2 and not line.endswith(("\n", "\r")):
            while (more := text.readline(MAX_ROW_BYTES // 2)) and not more.endswith(("\n", "\r")):
                pass
            yield line[:MAX_RAW_CHARACTERS], TOO_LONG
        else:
            yield line, undecodable(line, encoding)
