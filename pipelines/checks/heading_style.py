"""Heading style: headings marked by #, by bold type or by a line under them."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_STYLES = {
    "marked by #": Style(r"(?m)^(#{1,6} +\S[^\n]{0,120})$", "## Dosage"),
    "in bold type": Style(r"(?m)^(\*\*[^*\n]{2,80}\*\*:?|\*\*[^*\n]{2,80}:\*\*) *$", "**Dosage**"),
    "underlined": Style(r"(?m)^(\S[^\n]{1,80}\n(?:={3,}|-{3,})) *$", "Dosage, and a line of --- below"),
}


@check(title="Headings of another kind", unit="certainty", group="format", severity="info", flag_above=0.85, scope="set")
def heading_style(features: SetFeatures) -> Measurements:
    """How surely an answer marks its headings in another way (## Dosage, **Dosage**, underlined) than the set does, from 0 to 1.

    A page that shows the model's answers then looks different from one to the next. Mark the heading in the usual way.

    The usual way is that of most answers to the same system prompt, where 20 answers or more have a heading, or else of the whole set. The
    value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Not measured for answers without a heading.
    """
    return unusual_styles(features, _STYLES, thing="headings")
