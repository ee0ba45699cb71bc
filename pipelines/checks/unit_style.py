"""Unit style: a space between number and unit, or none."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_UNIT = (
    r"(?:[munµμpkcd]?m[²³]?|km/h|mph|[mµμk]?g|mcg|[mcdµμ]?[lL]|mm[Hh]g|°\s?[CF]|°[CF]|[kKMGT]i?B|[kMG]?Hz|[kMG]?W(?:h)?|[mk]?V|mA|mAh|kcal|kJ|Pa|hPa"
    r"|bpm|ms|min|[cm]?mol(?:/[lL])?|lbs?|oz|ft|IE|IU)"
)
_END = r"(?:$|[^\w°²³/-])"
_STYLES = {
    "a space before the unit": Style(rf"(?:^|[^\w.,-])(\d+(?:[.,]\d+)?[ \x{{A0}}\x{{202F}}]{_UNIT}){_END}", "5 mg"),
    "no space before the unit": Style(rf"(?:^|[^\w.,-])(\d+(?:[.,]\d+)?{_UNIT}){_END}", "5mg"),
}


@check(title="Units written in another way", unit="certainty", group="format", severity="info", flag_above=0.85, scope="set")
def unit_style(features: SetFeatures) -> Measurements:
    """How surely an answer writes a unit with a space (5 mg) or without one (5mg) otherwise than the set does, from 0 to 1.

    A model that has seen both uses both, and what searches its answers for "5 mg" misses half. Rewrite the unit in the usual way.

    The usual way is that of most answers to the same system prompt, where 20 answers or more hold a unit, or else of the whole set. The
    value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Not measured for answers without a unit.
    """
    return unusual_styles(features, _STYLES, thing="units")
