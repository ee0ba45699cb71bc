"""Invisible character: a character that nobody sees and that changes the text for a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_NAMES = {
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
    "\u180e": "Mongolian vowel separator",
}
_ESCAPES = "\x07\x08\x0b\x0c"
"""What \\a, \\b, \\v and \\f become when a formula is read as a program's text."""
_ALWAYS = r"[\u00ad\u200b\u2060\ufeff\u180e\u202d\u202e\u206a-\u206f\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\U000e0000-\U000e007f]"
_JOINERS = r"(?<=[\u0020-\u024f])[\u200c\u200d](?=[\u0020-\u024f])"  # between Latin letters; Persian, Indic scripts and emoji need them
_FLAGS = r"(?<=\U0001f3f4)[\U000e0020-\U000e007f]+"  # of England, Scotland and Wales
_INVISIBLE = re.compile(rf"{_FLAGS}|({_ALWAYS}|{_JOINERS})+")
_TRIGGER = (
    r"[\x{AD}\x{200B}-\x{200D}\x{2060}\x{FEFF}\x{180E}\x{202D}\x{202E}\x{206A}-\x{206F}"
    r"\x{0}-\x{8}\x{B}\x{C}\x{E}-\x{1F}\x{7F}\x{E0000}-\x{E007F}]"
)


@check(title="Invisible characters", unit="places", group="text", flag_above=0)
def invisible_character(batch: Batch) -> Measurements:
    """Number of places with characters that nobody sees: zero-width spaces, soft hyphens, control characters, reversed writing direction.

    To the model they are part of the words, and hidden ones can carry text that was meant for a machine alone. Take them out.

    Left alone are the joiners that Persian, Indic scripts and emoji need, direction marks around Arabic and Hebrew, tabs and line breaks.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _TRIGGER):
        for match in _INVISIBLE.finditer(turn.content):
            if match.group(1):
                found.add(turn.record, Evidence(turn.turn, *match.span(), note=_name(match.group())))
    return found.measurements()


def _name(characters: str) -> str:
    if "\U000e0000" <= characters[0] <= "\U000e007f":
        hidden = "".join(chr(ord(c) - 0xE0000) for c in characters if 0xE0020 <= ord(c) <= 0xE007E)
        return f"hidden text: {hidden}" if hidden else "hidden characters"
    first = _NAMES.get(characters[0]) or unicodedata.name(characters[0], "").lower() or f"control character {ord(characters[0]):02X}"
    return first if len(characters) == 1 else f"{first} and {len(characters) - 1} more"


@fix(invisible_character, title="Take the invisible characters out")
def _visible(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Deletes them. One that took the place of a letter, as in a formula whose "frac" lost its "f", is left to a person."""
    spans = []
    for found in evidence:
        if found.turn is not None and found.start is not None and found.end is not None:
            content = turns[found.turn].content
            is_escape = content[found.end - 1] in _ESCAPES and content[found.end : found.end + 1].isalpha()
            if not is_escape:
                spans.append((found.turn, found.start, found.end, ""))
    return replaced(turns, spans)
