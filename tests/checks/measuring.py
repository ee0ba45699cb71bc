"""Runs one check over a few records, and stands in for the features that a scan computes over the whole set."""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
import pyarrow as pa

from pipelines.checks import Batch, Evidence, Measurements, all_checks
from pipelines.checks._languages import language_table, languages
from pipelines.checks._turns import answer_turns
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table


def answer(text: str, prompt: str = "Tell me about it, please.", system: str | None = None) -> Record:
    """A record with one question and this answer."""
    messages = [Message("system", system)] if system else []
    return Record((*messages, Message("user", prompt), Message("assistant", text)))


def turns(*roles_and_contents: tuple[str, str] | Message) -> Record:
    """A record of these turns."""
    return Record(tuple(turn if isinstance(turn, Message) else Message(*turn) for turn in roles_and_contents))


def measure(check: str, *records: Record) -> Measurements:
    """What a check says of these records; a whole-set check sees them as the whole set."""
    table = records_to_table(records)
    found = all_checks()[check]
    return found.measure(Batch(table) if found.scope == "batch" else SmallSet(table))


def flags(check: str, *records: Record) -> list[bool | None]:
    """Per record: whether it is an issue at the default threshold, None when it was not measured."""
    found = all_checks()[check]
    return [None if value is None else found.is_issue(value) for value in measure(check, *records).values]


def evidence(check: str, record: Record) -> list[Evidence]:
    """What the check points at in one record."""
    found = measure(check, record).evidence
    return list(found[0]) if found is not None else []


def marked(check: str, record: Record) -> list[str]:
    """The texts that the check's evidence spans."""
    return [
        record.conversation[e.turn].content[e.start : e.end] for e in evidence(check, record) if e.turn is not None and e.end is not None
    ]


class SmallSet:
    """`SetFeatures` of a few records, by brute force. Embeddings count the letters of the prompt or the answer."""

    def __init__(self, table: pa.Table, embeddings: np.ndarray | None = None) -> None:
        self._table = table
        self._embeddings = embeddings

    @property
    def ids(self) -> list[str]:
        return self._table.column("id").to_pylist()

    def column(self, name: str) -> pa.ChunkedArray:
        return self._table.column(name)

    def lengths(self, name: str) -> np.ndarray:
        return np.array([len(text.strip()) for text in self._texts(name)], np.int64)

    @property
    def answer_turns(self) -> np.ndarray:
        return answer_turns(self.column("messages"), self.column("chosen"))

    @property
    def exact_groups(self) -> np.ndarray:
        return _first_equal([_canonical(f"{p} | {a}") for p, a in zip(self._texts("prompt"), self._texts("answer"), strict=True)])

    @property
    def prompt_groups(self) -> np.ndarray:
        return _first_equal([_canonical(f"{s} | {p}") for s, p in zip(self._texts("system"), self._texts("prompt"), strict=True)])

    @cached_property
    def near_pairs(self) -> pa.Table:
        shingles = [_shingles(f"{p} {a}") for p, a in zip(self._texts("prompt"), self._texts("answer"), strict=True)]
        pairs = [(i, j, len(a & b) / max(len(a | b), 1)) for (i, a), (j, b) in combinations(enumerate(shingles), 2)]
        left, right, similarity = (
            zip(*[pair for pair in pairs if pair[2] >= 0.5], strict=True) if any(p[2] >= 0.5 for p in pairs) else ((),) * 3
        )
        return pa.table(
            {"left": pa.array(left, pa.int64()), "right": pa.array(right, pa.int64()), "similarity": pa.array(similarity, pa.float64())}
        )

    @property
    def prompt_languages(self) -> pa.Table:
        return language_table(languages(self._table.column("prompt")))

    @property
    def embeddings(self) -> np.ndarray:
        if self._embeddings is not None:
            return self._embeddings
        return self._letters("prompt")

    @property
    def answer_embeddings(self) -> np.ndarray:
        return self._letters("answer")

    def _letters(self, column: str) -> np.ndarray:
        counts = np.array([[1.0, *(text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz")] for text in self._texts(column)])
        counts = counts.reshape(len(self.ids), 27)
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)

    def _texts(self, name: str) -> list[str]:
        return self._table.column(name).to_pylist()


def _canonical(text: str) -> str:
    return " ".join(text.lower().split())


def _first_equal(texts: Sequence[str]) -> np.ndarray:
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, i) for i, text in enumerate(texts)], np.int64)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 3]) for i in range(max(len(words) - 2, 1))}
