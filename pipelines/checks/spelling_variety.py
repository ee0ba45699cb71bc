"""Spelling variety: British and American spelling side by side."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_OUR = "behavi|col|fav|flav|harb|hon|hum|lab|neighb|rum|sav|splend|tum|vap|vig|end?eav"
_RE = "cent|fib|lit|lust|met|somb|spect|theat|calib|meag"
_YSE = "anal|catal|paral|dial"
_ISE = (
    "apolog|author|categor|character|custom|emphas|final|familiar|general|global|harmon|hospital|initial|local|max?im|memor|min?im|normal|optim"
    "|organ|prior|real|recogn|special|stabil|standard|steril|summar|symbol|util|visual"
)
_BRITISH = (
    rf"(?i)\b((?:{_OUR})our(?:s|ed|ing|able|ite|ites|ful|al|hood|hoods)?|(?:{_RE})re(?:s|d)?|(?:{_YSE})ys(?:e|ed|ing)|(?:{_ISE})is(?:e|es|ed|ing|ation|ations)"
    r"|defence|offence|licence|pretence|travell(?:ed|er|ers|ing)|cancell(?:ed|ing)|labell(?:ed|ing)|modell(?:ed|ing)|fuell(?:ed|ing)|counsell(?:or|ors|ing)"
    r"|fulfil|skilful|enrol|enrolment|programme|programmes|catalogue|catalogues|(?-i:grey)|tyre|tyres|cheque|cheques|aeroplane|aluminium|judgement|ageing"
    r"|anaemi[ac]|oestrogen|oesophag\w+|paediatric\w*|haem\w{2,}|gynaecolog\w+|foetus|foetal|diarrhoea|leukaemia|ischaemi[ac]|oedema|tumours?|orthopaedic\w*)\b"
)
_AMERICAN = (
    rf"(?i)\b((?:{_OUR})or(?:s|ed|ing|able|ite|ites|ful|al|hood|hoods)?|(?:{_RE})er(?:s|ed)?|(?:{_YSE})yz(?:e|ed|ing)|(?:{_ISE})iz(?:e|es|ed|ing|ation|ations)"
    r"|defense|offense|pretense|travel(?:ed|er|ers|ing)|cancel(?:ed|ing)|label(?:ed|ing)|model(?:ed|ing)|fuel(?:ed|ing)|counsel(?:or|ors|ing)"
    r"|fulfill|skillful|enroll|enrollment|(?-i:gray)|airplane|aluminum|judgment|aging"
    r"|anemi[ac]|estrogen|esophag\w+|pediatric\w*|hem(?:o|at)\w{2,}|gynecolog\w+|fetus|fetal|diarrhea|leukemia|ischemi[ac]|edema|tumors?|orthopedic\w*)\b"
)
_STYLES = {
    "British spelling": Style(_BRITISH, "colour, analyse"),
    "American spelling": Style(_AMERICAN, "color, analyze"),
}
"""Of words whose two spellings differ in nothing else. Left out: what one of the two also writes in another
sense (program, meter, check)."""


@check(
    title="British and American spelling mixed",
    unit="certainty",
    group="format",
    severity="info",
    flag_above=0.85,
    scope="set",
    languages=("en",),
    needs=("prompt_languages",),
)
def spelling_variety(features: SetFeatures) -> Measurements:
    """How surely an answer spells words the British way in an American set, or the American way in a British one, from 0 to 1.

    The model will mix the two, which readers of a firm, a court or a journal notice. Respell the words in the usual way.

    The usual spelling is that of most answers to the same system prompt, where 20 answers or more hold such words, or else of the whole
    set. The value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Not measured for answers without a
    word that is spelled in two ways.
    """
    return unusual_styles(features, _STYLES, thing="such words", within_language=True)
