"""National id: a number by which a state knows a person: social security, tax, health insurance."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._beyond_content import everywhere
from pipelines.checks._stand_ins import with_stand_ins, zeros
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_B, _E = r"(?<![\w.,/+-])", r"(?![\w/+]|[.,-]\d)"


@dataclass(frozen=True, slots=True)
class _Number:
    name: str
    form: str
    """What both RE2 and Python understand."""
    pattern: re.Pattern[str]
    """The form, apart from other letters and digits."""
    rule: str
    """Module of python-stdnum whose `is_valid` it has to pass; empty for none."""
    words: str = ""
    """What has to stand close by, where the form and the check digit alone are too often an accident."""


def _number(name: str, pattern: str, rule: str = "", words: str = "") -> _Number:
    return _Number(name, pattern, re.compile(f"{_B}(?:{pattern}){_E}"), rule, words)


_NUMBERS = (
    _number("US social security number", r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _number("US social security number", r"\d{9}", "us.ssn", r"social security|\bssn\b"),
    _number("German tax number", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", r"steuer-?id|identifikationsnummer|\bidnr|tax id"),
    _number("British National Insurance number", r"[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    _number("British NHS number", r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", r"\bnhs\b"),
    _number("French social security number", r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    _number("Spanish identity number", r"\d{8}-?[A-Z]", "es.dni"),
    _number("Spanish identity number for foreigners", r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),
    _number("Italian tax code", r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    _number("Dutch citizen number", r"\d{9}", "nl.bsn", r"\bbsn\b|burgerservicenummer"),
    _number("Polish identity number", r"\d{11}", "pl.pesel", r"pesel"),
    _number("Swiss social security number", r"756\.\d{4}\.\d{4}\.\d{2}", "ch.ssn"),
    _number("Austrian social security number", r"\d{4} ?\d{6}", "at.vnr", r"sozialversicherung|\bsvnr|\bsv-nummer|versicherungsnummer"),
    _number("Swedish identity number", r"(?:19|20)?\d{6}[-+]\d{4}", "se.personnummer", r"personnummer|personal identity"),
    _number("Brazilian tax number", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    _number("Chinese identity number", r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dX]", "cn.ric"),
    _number("Indian Aadhaar number", r"[2-9]\d{3} ?\d{4} ?\d{4}", "in_.aadhaar", r"aadha?ar"),
    _number("Korean resident number", r"\d{6}-[1-8]\d{6}", "kr.rrn"),
    _number("Canadian social insurance number", r"\d{3}[ -]\d{3}[ -]\d{3}", "ca.sin", r"social insurance|\bsin\b"),
)
_ALL_WORDS = "|".join(number.words for number in _NUMBERS if number.words)
_NAMES = re.compile(_ALL_WORDS, re.IGNORECASE)
_TRIGGER = "|".join([*(f"(?:{number.form})" for number in _NUMBERS if not number.words), f"(?i:{_ALL_WORDS})"])
"""RE2: stands in every text with a number that counts."""
_NEAR = 60
"""Characters before the number in which the words have to stand."""
_STAND_INS = frozenset(("123456789", "987654321", "078051120", "219099999"))


@check(title="Identity and social security numbers", unit="numbers", group="privacy", severity="error", flag_above=0, version=2)
@everywhere
def national_id(batch: Batch) -> Measurements:
    """Number of personal numbers that a state gives out: social security, tax and identity numbers of 16 countries.

    A tuned model can repeat them to strangers. Replace them, or drop the row.

    Each has the form of its country and a right check digit (by the library python-stdnum); where a number of that form is easily an
    accident, its name (such as BSN, NHS or SSN) has to stand before it. Numbers that are printed everywhere as examples do not count.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _TRIGGER, digits=6):
        reached = -1
        for start, end, name in sorted(_ids(turn.content)):
            if start >= reached:
                found.add(turn.record, Evidence(turn.turn, start, end, note=name))
                reached = end
    return found.measurements()


def _ids(content: str) -> list[tuple[int, int, str]]:
    has_name = bool(_NAMES.search(content))
    return [
        (*match.span(), number.name)
        for number in _NUMBERS
        if has_name or not number.words
        for match in number.pattern.finditer(content)
        if _is_valid(number, match.group()) and _is_spoken_of(number, content, match.start())
    ]


def _is_valid(number: _Number, text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    if digits in _STAND_INS or len(set(digits)) < 3:
        return False
    return not number.rule or bool(importlib.import_module(f"stdnum.{number.rule}").is_valid(text))


def _is_spoken_of(number: _Number, content: str, start: int) -> bool:
    return not number.words or bool(re.search(number.words, content[max(start - _NEAR, 0) : start], re.IGNORECASE))


@fix(national_id, title="Replace the numbers")
def _redacted(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Puts zeros in place of the digits; the way it is written stays.

    The same one gets the same stand-in all through a conversation, tool calls included.
    """
    return with_stand_ins(turns, evidence, zeros)
