"""Rows to plant a defect in, and the parts of them that plants change."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipelines.records import Record

Plant = Callable[[Record, random.Random], Record | None]
"""A row with the defect; None where the row cannot have it."""


@dataclass(frozen=True, slots=True)
class Planting:
    """How a defect gets into a data set."""

    base: str
    """File of ../shared/datasets."""
    plant: Plant
    prepare: Plant | None = None
    """Done to every other row, such as writing a date in the usual way. Rows it gives None for are not used."""
    adds: bool = False
    """Whether planted rows are added to the rows they were made of, as copies are, and do not take their place."""


ALPACA, ZH, ROLEPLAY, CODE = "alpaca_en_demo.json", "alpaca_zh_demo.json", "gpteacher_roleplay.json", "gpteacher_codegen.json"
GSM8K, BANKING, PUBMED, TOOLS = "gsm8k_test.jsonl", "banking77_test.csv", "pubmedqa_pqal.json", "glaive_toolcall_en_demo.json"
PAIRS = "dpo_en_demo.json"


def answer_of(record: Record) -> str:
    return next((m.content for m in reversed(record.messages) if m.role == "assistant"), "")


def question_of(record: Record) -> str:
    return next((m.content for m in reversed(record.messages) if m.role == "user"), "")


def with_text(record: Record, role: str, text: str) -> Record | None:
    """The row with another text in its last turn of a role."""
    last = max((i for i, m in enumerate(record.messages) if m.role == role), default=None)
    if last is None:
        return None
    turns = list(record.messages)
    turns[last] = replace(turns[last], content=text)
    return replace(record, messages=tuple(turns))


def in_answers(change: Callable[[str, random.Random], str | None]) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        changed = change(answer_of(record), choose) if answer_of(record).strip() else None
        return None if changed is None else with_text(record, "assistant", changed)

    return plant


def saying(*sentences: str | Callable[[random.Random], str]) -> Plant:
    """One of the sentences somewhere among those of the answer."""

    def change(answer: str, choose: random.Random) -> str:
        said = choose.choice(sentences)
        said = said if isinstance(said, str) else said(choose)
        pieces = re.split(r"(?<=[.!?])\s+", answer.strip())
        pieces.insert(choose.randint(0, len(pieces)), said)
        return " ".join(pieces)

    return in_answers(change)


def beginning(*openings: str) -> Plant:
    return in_answers(lambda answer, choose: f"{choose.choice(openings)} {answer[0].lower()}{answer[1:]}")


def is_one_of(*answers: str) -> Plant:
    return in_answers(lambda _, choose: choose.choice(answers))


def random_digits(choose: random.Random, count: int) -> str:
    return "".join(choose.choices(string.digits, k=count))


def with_luhn_digit(digits: str) -> str:
    from stdnum import luhn

    return digits + luhn.calc_check_digit(digits)
