"""Citation style: how an answer points to its sources."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_NAME = r"\p{Lu}[\pL'’-]+"
_YEAR = r"(?:19|20)\d\d[a-z]?"
_STYLES = {
    "numbers in brackets": Style(r"(?:\pL[ \x{A0}]|[.,)”\"][ \x{A0}]?)(\[[1-9]\d{0,2}(?:[,;–-] ?\d{1,3})*\])(?:[^\w(\[]|$)", "[1]"),
    "name and year": Style(
        rf"(\((?:see |e\.g\.,? |vgl\. )?{_NAME}(?: (?:et al\.?|u\. ?a\.|(?:and|und|et|y|&) {_NAME}))?,? {_YEAR}(?:; [^()\n]{{1,80}})?\))",
        "(Smith, 2020)",
    ),
    "footnotes": Style(r"(\[\^\w{1,12}\])(?:[^:]|$)", "[^1]"),
    "raised numbers": Style(r"\pL[.,]?([¹²³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹]{0,2})", "word¹"),
    "links": Style(r"(\[[^\[\]\n]{1,120}\]\(https?://[^\s()]{1,300}\))", "[title](https://…)"),
}


@check(title="Sources cited in another way", unit="certainty", group="format", flag_above=0.85, scope="set")
def citation_style(features: SetFeatures) -> Measurements:
    """How surely an answer points to its sources in another way ([1], (Smith, 2020), footnotes, links) than the set does, from 0 to 1.

    A program that turns the marks into links misses it, and the model mixes the ways. Rewrite the citation in the usual way.

    The usual way is that of most answers to the same system prompt, where 20 answers or more cite something, or else of the whole set. The
    value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Not measured for answers that cite nothing.
    """
    return unusual_styles(features, _STYLES, thing="citations")
