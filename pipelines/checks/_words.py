"""Words: the words of many texts as one array of numbers, so that repeated stretches are found without a loop over rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_BYTES_AT_ONCE = 1 << 20
_BASE = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2^64."""


@dataclass(frozen=True, slots=True)
class Words:
    """All words of all texts, in order. Chinese, Japanese and Korean characters count as a word each."""

    text: np.ndarray
    """Index of the text that a word stands in."""
    hash: np.ndarray
    """uint64; equal for equal words, whatever the case of ASCII letters."""
    start: np.ndarray
    """First byte of the word in its text's UTF-8."""
    end: np.ndarray
    is_number: np.ndarray
    """Whether it is digits only."""


def portions(texts: pa.ChunkedArray) -> Iterator[tuple[int, pa.Array]]:
    """Consecutive pieces of a text column of about 1 MB, each with the index of its first text: what `words` needs grows with it."""
    first = 0
    for chunk in texts.chunks:
        rows = max(1, len(chunk) * _BYTES_AT_ONCE // max(chunk.nbytes, 1))
        for start in range(0, len(chunk), rows):
            yield first + start, chunk.slice(start, rows)
        first += len(chunk)


def words(texts: pa.Array) -> Words:
    """The words of each text: letters and digits between spaces and punctuation."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.fill_null(pc.cast(texts, pa.large_string()), "")
    _, offsets_buffer, bytes_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if bytes_buffer is None or offsets[-1] == offsets[0]:
        none = np.zeros(0, np.int64)
        return Words(none, none.astype(np.uint64), none, none, none.astype(bool))
    letters = np.frombuffer(bytes_buffer, np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    is_start, is_end = _edges(letters, offsets)
    start, end = np.flatnonzero(is_start), np.flatnonzero(is_end) + 1
    text = np.searchsorted(offsets, start, side="right") - 1
    hashes, is_number = _hashes(letters, start, end)
    return Words(text, hashes, start - offsets[text], end - offsets[text], is_number)


def _edges(letters: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each byte, whether a word starts with it and whether one ends with it."""
    import numpy as np

    in_word, stands_alone = _kinds()
    word = in_word[letters]
    first = np.zeros(len(letters) + 1, bool)
    first[offsets[:-1]] = True
    first = first[:-1]
    alone = stands_alone[letters]
    after_alone = np.zeros(len(letters), bool)
    after_alone[3:] = alone[:-3]  # such a character takes three bytes
    begins = word & (first | alone | after_alone)
    begins[1:] |= word[1:] & ~word[:-1]
    ends = np.ones(len(letters), bool)
    ends[:-1] = begins[1:] | ~word[1:] | first[1:]
    return begins, word & ends


def _kinds() -> tuple[np.ndarray, np.ndarray]:
    """Tables by byte value: part of a word; first byte of a character that is a word by itself (U+3000 to U+DFFF)."""
    import numpy as np

    codes = np.arange(256)
    ascii_word = ((codes >= 48) & (codes <= 57)) | ((codes >= 65) & (codes <= 90)) | ((codes >= 97) & (codes <= 122))
    return ascii_word | (codes >= 0x80), (codes >= 0xE3) & (codes <= 0xED)


def _hashes(letters: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each word, its hash and whether it is digits only.

    The hash is a polynomial in an odd base modulo 2^64, taken as a difference of prefix sums and shifted back to the word's start.
    """
    import numpy as np

    codes, powers, inverse_powers = _tables(len(letters))
    until = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(codes[letters] * powers, out=until[1:])
    digits = np.zeros(len(letters) + 1, np.int32)
    np.cumsum((letters >= 48) & (letters <= 57), out=digits[1:])
    hashes = (until[end] - until[start]) * inverse_powers[start] + (end - start).astype(np.uint64)
    return hashes, digits[end] - digits[start] == end - start


def _tables(length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random number for each byte, the same for a capital and its small letter; the powers of the base, and of its inverse."""
    codes = _weights(256)
    codes[65:91] = codes[97:123]
    powers, inverse_powers = _powers(1 << max(length - 1, 1).bit_length())
    return codes, powers[:length], inverse_powers[:length]


@functools.lru_cache(4)
def _powers(length: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    def powers_of(base: int) -> np.ndarray:
        steps = np.full(length, base, np.uint64)
        steps[0] = 1
        return np.cumprod(steps, dtype=np.uint64)

    return powers_of(_BASE), powers_of(pow(_BASE, -1, 1 << 64))


def _weights(count: int) -> np.ndarray:
    import numpy as np

    return np.random.default_rng(20240607).integers(1, 2**63, count, np.uint64) * np.uint64(2) + np.uint64(1)


def stretch_hashes(of: Words, length: int) -> np.ndarray:
    """uint64 per word: hash of the stretch of `length` words that starts with it, in its text; 0 where the text ends sooner."""
    import numpy as np

    count = len(of.hash) - length + 1
    hashes = np.zeros(len(of.hash), np.uint64)
    if count <= 0:
        return hashes
    weights = _weights(length + 1)
    stretch = of.text[:count].astype(np.uint64) * weights[length]
    for k in range(length):
        stretch += of.hash[k : k + count] * weights[k]
    hashes[:count] = np.where(of.text[:count] == of.text[length - 1 :], stretch | np.uint64(1), np.uint64(0))
    return hashes
