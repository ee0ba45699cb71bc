"""Text pattern: a regular expression or a list of phrases, searched by RE2: linear in the text, whatever the pattern."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_ENDINGS = r"(?:'s|’s|s|es|e|n|en|er|ern|em)?"
"""What a glossary term may end with beyond its listed form: plurals and cases of English and German, plurals of Romance languages."""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern that is known to compile."""

    pattern: str
    """RE2 syntax (https://github.com/google/re2/wiki/Syntax)."""

    def masks(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Whether each text holds a match."""
        import pyarrow.compute as pc

        return pc.match_substring_regex(texts, self.pattern)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches, in Unicode code points; empty matches are left out."""
        yield from (match.span() for match in _compiled(self.pattern).finditer(text) if match.end() > match.start())


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
    return TextPattern(f"{'' if match_case else '(?i)'}(?:{alternatives})")


def _phrase(phrase: str, ending: str) -> str:
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    before = r"\b" if re.match(r"[A-Za-z0-9_]", phrase.strip()) else ""
    after = rf"{ending}\b" if re.search(r"[A-Za-z0-9_]$", phrase.strip()) else ""
    return f"{before}{words}{after}"
