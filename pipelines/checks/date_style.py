"""Date style: a date written in another way than the set writes dates."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._styles import Style, unusual_styles

_MONTH = (
    r"(?:jan(?:uary|uar|vier|uari)?|jän(?:ner)?|feb(?:ruary|ruar|ruari)?|février|mar(?:ch|s|zo)?|märz|maart|apr(?:il|ile)?|avril|may|mai|mei|mayo"
    r"|maggio|june?|juni|juin|junio|giugno|july?|juli|juillet|julio|luglio|aug(?:ust|ustus)?|août|agosto|sept?(?:ember|embre|iembre|tembre)?"
    r"|settembre|o[ck]t(?:ober|obre|ubre)?|ottobre|nov(?:ember|embre|iembre)?|de[cz](?:ember|embre|iembre)?|décembre|dicembre|diciembre|enero"
    r"|gennaio|febrero|febbraio|abril|marzo)\.?"
)
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER = r"(?:0?[1-9]|1[0-2])"
_STYLES = {
    "year-month-day": Style(rf"(?:^|[^\w./-])({_YEAR}-[01]\d-[0-3]\d)\b", "2024-05-03"),
    "year/month/day": Style(rf"(?:^|[^\w./-])({_YEAR}/{_NUMBER}/{_DAY})\b", "2024/05/03"),
    "day.month.year": Style(rf"(?:^|[^\w./-])({_DAY}\. ?{_NUMBER}\. ?{_YEAR})\b", "03.05.2024"),
    "numbers with slashes": Style(rf"(?:^|[^\w./-])({_DAY}/{_DAY}/{_YEAR})\b", "05/03/2024"),
    "day-month-year": Style(rf"(?:^|[^\w./-])({_DAY}-{_DAY}-{_YEAR})\b", "03-05-2024"),
    "month day, year": Style(rf"(?i)(?:^|[^\w-])({_MONTH} {_DAY}(?:st|nd|rd|th)?,? {_YEAR})\b", "May 3, 2024"),
    "day month year": Style(
        rf"(?i)(?:^|[^\w-])({_DAY}(?:st|nd|rd|th|\.|er)? (?:of |de |di )?{_MONTH},? (?:de |del )?{_YEAR})\b", "3 May 2024"
    ),
    "年月日": Style(rf"({_YEAR} ?年 ?{_NUMBER} ?月 ?{_DAY} ?[日号號])", "2024年5月3日"),
}


@check(
    title="Dates written in another way",
    unit="certainty",
    group="format",
    severity="info",
    flag_above=0.85,
    scope="set",
    needs=("prompt_languages",),
)
def date_style(features: SetFeatures) -> Measurements:
    """How surely an answer writes a full date in another way (2024-05-03, May 3, 2024, 03.05.2024, …) than the set does, from 0 to 1.

    A model that has seen several ways uses any of them, and 05/03/2024 can be read as two days. Rewrite the date in the usual way, or lower
    the weight of this check where your questions ask for a certain way.

    The usual way is that of most answers to the same system prompt, where 20 answers or more hold a date, or else of the whole set. The
    value is the lower end of the 95 % interval of its share, 0 for answers that keep to it. Compared within the language that most answers
    with a date are asked in. Not measured for answers without a full date.
    """
    return unusual_styles(features, _STYLES, thing="dates", within_language=True)
