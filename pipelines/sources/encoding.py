"""Encoding: how the bytes of a text file become characters, judged by its bytes and stated when it is not UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipelines.sources.packed import open_bytes

CHUNK_BYTES = 1024 * 1024
HEAD_BYTES = 1024 * 1024
"""How much of a file a preview judges the encoding by."""

_MARKS = (  # the longer mark first: the UTF-32 mark begins with the UTF-16 one
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}
_NOT_IN_CP1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
_BEYOND_ASCII = bytes(range(128, 256))
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file."""

    name: str
    """Python's name of the codec."""
    mark_bytes: int = 0
    """Length of the byte order mark to pass over."""
    note: str = ""
    """What to tell the user; empty for UTF-8."""

    @property
    def title(self) -> str:
        """The encoding's name for people."""
        return _NAMES.get(self.name, self.name.upper().removesuffix("-LE").removesuffix("-BE"))

    @property
    def keeps_ascii(self) -> bool:
        """Whether a line break is always the byte 0x0A, so that lines can be cut before decoding."""
        return not self.name.startswith(("utf-16", "utf-32"))


def detect_encoding(path: Path, *, head_only: bool = False) -> Encoding:
    """The encoding of a text file: by its byte order mark, else UTF-8 where that holds, else UTF-16 or Windows-1252.

    A UTF-8 file with a few broken bytes stays UTF-8: most of its characters beyond ASCII are valid.
    """
    with open_bytes(path) as stream:
        head = stream.read(HEAD_BYTES)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Encoding(name, len(mark), "" if name == "utf-8" else f"read as {name.upper()[:6]}, as its first bytes say")
        wide = _utf_16_without_mark(head)
        if wide:
            return Encoding(wide, 0, "read as UTF-16, judged by its zero bytes")
        return _judge_bytes(_blocks_not_ascii(stream, head, head_only))


def _utf_16_without_mark(head: bytes) -> str | None:
    sample = head[:4096]
    if len(sample) < 4:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > 0.4 * half and sample[::2].count(0) < 0.05 * half:
        return "utf-16-le"
    if sample[::2].count(0) > 0.4 * half and sample[1::2].count(0) < 0.05 * half:
        return "utf-16-be"
    return None


def _blocks_not_ascii(stream: BinaryIO, head: bytes, head_only: bool) -> Iterator[bytes]:
    """The parts of the stream that hold other than ASCII bytes, cut behind an ASCII byte so that no character is cut."""
    chunk, rest = head, b""
    while chunk:
        cut = len(chunk.rstrip(_BEYOND_ASCII))
        whole, rest = (rest + chunk[:cut], chunk[cut:]) if cut else (b"", rest + chunk)
        if not whole.isascii():
            yield whole
        if head_only and len(head) == HEAD_BYTES:
            return
        chunk = stream.read(CHUNK_BYTES)
    if not rest.isascii():
        yield rest


def _judge_bytes(blocks: Iterator[bytes]) -> Encoding:
    valid = broken = 0
    has_unknown_to_cp1252 = False
    for block in blocks:
        try:
            valid += len(block) - len(block.decode("utf-8"))
            continue
        except UnicodeDecodeError:
            text = block.decode("utf-8", "surrogateescape")
        bad = _ESCAPED_BYTE.findall(text)
        broken += len(bad)
        valid += sum(not c.isascii() for c in text) - len(bad)
        has_unknown_to_cp1252 = has_unknown_to_cp1252 or any(byte in block for byte in _NOT_IN_CP1252)
    if broken <= valid:
        return Encoding("utf-8")
    name = "latin-1" if has_unknown_to_cp1252 else "cp1252"
    return Encoding(name, 0, f"read as {_NAMES[name]}, because it is not UTF-8")


def open_text(stream: BinaryIO, encoding: Encoding) -> io.TextIOWrapper:
    """The characters of a stream, line ends as they are. Bytes that do not fit become lone surrogates: see undecodable."""
    stream.read(encoding.mark_bytes)
    errors = "surrogateescape" if encoding.keeps_ascii else "winnow-wide"
    return io.TextIOWrapper(stream, encoding=encoding.name, errors=errors, newline="")


def undecodable(text: str, encoding: Encoding) -> str | None:
    """The sentence for a text of open_text that holds bytes that did not fit, or None."""
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"It holds bytes that are not {encoding.title} (at character {error.start + 1}). Save the file as UTF-8."
    return None


def _mark_wide(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return "\udfff", error.end
    raise error


codecs.register_error("winnow-wide", _mark_wide)
