"""Packed bytes: a file compressed by gzip, bzip2, xz or Zstandard, unpacked while it is read."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Literal

Packing = Literal["gzip", "bzip2", "xz", "Zstandard"]

ENDINGS = (".gz", ".bz2", ".xz", ".zst")
MAX_RATIO = 1_000
"""No file of rows shrinks to a thousandth: one that grows so much when unpacked is made to fill the disk."""
MIN_BOMB_BYTES = 256 * 1024 * 1024
"""Below this nothing is taken for a bomb, however well it was packed."""
_CHUNK_BYTES = 1024 * 1024
_MAX_XZ_MEMORY = 512 * 1024 * 1024
_MARKS: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "Zstandard"}


def packing_of(start: bytes) -> Packing | None:
    """How a file that begins so is compressed; None when it is not."""
    return next((packing for mark, packing in _MARKS.items() if start.startswith(mark)), None)


def without_packing(name: str) -> str:
    """A file's name in small letters without the ending of its compression."""
    name = name.lower()
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked if it is compressed: judged by its first bytes."""
    file = path.open("rb")
    packing = packing_of(file.read(8))
    file.seek(0)
    return io.BufferedReader(_Unpacked(file, packing), _CHUNK_BYTES) if packing else file


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a compressed file. At a damaged place it ends and says so, with all that came before already given out.

    The standard library's readers raise there instead, and take up to a buffer of good bytes along.
    """

    def __init__(self, packed: BinaryIO, packing: Packing) -> None:
        self.packed = packed
        self.packing = packing
        self.problem = ""
        self._decoder = _decoder(packing)
        self._waiting = b""
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._waiting and not self.problem:
            if self._decoder.eof:  # a compressed file may hold several streams, one behind the other
                following = self._decoder.unused_data or self.packed.read(_CHUNK_BYTES)
                if not following.strip(b"\0"):
                    return 0
                self._decoder = _decoder(self.packing)
            else:
                following = self._left_over() or (self.packed.read(_CHUNK_BYTES) if self._needs_more else b"")
            self._unpack(following)
        size = min(len(buffer), len(self._waiting))
        buffer[:size], self._waiting = self._waiting[:size], self._waiting[size:]
        return size

    def _left_over(self) -> bytes:
        return self._decoder.unconsumed_tail if self.packing == "gzip" else b""

    @property
    def _needs_more(self) -> bool:
        return self.packing == "gzip" or self._decoder.needs_input

    def _unpack(self, packed: bytes) -> None:
        is_at_end = not packed and self._needs_more
        try:
            self._waiting = self._decoder.decompress(packed, _CHUNK_BYTES)
        except _errors(self.packing):
            self.problem = "damaged"
        if is_at_end:
            self.problem = "damaged"
        self._given += len(self._waiting)
        if self._given > max(MIN_BOMB_BYTES, MAX_RATIO * self.packed.tell()):
            self.problem = "bomb"

    def close(self) -> None:
        super().close()
        self.packed.close()


def _decoder(packing: Packing) -> Any:
    if packing == "gzip":
        return zlib.decompressobj(wbits=31)
    if packing == "bzip2":
        return bz2.BZ2Decompressor()
    if packing == "xz":
        return lzma.LZMADecompressor(memlimit=_MAX_XZ_MEMORY)
    from backports import zstd

    return zstd.ZstdDecompressor()


def _errors(packing: Packing) -> tuple[type[Exception], ...]:
    if packing == "Zstandard":
        from backports import zstd

        return (zstd.ZstdError, OSError, EOFError)
    return (zlib.error, lzma.LZMAError, OSError, EOFError)


def _unpacked(stream: BinaryIO) -> _Unpacked | None:
    raw = stream.raw if isinstance(stream, io.BufferedReader) else None
    return raw if isinstance(raw, _Unpacked) else None


def bytes_read(stream: BinaryIO) -> int:
    """How far into the file on disk a stream of open_bytes has come."""
    unpacked = _unpacked(stream)
    return unpacked.packed.tell() if unpacked else stream.tell()


def is_compressed(stream: BinaryIO) -> bool:
    """Whether a stream of open_bytes is unpacked on the way."""
    return _unpacked(stream) is not None


def is_damaged(stream: BinaryIO) -> bool:
    """Whether a stream of open_bytes ended before its compressed file did: it is damaged there, or grows without measure."""
    unpacked = _unpacked(stream)
    return unpacked is not None and bool(unpacked.problem)


def damage(stream: BinaryIO) -> str:
    """The sentence for a stream of which is_damaged holds."""
    unpacked = _unpacked(stream)
    if unpacked is not None and unpacked.problem == "bomb":
        return f"The compressed file grows to more than {MAX_RATIO:,} times its size. Unpack it and import what it holds."
    return "The compressed file is damaged from here on. Compress it again; the rows before were read."
