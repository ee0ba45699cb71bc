"""Mojibake: text that was read in the wrong encoding, such as FranÃ§oise."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced
from pipelines.checks._turns import OTHER, Findings, turns_with
from pipelines.records import Message

SUSPECT = (
    r"[\x{80}-\x{4FF}\x{2000}-\x{25FF}\x{F8FF}\x{FB01}\x{FB02}]{2}|[\x{80}-\x{9F}\x{FFFD}]"
    r"|[\x{152}\x{153}][^A-Za-z]|[\x{C2}\x{C3}][\s\x{A0}]"
)
"""RE2: found in all that ftfy's rule (ftfy.badness) calls bad. Chinese, Japanese and Korean letters pass by."""
_ABOUT_ENCODINGS = re.compile(
    r"\b(?:utf-?8|latin-?1|iso-?8859|cp1252|windows-1252|unicode|ascii|mojibake|charset|(?:en|de)cod\w+)\b|编码", re.IGNORECASE
)
_LOST = re.compile(r"\S*\ufffd[\S\ufffd]*")


@check(title="Garbled characters", unit="garbled words", group="text", flag_above=0)
def mojibake(batch: Batch) -> Measurements:
    """Number of words with garbled characters, such as FranÃ§oise for Françoise, or � where a character was lost.

    The file was read in the wrong encoding at some point, and the model would learn to write such characters. The note shows the
    probable text; a lost character has to be restored by hand or from the original. The rule is that of the library ftfy, and it only
    counts what ftfy can repair.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, SUSPECT, having=OTHER):
        for start, end, note in _garbled(turn.content):
            found.add(turn.record, Evidence(turn.turn, start, end, note=note))
    return found.measurements()


def _garbled(content: str) -> Iterator[tuple[int, int, str]]:
    from ftfy.badness import BADNESS_RE

    if "\ufffd" in content:
        yield from ((*match.span(), "a character was lost here") for match in _LOST.finditer(content))
    reached = 0
    for bad in BADNESS_RE.finditer(content):
        if bad.start() < reached:
            continue
        start, end = _word_around(content, bad)
        reached = end
        better = _repaired(content[start : end + 1])  # with the space after it, which may belong to "Ã "
        if better != content[start:end].rstrip():
            yield start, end, f"probably {better}"


@functools.lru_cache(4096)
def _repaired(garbled: str) -> str:
    from ftfy import fix_encoding

    return fix_encoding(garbled).rstrip()


def _word_around(content: str, bad: re.Match[str]) -> tuple[int, int]:
    if not bad.group().strip():  # U+0085 is a space to Python
        return bad.span()
    start, end = bad.end() - len(bad.group().lstrip()), bad.start() + len(bad.group().rstrip())
    while start > 0 and not content[start - 1].isspace():
        start -= 1
    while end < len(content) and not content[end].isspace():
        end += 1
    return start, end


@fix(mojibake, title="Restore the garbled characters")
def _restored(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Writes the probable text in place of each garbled word, by the library ftfy.

    A character that was lost (�) is left to a person, and so is a turn that speaks of encodings: it may show such characters on purpose.
    """
    spans = []
    for found in evidence:
        if found.turn is not None and found.start is not None and found.end is not None and found.note.startswith("probably"):
            content = turns[found.turn].content
            if _ABOUT_ENCODINGS.search(content):
                continue
            garbled = content[found.start : found.end + 1]  # with the space after it, which may belong to "Ã "
            end = found.end + 1 if garbled[-1:].isspace() and not _repaired(garbled).endswith(garbled[-1:]) else found.end
            better = _repaired(garbled)
            spans.append((found.turn, found.start, end, better + (" " if end > found.end else "")))
    return replaced(turns, spans)
