"""Characters: what each character is to a word, for texts of every script.

Words are what stands between white space and punctuation. Scripts that are written without spaces have no such words: there every
character counts for itself, as the part of a word that it is on average.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

BETWEEN, LETTER, SYMBOL, IDEOGRAPH, SPACELESS_LETTER = range(5)
WEIGHTS = (0, 4, 4, 2, 1)
"""By role, in quarters of a word: a Chinese word has two characters, a Thai word four to five."""
SHINGLE_WEIGHT = 12
"""Three words, six ideographs or kana, twelve Thai letters."""

_IDEOGRAPHS = (
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x312F),
    (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0xA4CF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F),
)  # fmt: skip
_SPACELESS_LETTERS = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E81, 0x0ECE), (0x1000, 0x103F), (0x1050, 0x108F), (0x1780, 0x17D3),
    (0x1950, 0x19DF), (0x1A00, 0x1AAF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),
)  # fmt: skip
_SYMBOLS = "/%"
"""Beside Unicode's own symbols: they tell a sum from a quotient."""
MULTIPLIER = 0x9E3779B97F4A7C15
"""Odd, so that no bit of a word's hash is lost."""
_TABLE_SIZE = 0x20000
"""Characters beyond are the rarer Chinese ideographs."""


class Alphabet(NamedTuple):
    """What a reader of words looks up."""

    roles: np.ndarray
    """uint8: the role of every character below 0x20000."""
    byte_codes: np.ndarray
    """uint64: a random code for every byte, the same on every machine; a capital letter has the code of its small letter."""
    multipliers: np.ndarray
    """uint64, by ASCII byte: what the hash of the word so far is multiplied by; 0 ends the word."""


@functools.cache
def alphabet() -> Alphabet:
    """The one alphabet."""
    import numpy as np

    roles = _roles()
    codes = np.random.PCG64(0x57494E4E4F57).random_raw(256)  # a bit generator's stream never changes, a distribution's may
    codes[ord("A") : ord("Z") + 1] = codes[ord("a") : ord("z") + 1]
    multipliers = np.where(roles[:128] == LETTER, np.uint64(MULTIPLIER), np.uint64(0))
    for table in (roles, codes, multipliers):
        table.setflags(write=False)
    return Alphabet(roles, codes, multipliers)


def _roles() -> np.ndarray:
    import numpy as np

    table = np.array([_role(unicodedata.category(chr(code))) for code in range(_TABLE_SIZE)], dtype=np.uint8)
    table[[ord(character) for character in _SYMBOLS]] = SYMBOL
    table[ord("_")] = LETTER
    table[0xFE00:0xFE10] = BETWEEN  # variation selectors: how an emoji is painted
    for ranges, role in ((_IDEOGRAPHS, IDEOGRAPH), (_SPACELESS_LETTERS, SPACELESS_LETTER)):
        for first, last in ranges:
            table[first : last + 1] = role
    return table


def _role(category: str) -> int:
    if category[0] in "LNM":
        return LETTER
    return SYMBOL if category[0] == "S" and category != "Sk" else BETWEEN
