"""Bullet style: the mark before the items of a list."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles


def _list_of(mark: str) -> str:
    """Two lines or more that begin with the mark."""
    return rf"(?m)^[ \t]*({mark})[ \t]+[^\s][^\n]*\n(?:[ \t]*\n)?[ \t]*{mark}[ \t]+\S"


_STYLES = {
    "hyphens": Style(_list_of("-"), "- item"),
    "asterisks": Style(_list_of(r"\*"), "* item"),
    "bullets": Style(_list_of("[•●▪◦·]"), "• item"),
    "plus signs": Style(_list_of(r"\+"), "+ item"),
    "dashes": Style(_list_of("[–—]"), "– item"),
}
_NUMBERED = {
    "a full stop after the number": Style(_list_of(r"\d{1,3}\."), "1. item"),
    "a bracket after the number": Style(_list_of(r"\(?\d{1,3}\)"), "1) item"),
    "a sign after the number": Style(r"(?m)^[ \t]*(\d{1,3}、)\S[^\n]*\n[ \t]*\d{1,3}、\S", "1、item"),
}


@check(title="Lists with other marks", unit="certainty", group="format", severity="info", flag_above=0.85, scope="set")
def bullet_style(features: SetFeatures) -> Measurements:
    """How surely an answer begins the items of a list with other marks (-, *, •, or 1. and 1) in numbered lists) than the set, from 0 to 1.

    A model that has seen several marks mixes them, at times in one list. Replace them by the usual mark.

    The usual mark is that of most answers to the same system prompt, where 20 answers or more hold a list of that kind (with numbers, or
    without), or else of the whole set. The value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Not
    measured for answers without a list.
    """
    marked = unusual_styles(features, _STYLES, thing="lists")
    numbered = unusual_styles(features, _NUMBERED, thing="numbered lists")
    values = [max((v for v in pair if v is not None), default=None) for pair in zip(marked.values, numbered.values, strict=True)]
    return Measurements(values, [(*a, *b) for a, b in zip(marked.evidence or (), numbered.evidence or (), strict=True)])
