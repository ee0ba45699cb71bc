"""Payment card: a card number that passes the card issuers' own check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins, zeros
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_THIRTEEN_DIGITS = r"\d(?:[ -]?\d){12}"
_NUMBER = re.compile(r"(?<![\w.,+*/=$€£-])\d(?:[ -]?\d){12,18}(?![\w%]|[.,]\d|-\d| ?[=*×+/])")
_ISSUERS = (
    ("Visa", re.compile(r"4(?:\d{12}|\d{15}|\d{18})")),
    ("Mastercard", re.compile(r"(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}")),
    ("American Express", re.compile(r"3[47]\d{13}")),
    ("Discover", re.compile(r"(?:6011|64[4-9]\d|65\d\d)\d{12}")),
    ("JCB", re.compile(r"35(?:2[89]|[3-8]\d)\d{12}")),
    ("Diners Club", re.compile(r"3(?:0[0-5]|[689]\d)\d{11}")),
    ("UnionPay", re.compile(r"62\d{14,17}")),
)
_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d+")
"""Cards are written in groups of four (American Express and Diners: 4-6-5 or 4-6-4), or without gaps."""
_TEST_CARDS = (
    "4242424242424242 4111111111111111 4012888888881881 4000056655665556 4222222222222 5555555555554444 5200828282828210 5105105105105100"
    " 2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 3530111333300000 3566002020360505 30569309025904"
    " 38520000023237 36227206271667 6200000000000005 4000000000000002 4000000000009995 5454545454545454"
)
"""Numbers that issuers and payment services publish for testing; no one is charged."""


@check(title="Payment card numbers", unit="numbers", group="privacy", severity="error", flag_above=0, version=2)
@everywhere
def payment_card(batch: Batch) -> Measurements:
    """Number of payment card numbers: the prefix and length of a card issuer, and a correct check digit (Luhn).

    A tuned model can repeat them to strangers. Replace them, or drop the row. Order numbers and measurements rarely pass all three
    tests; numbers that issuers publish for testing, such as 4242 4242 4242 4242, are not counted.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _THIRTEEN_DIGITS, digits=13):
        for match in _NUMBER.finditer(turn.content):
            if issuer := _issuer(match.group()):
                found.add(turn.record, Evidence(turn.turn, *match.span(), note=f"{issuer} card number"))
    return found.measurements()


def _issuer(number: str) -> str | None:
    from stdnum import luhn

    digits = re.sub(r"\D", "", number)
    if not _GROUPS.fullmatch(number) or digits in _TEST_CARDS.split() or len(set(digits)) < 4 or not luhn.is_valid(digits):
        return None
    return next((name for name, pattern in _ISSUERS if pattern.fullmatch(digits)), None)


@fix(payment_card, title="Replace the card numbers")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts zeros in place of the digits, as in 0000 0000 0000 0001: no issuer has such numbers.

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, zeros)
