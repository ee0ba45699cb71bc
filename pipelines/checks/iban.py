"""IBAN: a bank account number that passes its own check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins, zeros
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_START = r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}"
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])")
_GROUP = re.compile(r"[ -]")


@check(title="Bank account numbers (IBAN)", unit="numbers", group="privacy", severity="error", flag_above=0, version=2)
@everywhere
def iban(batch: Batch) -> Measurements:
    """Number of IBANs: a country's length and format, and correct check digits.

    A tuned model can repeat them to strangers. Replace them, or drop the row. A made-up number practically never passes. Knows the
    formats of all countries that use the IBAN.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _START, digits=2):
        for match in _NUMBER.finditer(turn.content):
            if length := _valid_length(match.group()):
                found.add(turn.record, Evidence(turn.turn, match.start(), match.start() + length, note="bank account number"))
    return found.measurements()


def _valid_length(text: str) -> int:
    """How many characters of the text are an IBAN; words may follow it without a mark. 0 if none are."""
    from stdnum import iban as standard

    ends = [len(text), *(gap.start() for gap in reversed(list(_GROUP.finditer(text))))]
    return next((end for end in ends if standard.is_valid(text[:end])), 0)


@fix(iban, title="Replace the account numbers")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts zeros in place of the digits; the country and the way it is written stay. No bank gives out a number with the check digits 00.

    The same one gets the same
    stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, lambda detail, number: zeros(re.sub(r"(?<=..)[A-Za-z]", "0", detail), number, keep=2))
