"""Legacy encodings: what text that is neither UTF-8 nor Windows-1252 was written in, by a detector that weighs its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

TITLES = {
    "gb18030": "GB 18030 (simplified Chinese)",
    "big5": "Big5 (traditional Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
}
"""The codecs that can be told apart, with their names for people."""


_LETTER = r"[^\W\d_]"
_FOREIGN_LETTER = re.compile(r"(?![a-zA-Z])[^\W\d_]")
_IN_WORD = re.compile(rf"(?<={_LETTER})(?![a-zA-Z]){_LETTER}|(?![a-zA-Z]){_LETTER}(?={_LETTER})")
_LEAST_LETTERS = 4
_LEAST_IN_WORDS = 0.9


def legacy_encoding(lines: Sequence[bytes]) -> str | None:
    """The codec of lines that are not UTF-8, one of TITLES; None when Windows-1252 explains them as well or there is too little to judge.

    The detector weighs how common the letters are in the languages of each codec. It is believed only where the letters beyond ASCII make
    words: alone, the sign for pounds is a letter of Polish, and the one for half is one of Japanese.
    """
    from charset_normalizer import from_bytes

    sample = b"\n".join(lines)
    best = from_bytes(sample, cp_isolation=list(TITLES)).best()
    western = from_bytes(sample, cp_isolation=["cp1252"]).best()
    if best is None or (western is not None and western.coherence >= best.coherence):
        return None
    text = str(best)
    letters = len(_FOREIGN_LETTER.findall(text))
    in_words = len(_IN_WORD.findall(text))
    return best.encoding if letters >= _LEAST_LETTERS and in_words >= _LEAST_IN_WORDS * letters else None
