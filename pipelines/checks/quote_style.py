"""Quote style: straight, curly, low or angled quotation marks."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_STYLES = {
    "straight quotation marks": Style(
        r"(?:^|[\s(\[])(\"[^\"\s{}\[\]:<>=\\](?:[^\"\n{}\[\]<>=\\]{0,200}[^\"\s{}\[\]:<>=\\])?\")(?:$|[\s).,;:!?\]])", '"word"'
    ),
    "curly quotation marks": Style(r"(“[^“”„\n]{1,200}”)", "“word”"),
    "low quotation marks": Style(r"(„[^“”„\n]{1,200}[“”])", "„word“"),
    "angled quotation marks": Style(r"(«[^«»\n]{1,200}»|»[^«»\n]{1,200}«)", "«word»"),
    "corner brackets": Style(r"(「[^「」\n]{1,200}」)", "「word」"),
}
_CODE = r"```|^\s*[\[{]|</\w+>"


@check(
    title="Quotation marks of another kind",
    unit="certainty",
    group="format",
    severity="info",
    flag_above=0.85,
    scope="set",
    needs=("prompt_languages",),
)
def quote_style(features: SetFeatures) -> Measurements:
    """How surely an answer uses other quotation marks (straight, “curly”, „low“, «angled») than the set does, from 0 to 1.

    It is a small thing that readers see at once: the model will mix them too. Replace them by the usual ones.

    The usual ones are those of most answers to the same system prompt, where 20 answers or more hold some, or else of the whole set. The
    value is the lower end of the 95 % interval of their share, 0 for answers that keep to them. Compared within the language that most such
    answers are asked in. Not measured for answers without a quotation, nor for those that hold code or JSON.
    """
    return unusual_styles(features, _STYLES, thing="quotations", within_language=True, without=_CODE)
