"""Copies of a row, and answers that contradict its own."""

from __future__ import annotations

import random
from dataclasses import replace

from pipelines.records import Record
from tests.benchmarks.planted.rows import answer_of, question_of, with_text


def recased(record: Record, choose: random.Random) -> Record | None:
    return replace(record, messages=tuple(replace(m, content=choose.choice((m.content.upper(), f" {m.content}\n", m.content.replace(" ", "  ")))) for m in record.messages))  # fmt: skip


def reworded(record: Record, choose: random.Random) -> Record | None:
    """One word in twenty replaced by another word of the row."""
    if len(f"{question_of(record)} {answer_of(record)}".split()) < 40:
        return None
    turns = []
    for m in record.messages:
        words = m.content.split(" ")
        for at in choose.sample(range(len(words)), len(words) // 20):
            words[at] = choose.choice(words)
        turns.append(replace(m, content=" ".join(words)))
    return replace(record, messages=tuple(turns))


def other_number(record: Record, choose: random.Random) -> Record | None:
    """The same sum with another result."""
    work, mark, result = answer_of(record).rpartition("#### ")
    return with_text(record, "assistant", f"{work}{mark}{int(result.replace(',', '')) + choose.randint(1, 90)}") if mark and result.replace(",", "").isdigit() else None  # fmt: skip
