"""Kernels: compiled loops over the bytes of texts, for checks that count or compare words.

Importing this module imports numba; the first call of a kernel compiles it for this processor (seconds, then kept on disk). Kernels hold
no lock, so that threads run them side by side. Texts are UTF-8 between `starts` and `stops` of a buffer. A word is a run of letters,
digits and bytes beyond ASCII; a Chinese, Japanese or Korean character (U+3000 to U+DFFF) is a word by itself; of A to Z, case is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, uint64

Array = np.ndarray
BREAK, WORD, ALONE = 0, 1, 2
_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
"""Of the hash FNV-1a."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

_CODES = np.arange(256)
_FOLDED = np.where((_CODES >= 65) & (_CODES <= 90), _CODES + 32, _CODES).astype(np.uint8)
_IS_DIGIT = (_CODES >= 48) & (_CODES <= 57)
_KINDS = np.where(_IS_DIGIT | (_FOLDED >= 97) & (_FOLDED <= 122) | (_CODES >= 0x80), WORD, BREAK).astype(np.uint8)
_KINDS[0xE3:0xEE] = ALONE
"""By byte: first bytes of three-byte characters that are words by themselves; other parts of a word; all else."""


def _compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return njit(nogil=True, cache=True)(kernel)
    except RuntimeError:  # no folder to keep the compiled code in: neither beside this file nor in the user's cache
        return njit(nogil=True)(kernel)


@_compiled
def byte_signs(letters: Array, starts: Array, stops: Array, sign_by_byte: Array, signs: Array) -> None:
    """For each text, the union of the signs of its bytes (the lower 16 bits), and the number of its digits, at most 65,535 (the upper)."""
    for row in range(len(starts)):
        found, digits = 0, 0
        for position in range(starts[row], stops[row]):
            found |= sign_by_byte[letters[position]]
            digits += _IS_DIGIT[letters[position]]
        signs[row] = found | (min(digits, 0xFFFF) << 16)


@_compiled
def unequal_pairs(letters: Array, starts: Array, stops: Array, steps: Array, out: Array) -> None:
    """For each text, whether an opening character occurs more or less often than its closing one.

    `steps` says by lead byte and last byte of a character (row 0: a single byte) the pair that it belongs to, as +n or -n; 0 for none.
    Of longer characters, the lead byte and the two next tell them apart: rows 1 and 2 are those of E3 80 xx and EF BC xx.
    """
    balance = np.zeros(steps.max() + 1, np.int64)
    for row in range(len(starts)):
        balance[:] = 0
        position, stop = starts[row], stops[row]
        while position < stop:
            letter = letters[position]
            step = steps[0, letter]
            if letter >= 0xE0 and position + 2 < stop:
                if letter == 0xE3 and letters[position + 1] == 0x80:
                    step = steps[1, letters[position + 2]]
                elif letter == 0xEF and letters[position + 1] == 0xBC:
                    step = steps[2, letters[position + 2]]
                position += 2
            if step > 0:
                balance[step] += 1
            elif step < 0:
                balance[-step] -= 1
            position += 1
        out[row] = (balance != 0).any()


@_compiled
def _next_word(letters: Array, position: int, stop: int) -> tuple[int, int, np.uint64, bool]:
    """Start, end and hash of the first word from a position on, and whether it is digits only; the start is `stop` when there is none."""
    while position < stop and _KINDS[letters[position]] == BREAK:
        position += 1
    start = position
    if start == stop:
        return start, start, _SEED, False
    end = min(start + 3, stop) if _KINDS[letters[start]] == ALONE else start + 1
    if end == start + 1:
        while end < stop and _KINDS[letters[end]] == WORD:
            end += 1
    code, is_number = _SEED, True
    for place in range(start, end):
        code = (code ^ uint64(_FOLDED[letters[place]])) * _PRIME
        is_number &= _IS_DIGIT[letters[place]]
    return start, end, (code ^ (code >> uint64(32))) * _SPREAD, is_number


@_compiled
def repeated_words(
    letters: Array, starts: Array, stops: Array, stretch: int, times: int, tail: int, shares: Array, first: Array, last: Array
) -> None:
    """For each text, the share of its words in stretches of `stretch` words found `times` times or more, at most half of them numbers.

    The share is that of the last `tail` words where it is higher. `first` and `last` are the bytes of the longest repeated run in bytes,
    counted from the text's start.
    """
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    begins, ends = np.empty(longest + 1, np.int64), np.empty(longest + 1, np.int64)
    codes, numbers = np.empty(longest + 1, np.uint64), np.empty(longest + 2, np.int64)
    slots = np.empty(longest + 1, np.int64)
    size = 2
    while size < 2 * longest + 2:
        size *= 2
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    for row in range(len(starts)):
        shares[row], first[row], last[row] = 0.0, 0, 0
        total = _read_words(letters, starts[row], stops[row], begins, ends, codes, numbers)
        if total < stretch + times - 1 or not _count_stretches(codes, total, stretch, times, slots, keys, counts):
            continue
        covered, in_tail, start, end = _cover(begins, ends, numbers, total, stretch, times, tail, counts, slots)
        shares[row] = max(covered / total, in_tail / min(total, tail))
        if covered > 0:
            first[row], last[row] = start - starts[row], end - starts[row]


@_compiled
def _read_words(letters: Array, start: int, stop: int, begins: Array, ends: Array, codes: Array, numbers: Array) -> int:
    """Fills in place and hash of each word, and how many words before it are digits only. Returns the number of words."""
    total = 0
    numbers[0] = 0
    while True:
        begin, end, code, is_number = _next_word(letters, start, stop)
        if begin == stop:
            return total
        begins[total], ends[total], codes[total] = begin, end, code
        numbers[total + 1] = numbers[total] + is_number
        total += 1
        start = end


@_compiled
def _cover(
    begins: Array, ends: Array, numbers: Array, total: int, stretch: int, times: int, tail: int, counts: Array, slots: Array
) -> tuple[int, int, int, int]:
    """How many words stand in repeated stretches, how many of these among the last `tail`, and the longest run of them in bytes."""
    covered, in_tail, until = 0, 0, -1
    run_start, first, last = -1, 0, 0
    for word in range(total):
        if _is_repeated(word, total, stretch, times, counts, slots, numbers):
            if until < word:
                run_start = begins[word]
            until = word + stretch
        if word < until:
            covered += 1
            in_tail += word >= total - tail
            if ends[word] - run_start > last - first:
                first, last = run_start, ends[word]
    return covered, in_tail, first, last


@_compiled
def _is_repeated(word: int, total: int, stretch: int, times: int, counts: Array, slots: Array, numbers: Array) -> bool:
    """Whether a repeated stretch starts with this word."""
    return word + stretch <= total and counts[slots[word]] >= times and 2 * (numbers[word + stretch] - numbers[word]) <= stretch


@_compiled
def _count_stretches(codes: Array, total: int, stretch: int, times: int, slots: Array, keys: Array, counts: Array) -> bool:
    """Fills in, for each word, the slot of `counts` for the stretch that starts with it. Returns whether any count reaches `times`."""
    size = 2
    while size < 2 * total:
        size *= 2
    mask = uint64(size - 1)
    counts[:size] = 0
    reached = False
    for word in range(total - stretch + 1):
        code = uint64(0)
        for place in range(stretch):
            code = (code ^ codes[word + place]) * _SPREAD
            code ^= code >> uint64(29)
        slot = (code >> uint64(7)) & mask
        while counts[slot] > 0 and keys[slot] != code:
            slot = (slot + uint64(1)) & mask
        keys[slot] = code
        counts[slot] += 1
        slots[word] = slot
        reached |= counts[slot] >= times
    return reached


@_compiled
def same_openings(
    letters: Array, starts: Array, stops: Array, asked: Array, said: Array, characters: int, fewest: int, labels: int, out: Array
) -> None:
    """For each pair of texts (row numbers asked, said): -1 when the first has fewer than `fewest` words in its first `characters`.

    Otherwise 1 when these words also begin the second text, after at most `labels` others and within as many characters; else 0.
    """
    question, answer = np.empty(fewest, np.uint64), np.empty(fewest + labels, np.uint64)
    for pair in range(len(asked)):
        if _opening(letters, starts[asked[pair]], stops[asked[pair]], characters, question) < fewest:
            out[pair] = -1
            continue
        out[pair] = 0
        words = _opening(letters, starts[said[pair]], stops[said[pair]], characters, answer)
        for label in range(words - fewest + 1):
            same = True
            for word in range(fewest):
                same &= question[word] == answer[label + word]
            if same:
                out[pair] = 1


@_compiled
def _opening(letters: Array, start: int, stop: int, characters: int, codes: Array) -> int:
    """Fills in the hashes of the first words within so many characters. Returns how many there are, at most as many as fit."""
    end, seen = start, 0
    while end < stop:
        seen += (letters[end] & 0xC0) != 0x80
        if seen > characters:
            break
        end += 1
    words, position = 0, start
    while words < len(codes):
        begin, position, code, _ = _next_word(letters, position, end)
        if begin == end:
            break
        codes[words] = code
        words += 1
    return words
