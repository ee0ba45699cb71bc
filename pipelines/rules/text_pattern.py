"""Text pattern: a regular expression or a list of phrases, searched by RE2: linear in the text, whatever the pattern."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
_ENDINGS = r"(?:'s|’s|s|es|e|n|en|er|ern|em)?"
"""What a glossary term may end with beyond its listed form: plurals and cases of English and German, plurals of Romance languages."""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern that is known to compile."""

    pattern: str
    """RE2 syntax (https://github.com/google/re2/wiki/Syntax)."""
    marks_words: bool = False
    """Whether each alternative holds one group, the words that are looked for, with what bounds them outside of it."""

    def masks(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Whether each text holds a match."""
        import pyarrow.compute as pc

        return pc.match_substring_regex(texts, self.pattern)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches, in Unicode code points; empty matches are left out."""
        for match in _compiled(self.pattern).finditer(text):
            start, end = match.span(match.lastindex or 0) if self.marks_words else match.span()
            if end > start:
                yield start, end


@functools.lru_cache(512)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def fault_of(pattern: str) -> str | None:
    """Why a pattern cannot be used, or None."""
    import re2

    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return None


def of_phrases(phrases: Sequence[str], *, match_case: bool = False, inflected: bool = False) -> TextPattern:
    """Any of some phrases, as whole words where they begin or end with a letter. White space in a phrase stands for any white space."""
    ending = _ENDINGS if inflected else ""
    alternatives = "|".join(_phrase(phrase, ending) for phrase in sorted(phrases, key=len, reverse=True))
    return TextPattern(f"{'' if match_case else '(?i)'}(?:{alternatives})", marks_words=True)


def of_examples(examples: Sequence[str]) -> str:
    """The pattern of numbers that look like some examples: a digit stands for any digit, white space for any, all else for itself."""
    alternatives = dict.fromkeys(_like(example.strip()) for example in examples if example.strip())
    return rf"\b(?:{'|'.join(alternatives)})\b"


def _like(example: str) -> str:
    parts = re.findall(r"\d+|\s+|[^\d\s]+", example)
    return "".join(rf"\d{{{len(part)}}}" if part[0].isdigit() else r"\s+" if part.isspace() else re.escape(part) for part in parts)


def _phrase(phrase: str, ending: str) -> str:
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    before = r"(?:^|[^\pL\pN_])" if _is_of_word(phrase.strip()[:1]) else ""
    after = rf"{ending})(?:$|[^\pL\pN_])" if _is_of_word(phrase.strip()[-1:]) else ")"
    return f"{before}({words}{after}"


def _is_of_word(character: str) -> bool:
    """Whether a word goes on beside it. Not in scripts without spaces, where any place can be a word's end."""
    return character == "_" or (character.isalnum() and not _WITHOUT_SPACES.match(character))
