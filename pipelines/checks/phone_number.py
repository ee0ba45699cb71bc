"""Phone number: a way to reach a person that should not be learned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins, zeros
from pipelines.checks._turns import Findings, matches_at, turns_with
from pipelines.records import Message

_SEVEN_DIGITS = r"(?:\d[ ./()\x{A0}\x{2011}-]{0,2}){7}"
_GAP = r"[ .\-/\u00a0\u2011]"
_BEFORE = r"(?<![\w.,$€£<=*×^#+])(?<![\w/][-/])(?<![*×=<+] )"
_AFTER = r"(?![\w%°€$£])(?![.,:/-]\d)(?! ?[=*×÷<>^+])(?! - \d)"
_INTERNATIONAL = re.compile(rf"{_BEFORE}(?P<plus>\+|00{_GAP}?)[1-9]\d{{0,2}}(?:{_GAP}?(?:\(\d{{1,5}}\)|\d+)){{1,7}}{_AFTER}")
_INTERNATIONAL_START = re.compile(r"\+(?=[1-9])|0(?=0)(?<!\w0)")
_AMERICAN = re.compile(rf"{_BEFORE}(?:1{_GAP})?(?:\([2-9]\d\d\){_GAP}?|[2-9]\d\d[.\u2011-])[2-9]\d\d{_GAP}\d{{4}}{_AFTER}")
_AMERICAN_START = re.compile(rf"[(1-9](?<!\w[(1-9])(?:(?<=\()(?=[2-9]\d\d\))|(?<=1)(?={_GAP}[(2-9])|(?<=[2-9])(?=\d\d[.\u2011-]))")
_CHINESE_MOBILE = re.compile(rf"{_BEFORE}1[3-9]\d[ -]\d{{4}}[ -]\d{{4}}{_AFTER}")
_CHINESE_START = re.compile(r"1(?=[3-9]\d[ -])(?<!\w1)")
_NATIONAL = re.compile(rf"{_BEFORE}(?:\(0[1-9]\d{{0,4}}\)|0[1-9]\d{{0,4}})(?:{_GAP}?\d{{2,8}}){{1,4}}{_AFTER}")
_NATIONAL_START = re.compile(r"\((?=0[1-9])|0(?=[1-9])(?<!\w0)")
_LABELLED = re.compile(
    r"(?:\b(?:tel(?:ephone|efon)?|phone|mobile|mobil|cell(?:phone)?|fax|whats ?app|handy|t[ée]l[ée]phone|tel[ée]fono|cellulare|m[oó]vil"
    r"|telefoon|call|ring|text|dial|hotline)\b|电话|手机|联系方式|電話|致电|拨打)"
    r"(?:[\W_]{1,3}(?:number|no|nr|us|me|him|her|them|is|at|on|back|or|text|unter|ist|au|al|il|en|est|号码?|为|是))*"
    r"[\W_]{0,4}?(?:号码|号|是|为|[：: ])*"
    rf"(?P<number>\(?\d(?:{_GAP}?\(?\d\)?){{6,13}})(?![\w%])(?![.,:/-]\d)",
    re.IGNORECASE,
)
_ASCII_LABEL = re.compile(r"[tpmcfwhrd](?=el|hone|obil|ell|ax|hats|andy|ovil|all|ing|ext|ial|otline)", re.IGNORECASE)
"""Stands in every ASCII text that holds a labelled number."""
_CONTEXT = (
    r"\b(?:tel|phone|mobile|cell|fax|call(?:ed|s|ing)?|ring|rang|reach(?:ed|able)?|contact|reception|dial|sms|whats ?app|hotline|landline"
    r"|handset|telefon\w*|handy|anrufen|erreichbar|rückruf|t[ée]l[ée]phone|appele[rz]|joindre|tel[ée]fono|llam\w+|chiam\w+|bel(?:len)?|nummer"
    r"|number|numéro|número|numero)\b|电话|手机|致电|联系"
)
_STRICT_REGIONS = ("GB", "FR", "NL", "BE", "CH", "ES", "AU", "IE", "SE", "JP")
"""Where the numbering plan fixes the length, so that a valid number is hardly ever an accident. Not so in Germany, Austria and Italy."""
_STAND_IN = re.compile(r"1234567|2345678|5555555|(\d)\1{6}")
_DATE = re.compile(r"(?:19|20)\d\d\D(?:19|20)\d\d|\d{1,2}\D\d{1,2}\D(?:19|20)\d\d|(?:19|20)\d\d\D\d{1,2}\D\d{1,2}|(?:\d{1,3}\.){3}\d{1,3}")


@check(title="Phone numbers", unit="numbers", group="privacy", flag_above=0, version=2)
@everywhere
def phone_number(batch: Batch) -> Measurements:
    """Number of phone numbers: international (+49 …, 0049 …), American (212) 555-0147, and national ones with a leading zero.

    A tuned model can repeat them to strangers. Replace them, or drop the row. Numbers kept for films are counted; obvious stand-ins
    such as 123-4567 are not. A national number needs a valid length for its country, or words such as "call" or 电话 close by.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _SEVEN_DIGITS, digits=7):
        reached = -1
        for start, end in sorted(set(_numbers(turn.content))):
            if start >= reached:
                found.add(turn.record, Evidence(turn.turn, start, end, note="phone number"))
                reached = end
    return found.measurements()


def _numbers(content: str) -> Iterator[tuple[int, int]]:
    for match in matches_at(_INTERNATIONAL_START, _INTERNATIONAL, content):
        if _is_plausible(match.group()) and _is_international(match.group(), has_plus=match["plus"] == "+"):
            yield match.span()
    for start, pattern in ((_AMERICAN_START, _AMERICAN), (_CHINESE_START, _CHINESE_MOBILE)):
        yield from (match.span() for match in matches_at(start, pattern, content) if _is_plausible(match.group()))
    for match in matches_at(_NATIONAL_START, _NATIONAL, content):
        if _is_plausible(match.group()) and (_is_valid_somewhere(match.group()) or _is_spoken_of(content, *match.span())):
            yield match.span()
    for match in _LABELLED.finditer(content) if not content.isascii() or _ASCII_LABEL.search(content) else ():
        if _is_plausible(match["number"]):
            yield match.span("number")


def _is_plausible(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return 7 <= len(digits) <= 16 and not _STAND_IN.search(digits) and not _DATE.fullmatch(number.strip())


def _is_international(number: str, *, has_plus: bool) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse("+" + number.lstrip("+0 .-/"), None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed) if has_plus else phonenumbers.is_valid_number(parsed)


def _is_valid_somewhere(number: str) -> bool:
    """Whether a number written with gaps is valid in a country of strict lengths."""
    import phonenumbers

    if not re.search(_GAP + r"|\)", number):
        return False
    return any(phonenumbers.is_valid_number(phonenumbers.parse(number, region)) for region in _STRICT_REGIONS)


def _is_spoken_of(content: str, start: int, end: int) -> bool:
    digits = sum(character.isdigit() for character in content[start:end])
    return 9 <= digits <= 12 and bool(re.search(_CONTEXT, content[max(start - 50, 0) : end + 25], re.IGNORECASE))


@fix(phone_number, title="Replace the phone numbers")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts zeros in place of the digits, as in +49 000 0000001; the country code and the way it is written stay.

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, lambda detail, number: zeros(detail, number, keep=_country_code(detail)))


def _country_code(number: str) -> int:
    """Characters of an international number before the first gap, four at most."""
    match = re.match(r"(?:\+|00)\d{1,3}(?=[^\d])", number)
    return match.end() if match else 0
