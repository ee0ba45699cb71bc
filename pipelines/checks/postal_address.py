"""Postal address: where a person lives or a firm has its letters sent."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._turns import Findings, turns_with

_CAPITAL, _WORD = r"[A-ZÄÖÜÀ-ÖØ-Þ]", r"[\w'’.-]+"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Highway|Close"
    r"|Crescent|Gardens)\.?"
)
_UNIT = r"(?:,? (?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|#)\.? ?[\w-]{1,6})?"
_UK = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}"
_ENGLISH = rf"\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:{_CAPITAL}{_WORD} ){{1,4}}{_STREET}{_UNIT}"
_GERMAN = (
    rf"(?:{_CAPITAL}{_WORD}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|steig)"
    rf"|(?:{_CAPITAL}{_WORD}[ -]){{1,3}}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring|Damm|Ufer)) ?\d{{1,4}} ?[a-z]?\b"
)
_FRENCH = r"\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai|cours) (?:[\w'’.-]+ ?){1,6}"
_DUTCH = rf"{_CAPITAL}{_WORD}(?:straat|laan|weg|plein|gracht|kade|dijk|singel) \d{{1,4}} ?[a-zA-Z]?\b"
_SPANISH = r"(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Via|Viale|Piazza|Corso) (?:[\w'’.-]+ ){1,5}?(?:n\.?º ?)?\d{1,4}"
_STATE_AND_TOWN = rf"(?:{_CAPITAL}{_WORD}[, ]{{1,2}}){{1,4}}(?:[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?|{_UK})"
_CODE_AND_TOWN = rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?: ?[A-Z]{{2}})? {_CAPITAL}[\w'’-]+"
_TOWN = rf"[,\s]{{1,4}}(?:{_STATE_AND_TOWN}|{_CODE_AND_TOWN})"
_TRIGGER = (
    rf" {_STREET}(?:\W|$)|(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|steig|Straße|Strasse|Str\.|Weg|Platz|Allee|Ring"
    r"|Damm|Ufer) ?\d|(?:straat|laan|plein|gracht|kade|dijk|singel) \d"
    r"|\d(?: ?bis| ?ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai|cours) "
    r"|(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Via|Viale|Piazza|Corso) "
)
"""RE2: found in all that holds an address."""
_WHOLE = re.compile(rf"(?<!\w)(?:{_ENGLISH}|{_GERMAN}|{_FRENCH}|{_DUTCH}|{_SPANISH}){_TOWN}")
_STREET_ALONE = re.compile(rf"(?<!\w)(?:{_ENGLISH}|{_GERMAN}|{_DUTCH})")
_PERSONAL = re.compile(
    r"\b(?:i (?:live|reside|moved)|i'm at|my (?:home |new |old |postal |mailing |billing )?address|lives at|residing at|home address"
    r"|(?:ship|sent?|deliver|mail)(?:ed|ing)? (?:it |this )?to"
    r"|ich wohne|(?:meine (?:neue |alte )?)?adresse|anschrift|wohnhaft|j'habite|mon adresse|mijn adres)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)


@check(title="Postal addresses", unit="addresses", group="privacy", flag_above=0, version=2)
@everywhere
def postal_address(batch: Batch) -> Measurements:
    """Number of postal addresses: street, house number and town with its code, or a street that somebody says they live in.

    With a name beside it, an address points to one household, and a tuned model can repeat it. Replace it, or drop the row.

    Knows American, British, German, French, Dutch, Spanish and Italian ways to write an address. Addresses of firms and public buildings
    are counted too: no list tells them from those of people.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _TRIGGER, digits=1):
        spots = {match.span() for match in _WHOLE.finditer(turn.content)}
        for match in _STREET_ALONE.finditer(turn.content):
            if _PERSONAL.search(turn.content, max(match.start() - 90, 0), match.start()):
                spots.add(match.span())
        reached = -1
        for start, end in sorted(spots, key=lambda spot: (spot[0], -spot[1])):
            if start >= reached:
                found.add(turn.record, Evidence(turn.turn, start, end, note="postal address"))
                reached = end
    return found.measurements()
