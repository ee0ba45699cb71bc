"""Demand: what a rule asks of a text. Each kind looks at a whole column of texts and points at what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pipelines.rules.text_pattern import TextPattern

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where a text breaks a rule."""

    note: str
    start: int | None = None
    """First character, in Unicode code points; None when the text as a whole breaks it."""
    end: int | None = None


class Demand(Protocol):
    """One kind of rule with its settings."""

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """By index of the text, what breaks the rule there; texts that keep it are absent."""
        ...


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Phrases or a pattern that must not appear."""

    pattern: TextPattern
    note: str = "must not be said"

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """Every place where it appears."""
        found = {i: [Breach(self.note, *span) for span in self.pattern.spans(text)] for i, text in _where(texts, self.pattern.masks(texts))}
        return {i: breaches for i, breaches in found.items() if breaches}


@dataclass(frozen=True, slots=True)
class Required:
    """Phrases or patterns that must all appear, or one of them."""

    patterns: tuple[TextPattern, ...]
    names: tuple[str, ...]
    """What each pattern is called in a breach."""
    any_of: bool = False

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The texts that lack something."""
        import numpy as np

        has = np.array([np.asarray(pattern.masks(texts).to_numpy(), bool) for pattern in self.patterns])
        if self.any_of:
            note = f"has none of: {', '.join(self.names)}" if len(self.names) > 1 else f"lacks {self.names[0]}"
            return {int(i): [Breach(note)] for i in np.flatnonzero(~has.any(axis=0))}
        lacking = np.flatnonzero(~has.all(axis=0))
        return {int(i): [Breach(f"lacks {name}") for name, there in zip(self.names, has[:, i], strict=True) if not there] for i in lacking}


@dataclass(frozen=True, slots=True)
class Term:
    """A preferred term and what it stands for."""

    use: str
    instead_of: TextPattern


@dataclass(frozen=True, slots=True)
class Glossary:
    """Terms that must be used instead of others."""

    terms: tuple[Term, ...]

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """Every place where another term stands."""
        found: dict[int, list[Breach]] = {}
        for term in self.terms:
            for i, text in _where(texts, term.instead_of.masks(texts)):
                found.setdefault(i, []).extend(Breach(f'say "{term.use}"', *span) for span in term.instead_of.spans(text))
        return found


Unit = Literal["characters", "words", "sentences"]


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds on how long a text is."""

    unit: Unit
    least: int = 0
    most: int | None = None

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The texts that are too short or too long."""
        import numpy as np

        counts = np.asarray(_counted(texts, self.unit).to_numpy())
        high = np.iinfo(np.int64).max if self.most is None else self.most
        outside = np.flatnonzero((counts < self.least) | (counts > high))
        return {int(i): [Breach(f"{int(counts[i]):,} {self.unit}; {bounds(self.least, self.most)} are allowed")] for i in outside}


_SENTENCE_END = r"[.!?…]+[\"'”’)\]]*(?:\s|$)|[。！？]+[」』”’）]*"
_WORD = r"\p{Han}|[\p{Hiragana}\p{Katakana}]+|[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*"


def _counted(texts: pa.ChunkedArray, unit: Unit) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    if unit == "characters":
        return pc.utf8_length(texts)
    counts = pc.count_substring_regex(texts, _WORD if unit == "words" else _SENTENCE_END)
    if unit == "words":
        return counts
    is_open = pc.and_(pc.match_substring_regex(texts, r"\S"), pc.invert(pc.match_substring_regex(texts, rf"(?:{_SENTENCE_END})\s*$")))
    return pc.add(counts, pc.cast(is_open, counts.type))  # a last sentence without its end counts


@dataclass(frozen=True, slots=True)
class ReadingLevel:
    """Bounds on how hard a text is to read, by LIX (Björnsson 1968): words per sentence plus the percentage of words over six letters.

    For languages written with spaces; 30 is easy, 50 is hard, 60 is very hard.
    """

    least: float = 0.0
    most: float | None = None

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The texts that are too easy or too hard. Texts under ten words are left alone: they say too little."""
        import numpy as np
        from textstat import textstat

        found = {}
        for i in np.flatnonzero(np.asarray(_counted(texts, "words").to_numpy()) >= 10).tolist():
            level = float(textstat.lix(texts[i].as_py()))
            if level < self.least or (self.most is not None and level > self.most):
                found[i] = [Breach(f"reading level (LIX) {level:.0f}; {bounds(self.least, self.most)} is allowed")]
        return found


def bounds(least: float, most: float | None) -> str:
    """Two bounds in words: 5 to 120, at most 120, at least 5."""
    if most is None:
        return f"at least {least:,g}"
    return f"{least:,g} to {most:,g}" if least else f"at most {most:,g}"


def _where(texts: pa.ChunkedArray, mask: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
    """The texts that a mask keeps, with their index."""
    import numpy as np
    import pyarrow as pa

    places = np.flatnonzero(np.asarray(mask.to_numpy(), bool))
    yield from zip(places.tolist(), texts.take(pa.array(places)).to_pylist(), strict=True)
