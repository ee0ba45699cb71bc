"""Kernels: the compiled inner loops of duplicate search.

Importing this module imports numba; the first call of a kernel compiles it for this processor (seconds, then kept on disk).
Kernels hold no lock, so that threads run them side by side, and each call writes only the rows it was given: the number of threads
changes nothing. Texts are bytes of UTF-8 between `starts` and `stops` of a buffer; hashes are 64 bits wide and wrap around.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import int64, njit, uint8, uint32, uint64

from pipelines.duplicates.canonical import Piece
from pipelines.duplicates.characters import BETWEEN, IDEOGRAPH, LETTER, MULTIPLIER, SHINGLE_WEIGHT, SYMBOL, WEIGHTS, Alphabet

Array = np.ndarray
_MULTIPLIER = np.uint64(MULTIPLIER)
_ODD_2 = np.uint64(0xD6E8FEB86659FD93)
_ODD_3 = np.uint64(0xC2B2AE3D27D4EB4F)
_SPACE = np.uint8(32)
_WHOLE = np.uint8(WEIGHTS[LETTER])
_WEIGHTS = np.array(WEIGHTS, dtype=np.uint8)
_UNFILLED = np.uint64(0xFFFFFFFFFFFFFFFF)
_EMPTY_SLOT = np.uint64(0)

_FOLDED = np.arange(256, dtype=np.uint8)
_FOLDED[ord("A") : ord("Z") + 1] += 32
_FOLDED[[9, 10, 11, 12, 13, 28, 29, 30, 31]] = _SPACE


class Sketches(NamedTuple):
    """What is kept of every row's text."""

    keys: Array
    """uint32, one line per band of the sketch, one column per row. Undefined for a row without a word."""
    contents: Array
    """uint64: a hash of the words in their order."""
    sizes: Array
    """int64: the number of shingles; 0 for a row without a word."""


def _compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return njit(nogil=True, cache=True)(kernel)
    except RuntimeError:  # no folder to keep the compiled code in: neither beside this file nor in the user's cache
        return njit(nogil=True)(kernel)


@_compiled
def collapse(buffer: Array, starts: Array, stops: Array, out: Array, out_stops: Array) -> None:
    """Writes ASCII texts, each where it stood, in small letters with one space per run of white space and none at the ends."""
    for row in range(len(starts)):
        end = starts[row]
        before = _SPACE
        for position in range(starts[row], stops[row]):
            byte = _FOLDED[buffer[position]]
            out[end] = byte
            end += ((byte ^ _SPACE) | (before ^ _SPACE)) != 0
            before = byte
        out_stops[row] = end - (end > starts[row] and before == _SPACE)


@_compiled
def sketch_rows(piece: Piece, alphabet: Alphabet, places_per_band: int, seed: int, sketches: Sketches) -> None:
    """Fills in the keys, contents and sizes of the rows of a piece."""
    words, weights, shingles = _scratch(piece)
    bands = sketches.keys.shape[0]
    sketch = np.empty(bands * places_per_band, np.uint64)
    for index, row in enumerate(piece.rows):
        count, made = _read_shingles(piece, index, alphabet, words, weights, shingles)
        sketches.contents[row] = _whole(words, count)
        sketches.sizes[row] = made
        if made > 0:
            _sketch(shingles, made, uint64(seed), words, sketch)
            for band in range(bands):
                code = uint64(band)
                for place in range(band * places_per_band, (band + 1) * places_per_band):
                    code = _mixed(code ^ sketch[place])
                sketches.keys[band, row] = uint32(code >> uint64(32))


@_compiled
def distinct_shingles(piece: Piece, alphabet: Alphabet, offsets: Array, out: Array, counts: Array) -> None:
    """Writes each text's different shingles at offsets[row] of `out`, and how many there are into counts[row]."""
    words, weights, shingles = _scratch(piece)
    table = np.empty(64, np.uint64)
    for index, row in enumerate(piece.rows):
        _, made = _read_shingles(piece, index, alphabet, words, weights, shingles)
        table, mask = _cleared(table, made)
        kept = offsets[row]
        for position in range(made):
            slot = _slot(table, mask, shingles[position])
            if table[slot] == _EMPTY_SLOT:
                table[slot] = shingles[position]
                out[kept] = shingles[position]
                kept += 1
        counts[row] = kept - offsets[row]


@_compiled
def similarities(shingles: Array, offsets: Array, counts: Array, left: Array, right: Array, out: Array) -> None:
    """Exact Jaccard similarity of pairs of rows of `distinct_shingles`. Fastest when equal `left` stand together."""
    table = np.empty(64, np.uint64)
    mask = uint64(0)
    loaded = int64(-1)
    for pair in range(len(left)):
        if left[pair] != loaded:
            loaded = left[pair]
            table, mask = _cleared(table, counts[loaded])
            for position in range(offsets[loaded], offsets[loaded] + counts[loaded]):
                table[_slot(table, mask, shingles[position])] = shingles[position]
        other = right[pair]
        shared = 0
        for position in range(offsets[other], offsets[other] + counts[other]):
            shared += table[_slot(table, mask, shingles[position])] != _EMPTY_SLOT
        out[pair] = shared / (counts[loaded] + counts[other] - shared)


@njit(nogil=True, inline="always")
def _mixed(value: Any) -> Any:
    """A 64-bit number every bit of which depends on every bit of the value."""
    value ^= value >> uint64(32)
    value *= _ODD_2
    value ^= value >> uint64(32)
    value *= _ODD_2
    return value ^ (value >> uint64(32))


@njit(nogil=True)
def _scratch(piece: Piece) -> tuple[Array, Array, Array]:
    """Room for the words, weights and shingles of the longest text: no word is shorter than a byte."""
    longest = 1
    for index in range(len(piece.rows)):
        longest = max(longest, piece.stops[index] - piece.starts[index] + 1)
    return np.empty(longest, np.uint64), np.empty(longest, np.uint8), np.empty(longest, np.uint64)


@njit(nogil=True)
def _read_shingles(piece: Piece, index: int, alphabet: Alphabet, words: Array, weights: Array, shingles: Array) -> tuple[Any, Any]:
    """Reads one text; returns its numbers of words and of shingles."""
    only_words = True
    if piece.is_ascii:
        count = _read_ascii_words(piece.buffer, piece.starts[index], piece.stops[index], alphabet, words)
    else:
        count, only_words = _read_words(piece.buffer, piece.starts[index], piece.stops[index], alphabet, words, weights)
    return count, _shingle(words, weights, count, only_words, shingles)


@njit(nogil=True)
def _read_ascii_words(buffer: Array, start: int, stop: int, alphabet: Alphabet, words: Array) -> Any:
    """The same as `_read_words` for ASCII, twice as fast: the ends of words, which no processor can predict, are not branches."""
    count = int64(0)
    code = uint64(0)
    inside = uint64(0)
    for position in range(start, stop):
        byte = buffer[position]
        multiplier = alphabet.multipliers[byte]
        is_letter = multiplier & uint64(1)
        words[count] = code
        count += int64(inside & ~is_letter)
        inside = is_letter
        code = code * multiplier + alphabet.byte_codes[byte] * is_letter
        if alphabet.roles[byte] == SYMBOL:
            words[count] = alphabet.byte_codes[byte]
            count += 1
            code = uint64(0)
    words[count] = code
    return count + int64(inside)


@njit(nogil=True)
def _read_words(buffer: Array, start: int, stop: int, alphabet: Alphabet, words: Array, weights: Array) -> tuple[Any, bool]:
    """Hashes and weights of a text's words; returns how many there are and whether none is a part of a word."""
    count = int64(0)
    code = uint64(0)
    inside = False
    only_words = True
    position = start
    while position < stop:
        size, role = _character(buffer, position, alphabet.roles)
        if role != LETTER and inside:
            words[count] = code
            weights[count] = _WHOLE
            count += 1
            code = uint64(0)
            inside = False
        if role != BETWEEN:
            for byte in buffer[position : position + size]:
                code = code * _MULTIPLIER + alphabet.byte_codes[byte]
            inside = role == LETTER
            if role != LETTER:
                words[count] = code
                weights[count] = _WEIGHTS[role]
                only_words = only_words and _WEIGHTS[role] == _WHOLE
                count += 1
                code = uint64(0)
        position += size
    if inside:
        words[count] = code
        weights[count] = _WHOLE
        count += 1
    return count, only_words


@njit(nogil=True, inline="always")
def _character(buffer: Array, position: int, roles: Array) -> tuple[Any, Any]:
    """Bytes taken by the character at a position, and its role."""
    byte = uint32(buffer[position])
    if byte < 0x80:
        return 1, roles[byte]
    second = uint32(buffer[position + 1]) & uint32(0x3F)
    if byte < 0xE0:
        return 2, roles[((byte & uint32(0x1F)) << uint32(6)) | second]
    third = uint32(buffer[position + 2]) & uint32(0x3F)
    if byte < 0xF0:
        return 3, roles[((byte & uint32(0x0F)) << uint32(12)) | (second << uint32(6)) | third]
    fourth = uint32(buffer[position + 3]) & uint32(0x3F)
    character = ((byte & uint32(0x07)) << uint32(18)) | (second << uint32(12)) | (third << uint32(6)) | fourth
    return 4, roles[character] if character < len(roles) else uint8(IDEOGRAPH)


@njit(nogil=True)
def _shingle(words: Array, weights: Array, count: Any, only_words: bool, shingles: Array) -> Any:
    """Hashes of the shortest runs of words that weigh SHINGLE_WEIGHT; of the whole text where it weighs less. Never 0."""
    made = max(count - 2, 0) if only_words else int64(0)
    if only_words:
        for first in range(made):
            shingles[first] = _mixed((words[first + 2] * _ODD_3 + words[first + 1]) * _ODD_3 + words[first]) | uint64(1)
    else:
        for last in range(count):
            code = uint64(0)
            weight = 0
            first = last
            while first >= 0 and weight < SHINGLE_WEIGHT:
                code = code * _ODD_3 + words[first]
                weight += weights[first]
                first -= 1
            if weight >= SHINGLE_WEIGHT:
                shingles[made] = _mixed(code) | uint64(1)
                made += 1
    if made == 0 and count > 0:
        shingles[0] = _whole(words, count) | uint64(1)
        made = int64(1)
    return made


@njit(nogil=True)
def _whole(words: Array, count: Any) -> Any:
    """A hash of all the words in their order."""
    code = uint64(count)
    for position in range(count):
        code = (code ^ words[position]) * _ODD_3
    return _mixed(code)


@njit(nogil=True)
def _sketch(shingles: Array, count: int, seed: Any, scratch: Array, sketch: Array) -> None:
    """Fast similarity sketching (Dahlgaard, Knudsen and Thorup, 2017): two sketches agree in a place with probability J.

    Round by round every shingle is thrown into some place, until no place is empty; a place keeps the smallest value of the first
    round that reached it. For a text of 200 words that is a thirtieth of the work of as many independent minima.
    """
    places = len(sketch)
    sketch[:] = _UNFILLED
    for turn in range(2 * places):
        key = _mixed(seed + uint64(turn) * _MULTIPLIER)
        for position in range(count):
            scratch[position] = _mixed(shingles[position] ^ key)
        rank = uint64(turn) << uint64(32)
        for position in range(count):
            code = scratch[position]
            # The second half of the rounds fills one place each: the search ends however few shingles there are.
            place = int64(((code >> uint64(32)) * uint64(places)) >> uint64(32)) if turn < places else turn - places
            sketch[place] = min(sketch[place], rank | (code & uint64(0xFFFFFFFF)))
        if sketch.max() != _UNFILLED:
            return


@njit(nogil=True)
def _cleared(table: Array, entries: int) -> tuple[Array, Any]:
    """An empty hash table with room for twice the entries (reusing the given one if it is large enough), and its mask."""
    slots = 64
    while slots < 2 * entries:
        slots *= 2
    if len(table) < slots:
        table = np.empty(slots, np.uint64)
    table[:slots] = _EMPTY_SLOT
    return table, uint64(slots - 1)


@njit(nogil=True, inline="always")
def _slot(table: Array, mask: Any, shingle: Any) -> Any:
    """Where a shingle is in the table, or the empty slot where it belongs."""
    slot = (shingle >> uint64(20)) & mask
    while table[slot] != _EMPTY_SLOT and table[slot] != shingle:
        slot = (slot + uint64(1)) & mask
    return slot
