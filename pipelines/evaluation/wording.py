"""Wording: how close one text is to another, for scoring answers."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from decimal import Decimal, InvalidOperation

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_SPACELESS = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e01-\u0e3a\u0e40-\u0e4e\U00020000-\U0003ffff]"
)
"""Chinese, Japanese and Thai characters: scripts without spaces, where each character counts as a token."""
_FINAL_NUMBER = re.compile(r"####\s*\$?(-?[0-9][0-9,]*(?:\.[0-9]+)?|-?\.[0-9]+)")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "「": "」"}


def overlap_tokens(text: str) -> list[str]:
    """The tokens whose overlap is counted: lower case, without punctuation and English articles, split at white space.

    This is the normalisation of the SQuAD evaluation script (Rajpurkar et al. 2016), with the two changes of MLQA (Lewis et al. 2020) that
    make it fit other languages: all of Unicode's punctuation goes, and text without spaces is split into characters.
    """
    folded = "".join(c for c in unicodedata.normalize("NFC", text).lower() if not _is_punctuation(c))
    spaced = _SPACELESS.sub(lambda found: f" {found.group()} ", folded)
    return _ARTICLES.sub(" ", spaced).split()


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def overlap(expected: str, answer: str) -> float:
    """Token F1 as SQuAD defines it: the harmonic mean of the shares of shared tokens, counted with repetition.

    Two texts without tokens are alike; one without tokens shares nothing with one that has some.
    """
    wanted, given = overlap_tokens(expected), overlap_tokens(answer)
    if not wanted or not given:
        return float(wanted == given)
    shared = (Counter(wanted) & Counter(given)).total()
    return 2 * shared / (len(wanted) + len(given))


def short_form(answer: str) -> str:
    """A short answer without what does not change it: case, spacing, quotes around it, a full stop at the end.

    Other punctuation stays: SQuAD's rule would make "-5" and "5" the same.
    """
    text = " ".join(unicodedata.normalize("NFKC", answer).casefold().split())
    while True:
        bare = text.removesuffix(".").removesuffix("。").strip()
        if len(bare) > 1 and _QUOTES.get(bare[0]) == bare[-1]:
            bare = bare[1:-1].strip()
        if bare == text or not bare:
            return text
        text = bare


def final_number(answer: str) -> Decimal | None:
    """The number after the first "####", by the convention of gsm8k, without thousands separators; None when there is none."""
    found = _FINAL_NUMBER.search(answer)
    if found is None:
        return None
    try:
        return Decimal(found.group(1).replace(",", ""))
    except InvalidOperation:
        return None


def length_agreement(expected: str, answer: str) -> float | None:
    """The shorter length divided by the longer, in characters: 1 is the same length, 0.5 half or twice. None when nothing was expected."""
    wanted, given = len(expected.strip()), len(answer.strip())
    return None if wanted == 0 else min(wanted, given) / max(wanted, given)
