"""Canonical text: what is left of a text when only writing habits differ.

Capital and small letters, composed and decomposed accents, white space of every kind and invisible characters make no difference;
everything else does. Composition is NFC, not NFKC: NFKC would make 10² equal to 102.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_INVISIBLE = "\u00ad\u200b\u2060\ufeff"
"""Soft hyphen, zero-width space, word joiner, byte order mark. (Joiners of letters and emoji change what is seen and stay.)"""
_FOLDS_INTO_A_LETTER = re.compile("[\u0345\u1f80-\u1fff]")
"""The Greek iota subscript, and the block of the letters that hold one."""


def canonical(text: str) -> str:
    """The canonical form of a text: Unicode canonical caseless form in NFC, white space collapsed, invisible characters left out."""
    if text.isascii():
        return " ".join(text.lower().split())
    for character in _INVISIBLE:  # `in` is thirty times as fast as a pattern, and there mostly is none
        if character in text:
            text = text.replace(character, "")
    if _FOLDS_INTO_A_LETTER.search(text):  # Unicode 3.13, D145: only with these letters the order of the two matters
        text = unicodedata.normalize("NFD", text)
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


class Piece(NamedTuple):
    """Some texts as UTF-8 bytes in one buffer."""

    rows: np.ndarray
    """int64 row numbers."""
    buffer: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    is_ascii: bool
    """Whether these are the texts as they came, all ASCII; otherwise they are in canonical form already."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    first_row: int
    values: pa.LargeStringArray
    buffer: np.ndarray
    offsets: np.ndarray
    is_ascii: np.ndarray | None
    """Per row; None when all are."""


class TextRows:
    """Texts addressed by row number where Arrow keeps them: nothing is copied but the rows that are not plain ASCII."""

    def __init__(self, texts: pa.ChunkedArray | pa.Array) -> None:
        import numpy as np
        import pyarrow as pa

        arrays = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        self._chunks: list[_Chunk] = []
        row = 0
        for array in arrays:
            if len(array):
                self._chunks.append(_chunk(row, array))
                row += len(array)
        self._first_rows = np.array([chunk.first_row for chunk in self._chunks], dtype=np.int64)
        self._count = row

    def __len__(self) -> int:
        return self._count

    def blocks(self, byte_limit: int) -> Iterator[np.ndarray]:
        """All the row numbers in order, in runs of about that many bytes of text and at least one row."""
        import numpy as np

        for chunk in self._chunks:
            sizes = chunk.offsets - chunk.offsets[0]
            start = 0
            while start < len(chunk.values):
                stop = max(int(np.searchsorted(sizes, sizes[start] + byte_limit, side="right")) - 1, start + 1)
                stop = min(stop, start + byte_limit, len(chunk.values))
                yield np.arange(chunk.first_row + start, chunk.first_row + stop, dtype=np.int64)
                start = stop

    def pieces(self, rows: np.ndarray) -> Iterator[Piece]:
        """The texts of the given rows (increasing numbers), one or two pieces for each chunk they lie in."""
        import numpy as np

        if len(rows) == 0:
            return
        first, last = np.searchsorted(self._first_rows, rows[[0, -1]], side="right") - 1
        bounds = np.append(np.searchsorted(rows, self._first_rows[first : last + 1]), len(rows))
        for chunk, start, stop in zip(self._chunks[first : last + 1], bounds[:-1], bounds[1:], strict=True):
            if start == stop:
                continue
            local = rows[start:stop] - chunk.first_row
            plain = np.ones(len(local), dtype=bool) if chunk.is_ascii is None else chunk.is_ascii[local]
            if plain.any():
                kept = local[plain]
                yield Piece(kept + chunk.first_row, chunk.buffer, chunk.offsets[kept], chunk.offsets[kept + 1], is_ascii=True)
            if not plain.all():
                yield _folded(chunk, local[~plain])


def _chunk(first_row: int, array: pa.Array) -> _Chunk:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = array.cast(pa.large_string())
    if values.null_count:
        values = values.fill_null("")
    _, offset_buffer, byte_buffer = values.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    buffer = np.frombuffer(byte_buffer if byte_buffer is not None else b"", dtype=np.uint8)
    buffer.setflags(write=False)  # Arrow's own buffers may be writable; one kind of array means one compilation
    used = buffer[offsets[0] : offsets[-1]]
    all_ascii = len(used) == 0 or int(used.max()) < 0x80
    is_ascii = None if all_ascii else np.asarray(pc.string_is_ascii(values).to_numpy(zero_copy_only=False), dtype=bool)
    return _Chunk(first_row, values, buffer, offsets, is_ascii)


def _folded(chunk: _Chunk, local: np.ndarray) -> Piece:
    import numpy as np
    import pyarrow as pa

    encoded = [canonical(text).encode() for text in chunk.values.take(pa.array(local)).to_pylist()]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    buffer = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return Piece(local + chunk.first_row, buffer, offsets[:-1], offsets[1:], is_ascii=False)
