"""Mixed encodings: lines of several programs in one file, some UTF-8 and some Windows-1252, each read as what it is."""

from __future__ import annotations

import codecs
import io
import re
from typing import Any, BinaryIO, Literal

LineKind = Literal["ascii", "utf-8", "doubtful", "broken", "other"]
"""`doubtful` is valid UTF-8 that may be Windows-1252 by accident; `broken` is mostly UTF-8 with bytes that are not; `other` is neither."""

_MAX_LINE_BYTES = 1024 * 1024
_ASCII = bytes(range(128))
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_NO_ACCIDENT = re.compile("[\xa0-\u017f\u0800-\U0010ffff]")
"""Characters that valid UTF-8 hardly gives when it is another encoding: accented letters of Latin, and those of three bytes and more.

Pairs of bytes beyond these do come by accident: in Windows-1252 a capital letter before a quotation mark is one ("CAFÉ’" ends on
U+0252), and so are some words in the encodings of Chinese and Japanese.
"""
_LONGEST_CHARACTER = 4
_LONGEST_ACCIDENT = 3
"""Characters beyond ASCII. A line with more of them, and no byte that does not fit, is UTF-8 whatever they are: Cyrillic, Greek, Arabic."""


def kind_of_line(line: bytes) -> LineKind:
    """What a line, or a part of one that cuts no character, is written in."""
    if line.isascii():
        return "ascii"
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        bad = len(_ESCAPED_BYTE.findall(line.decode("utf-8", "surrogateescape")))
        good = len(line.translate(None, _ASCII)) - bad
        return "broken" if good > 2 * bad else "other"
    beyond = len(line) - len(text)  # one for each character of two bytes; one of more bytes is no accident
    return "utf-8" if beyond > _LONGEST_ACCIDENT or _NO_ACCIDENT.search(text) else "doubtful"


def as_utf_8(line: bytes, *, mostly: str) -> bytes:
    """The line in UTF-8. Bytes that fit neither encoding stay as they are, so that the reader finds them.

    `mostly` is what most lines of the file are written in, "utf-8" or "cp1252": it decides where both would do.
    """
    kind = kind_of_line(line)
    if kind in ("ascii", "utf-8") or (kind == "doubtful" and mostly == "utf-8"):
        return line
    byte_by_byte = line.decode("utf-8", "winnow-1252").encode("utf-8", "surrogateescape")
    if kind == "broken" or (mostly == "utf-8" and byte_by_byte == line):  # nothing but characters that were cut off
        return byte_by_byte
    try:
        return line.decode("cp1252").encode("utf-8")
    except UnicodeDecodeError:
        return line


def _read_as_1252(error: UnicodeError) -> tuple[str, int]:
    """A single byte becomes its character of Windows-1252. Several are the beginning of a character that was cut off, and stay."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    if len(bad) == 1:
        try:
            return bad.decode("cp1252"), error.end
        except UnicodeDecodeError:
            pass
    return bad.decode("ascii", "surrogateescape"), error.end


codecs.register_error("winnow-1252", _read_as_1252)


def mended(stream: BinaryIO, *, mostly: str) -> BinaryIO:
    """The bytes of a stream with each line in UTF-8 as `as_utf_8` gives it."""
    return io.BufferedReader(_Mended(stream, mostly), _MAX_LINE_BYTES)


class _Mended(io.RawIOBase):
    def __init__(self, stream: BinaryIO, mostly: str) -> None:
        self.stream = stream
        self.mostly = mostly
        self._waiting = b""
        self._cut = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._waiting:
            line = self._cut + self.stream.readline(_MAX_LINE_BYTES)
            self._cut = b""
            if not line:
                return 0
            if len(line) >= _MAX_LINE_BYTES and not line.endswith(b"\n"):
                line, self._cut = _without_cut_character(line)
            self._waiting = as_utf_8(line, mostly=self.mostly)
        size = min(len(buffer), len(self._waiting))
        buffer[:size], self._waiting = self._waiting[:size], self._waiting[size:]
        return size


def _without_cut_character(part: bytes) -> tuple[bytes, bytes]:
    """A part of a line without the character, of either encoding, that it may end within, and the bytes of that character."""
    for size in range(1, _LONGEST_CHARACTER + 1):
        if part[-size] >= 0xC0:
            return part[:-size], part[-size:]
    return part, b""
