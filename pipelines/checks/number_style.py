"""Number style: decimal and thousands marks, such as 1,234.56 and 1.234,56, used side by side."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_BEFORE, _AFTER = r"(?:^|[^\w.,:/()\[{-])", r"(?:$|[^\w.,:/-]|[.,:](?:\s|$))"
_STYLES = {
    "a decimal point": Style(
        rf"{_BEFORE}(\d{{1,3}}(?:,\d{{3}})*\.\d{{1,2}}|\d{{1,3}}(?:,\d{{3}}){{2,}}|\d+\.\d{{4,}}){_AFTER}", "1,234.56"
    ),
    "a decimal comma": Style(rf"{_BEFORE}(\d{{1,3}}(?:[. ]\d{{3}})*,\d{{1,2}}|\d{{1,3}}(?:\.\d{{3}}){{2,}}){_AFTER}", "1.234,56"),
}
"""Only what can be read in one way: 1,234 and 1.234 alone are not counted, nor are dates, versions and coordinates."""


@check(title="Decimal marks used differently", unit="certainty", group="format", flag_above=0.85, scope="set", needs=("prompt_languages",))
def number_style(features: SetFeatures) -> Measurements:
    """How surely an answer writes numbers with another decimal mark (1,234.56 or 1.234,56) than the set does, from 0 to 1.

    1.234 then means two numbers a thousandfold apart, to the reader and to the model. Rewrite the number in the usual way.

    The usual way is that of most answers to the same system prompt, where 20 answers or more hold such a number, or else of the whole set.
    The value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Compared within the language that most
    such answers are asked in. Not measured for answers without a number whose mark can be told.
    """
    return unusual_styles(features, _STYLES, thing="such numbers", within_language=True)
