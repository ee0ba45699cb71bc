"""Encoding: how the bytes of a text file become characters, judged by its bytes and stated when it is not UTF-8."""

from __future__ import annotations

import codecs
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipelines.sources.legacy_encoding import TITLES as _LEGACY_TITLES
from pipelines.sources.legacy_encoding import legacy_encoding
from pipelines.sources.mixed_encoding import LineKind, kind_of_line, mended
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
_TITLES = {"cp1252": "Windows-1252", "latin-1": "Latin-1", **_LEGACY_TITLES}
_NOT_IN_CP1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
_BEYOND_ASCII = bytes(range(128, 256))
_SAMPLE_LINES = 200
"""How many lines that are not UTF-8 are shown to the detector."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file."""

    name: str
    """Python's name of the codec."""
    mark_bytes: int = 0
    """Length of the byte order mark to pass over."""
    note: str = ""
    """What to tell the user; empty for UTF-8."""
    mostly: str = ""
    """Of a file that mixes UTF-8 and Windows-1252: the codec of most lines. Its `name` is then UTF-8, which `bytes_of` makes of all."""

    @property
    def title(self) -> str:
        """The encoding's name for people."""
        return title_of(self.name)

    @property
    def keeps_ascii(self) -> bool:
        """Whether a line break is always the byte 0x0A, so that lines can be cut before decoding."""
        return not self.name.startswith(("utf-16", "utf-32"))


def title_of(codec: str) -> str:
    """The name for people of an encoding."""
    return _TITLES.get(codec, codec.upper().removesuffix("-LE").removesuffix("-BE"))


def detect_encoding(path: Path, *, head_only: bool = False) -> Encoding:
    """The encoding of a text file: by its byte order mark, else UTF-16 by its zero bytes, else by its lines that are not ASCII.

    Where most of these are UTF-8, the others are read as Windows-1252 line by line; where most are not, they are looked at together
    for an older encoding, and what no other explains is Windows-1252.
    """
    with open_bytes(path) as stream:
        head = stream.read(HEAD_BYTES)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Encoding(name, len(mark), "" if name == "utf-8" else f"read as {name.upper()[:6]}, as its first bytes say")
        wide = _utf_16_without_mark(head)
        if wide:
            return Encoding(wide, 0, "read as UTF-16, judged by its zero bytes")
        return _judge_lines(_blocks_not_ascii(stream, head, head_only))


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
    """The parts of the stream that hold other than ASCII bytes: whole lines, or of a longer one parts that end on an ASCII byte."""
    chunk, rest = head, b""
    while chunk:
        cut = chunk.rfind(b"\n") + 1 or len(chunk.rstrip(_BEYOND_ASCII))
        whole, rest = (rest + chunk[:cut], chunk[cut:]) if cut else (b"", rest + chunk)
        if not whole.isascii():
            yield whole
        if head_only and len(head) == HEAD_BYTES:
            return
        chunk = stream.read(CHUNK_BYTES)
    if not rest.isascii():
        yield rest


def _judge_lines(blocks: Iterator[bytes]) -> Encoding:
    """The encoding of most lines that are not ASCII; the note counts the others, and `mostly` says that there are some."""
    kinds: Counter[LineKind] = Counter()
    samples: list[bytes] = []
    for block in blocks:
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            for line in block.split(b"\n"):
                kind = kind_of_line(line)
                kinds[kind] += 1
                if kind == "other" and len(samples) < _SAMPLE_LINES:
                    samples.append(line)
        else:
            kinds["utf-8"] += sum(not line.isascii() for line in block.split(b"\n"))
    strange, native = kinds["other"], kinds["utf-8"] + kinds["broken"]
    if not strange and not kinds["broken"]:
        return Encoding("utf-8")
    if strange <= native + kinds["doubtful"]:
        odd = strange + kinds["broken"]
        lines = "1 line holds" if odd == 1 else f"{odd:,} lines hold"
        return Encoding("utf-8", note=f"{lines} bytes that are not UTF-8: read as Windows-1252 where they can be", mostly="utf-8")
    name = legacy_encoding(samples) or ("latin-1" if any(byte in line for line in samples for byte in _NOT_IN_CP1252) else "cp1252")
    because = f"read as {title_of(name)}, because it is not UTF-8"
    if name in ("cp1252", "latin-1") and native:
        lines = "1 line that is" if native == 1 else f"{native:,} lines that are"
        return Encoding("utf-8", note=f"{because}, but for {lines}", mostly="cp1252")
    return Encoding(name, note=because)


def bytes_of(stream: BinaryIO, encoding: Encoding) -> BinaryIO:
    """The bytes, behind the byte order mark, of a stream that has just been opened: all of them in the encoding's codec."""
    stream.read(encoding.mark_bytes)
    return mended(stream, mostly=encoding.mostly) if encoding.mostly else stream


def open_text(stream: BinaryIO, encoding: Encoding) -> io.TextIOWrapper:
    """The characters of a stream, line ends as they are. Bytes that do not fit become lone surrogates: see undecodable."""
    stream = bytes_of(stream, encoding)
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
