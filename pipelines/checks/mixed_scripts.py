"""Mixed scripts: a word that holds letters of two alphabets that look alike, such as a Cyrillic а among Latin letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced_by
from pipelines.checks._turns import OTHER, Findings, turns_with
from pipelines.records import Message

_TWINS = {
    **dict(zip("АВЕЅІЈКМНОРСТУХЗаеорсухіјѕԁԛԝ", "ABESIJKMHOPCTYX3aeopcyxijsdqw", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True)),
}
"""Cyrillic and Greek letters that are drawn like a Latin one (a part of Unicode's confusables, UTS 39)."""
_LATIN, _OTHER = r"A-Za-z", "".join(_TWINS)
_MIXED = re.compile(rf"(?<!\w)(?=\w*[{_LATIN}])(?=\w*[\u0370-\u03ff\u0400-\u052f])[{_LATIN}\u0370-\u03ff\u0400-\u052f]{{3,}}(?!\w)")
_LATIN_RUN = re.compile(rf"[{_LATIN}]+")


@check(title="Words that mix two alphabets", unit="words", group="text", flag_above=0)
def mixed_scripts(batch: Batch) -> Measurements:
    """Number of words that mix Latin letters with Cyrillic or Greek ones that look the same.

    A person sees no difference, but for a model these are other words, and no search finds them. Write the word in one alphabet.

    They come from typing on two keyboards, from scanned pages, or are meant to pass filters. Counted are words of three letters and more
    where all letters of the rarer alphabet have a twin in the other; formulas such as Δx and names of gene variants are not.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, r"[A-Za-z][\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}][A-Za-z]", having=OTHER):
        for match in _MIXED.finditer(turn.content):
            plain = _in_one_script(match.group())
            if plain:
                found.add(turn.record, Evidence(turn.turn, *match.span(), note=f"letters of two alphabets; probably meant: {plain}"))
    return found.measurements()


def _in_one_script(word: str) -> str | None:
    """The word in the alphabet that most of its letters have, or None when it is not a mix of twins."""
    others = [letter for letter in word if not letter.isascii()]
    latin = len(word) - len(others)
    if latin >= len(others):
        return "".join(_TWINS.get(letter, letter) for letter in word) if all(letter in _TWINS for letter in others) else None
    return _to_cyrillic(word) if all("\u0400" <= letter <= "\u052f" for letter in others) else None


def _to_cyrillic(word: str) -> str | None:
    twins = {latin: letter for letter, latin in reversed(list(_TWINS.items())) if "\u0400" <= letter <= "\u052f"}
    if not all(letter in twins for letter in word if letter.isascii()):
        return None
    return "".join(twins.get(letter, letter) for letter in word)


@fix(mixed_scripts, title="Write the words in one alphabet")
def _unmixed(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Replaces the look-alike letters, so that the word is in the alphabet that most of its letters already have."""
    return replaced_by(turns, evidence, _in_one_script)
