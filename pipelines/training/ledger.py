"""Ledger: what became of every row before a run. Rows in = rows trained + rows dropped, or the run does not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from pipelines.errors import WorkbenchError
from pipelines.records import Record
from pipelines.tokens.example import IGNORED, NOTHING_TRAINED, Example, Refused, tokenise
from pipelines.tokens.template import ChatFormat

OverLength = Literal["drop", "truncate"]
TOO_LONG = "too long"
HEAVY_ROWS = 8
"""The longest rows whose share of all tokens is reported."""
HEAVY_SHARE = 0.25
FEW_STEPS = 20
"""Below this, warm-up, evaluations and checkpoints hardly happen."""
FEW_EVAL_ROWS = 16
"""Below this, the validation loss says little."""
PART = 1000
"""Rows per chunk of the token table."""
TOKEN_SCHEMA = pa.schema(
    [
        ("row", pa.string()),
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("tokens", pa.int32()),
        ("trained_tokens", pa.int32()),
    ]
)
"""The rows as trained. input_ids and labels are what TRL reads."""


@dataclass(frozen=True, slots=True)
class Truncation:
    """A row that was cut at the maximum length."""

    row: str
    tokens_lost: int
    end_lost: bool
    """Whether the end of the last answer was cut off, so that the row teaches not to stop."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of the rows of one split."""

    split: str
    rows_in: int
    trained: int
    dropped: dict[str, tuple[str, ...]]
    """Row ids by reason."""
    truncated: tuple[Truncation, ...]
    tokens: int
    """In the trained rows, before padding."""
    trained_tokens: int
    """Of those, the ones in answers."""
    longest: int
    """Tokens of the longest trained row."""
    heavy_share: float
    """Share of all tokens that the HEAVY_ROWS longest rows hold."""
    control_tokens: dict[str, int] = field(default_factory=dict)
    """Special tokens typed into the text, by row."""
    empty_turns: int = 0
    """Assistant turns without text, left untrained in rows that have others."""
    open_turns: int = 0
    """Trained answers without a turn end."""

    @property
    def dropped_rows(self) -> int:
        """How many rows were dropped, for whatever reason."""
        return sum(map(len, self.dropped.values()))

    @property
    def balances(self) -> bool:
        """Whether every row is accounted for exactly once."""
        ids = [row for rows in self.dropped.values() for row in rows]
        return self.rows_in == self.trained + self.dropped_rows and len(ids) == len(set(ids)) and len(self.truncated) <= self.trained

    def verify(self) -> None:
        """Raises WorkbenchError when the ledger does not balance or nothing is left to train."""
        if not self.balances:
            counted = f"{self.trained} trained and {self.dropped_rows} dropped"
            raise WorkbenchError(
                f"The {self.split} split has {self.rows_in} rows, but {counted} do not add up. Nothing was trained. "
                "This is a fault in Winnow: please report it."
            )
        if not self.trained:
            reasons = ", ".join(f"{len(rows)} {reason}" for reason, rows in self.dropped.items()) or "it is empty"
            raise WorkbenchError(f"No row of the {self.split} split can be trained: {reasons}. Change the rows or the settings of the run.")

    def to_json(self) -> dict[str, Any]:
        """The ledger as JSON: lists for tuples."""
        return asdict(self) | {
            "dropped": {reason: list(rows) for reason, rows in self.dropped.items()},
            "truncated": [asdict(t) for t in self.truncated],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Ledger:
        """The inverse of to_json."""
        return cls(
            **stored
            | {
                "dropped": {reason: tuple(rows) for reason, rows in stored["dropped"].items()},
                "truncated": tuple(Truncation(**t) for t in stored["truncated"]),
            }
        )


def tokenise_split(
    records: Iterable[tuple[str, Record]], chat: ChatFormat, *, split: str, max_length: int, over_length: OverLength = "drop"
) -> tuple[pa.Table, Ledger]:
    """The token table of a split (TOKEN_SCHEMA, order of the rows kept) and its ledger. Nothing is left out without being named."""
    count = _Count()
    parts: list[pa.RecordBatch] = []
    waiting: list[Example] = []
    for outcome in tokenise(count.seen(records), chat):
        kept = count.settle(outcome, max_length, over_length)
        if kept is None:
            continue
        waiting.append(kept)
        if len(waiting) == PART:
            parts.append(_token_rows(waiting))
            waiting = []
    parts.append(_token_rows(waiting))
    table = pa.Table.from_batches(parts, TOKEN_SCHEMA)
    return table, count.ledger(split, table)


class _Count:
    """Counts while the rows stream by."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.dropped: dict[str, list[str]] = {}
        self.truncated: list[Truncation] = []
        self.control_tokens: dict[str, int] = {}
        self.empty_turns = self.open_turns = 0

    def seen(self, records: Iterable[tuple[str, Record]]) -> Iterable[tuple[str, Record]]:
        for each in records:
            self.rows_in += 1
            yield each

    def settle(self, outcome: Example | Refused, max_length: int, over_length: OverLength) -> Example | None:
        """The example as it will be trained, or None with the reason noted."""
        if isinstance(outcome, Refused):
            self._drop(outcome.row, outcome.reason)
            return None
        example = outcome
        if example.tokens > max_length:
            if over_length == "drop":
                self._drop(example.row, TOO_LONG)
                return None
            example = _cut(outcome, max_length)
            if not example.trained_tokens:
                self._drop(example.row, f"{TOO_LONG}: {NOTHING_TRAINED}")
                return None
            self.truncated.append(Truncation(example.row, outcome.tokens - max_length, outcome.trained_tokens > example.trained_tokens))
        if example.control_tokens:
            self.control_tokens[example.row] = example.control_tokens
        self.empty_turns += example.empty_turns
        self.open_turns += example.open_turns
        return example

    def _drop(self, row: str, reason: str) -> None:
        self.dropped.setdefault(reason, []).append(row)

    def ledger(self, split: str, table: pa.Table) -> Ledger:
        lengths = np.sort(table.column("tokens").to_numpy())
        total = int(lengths.sum())
        return Ledger(
            split=split,
            rows_in=self.rows_in,
            trained=table.num_rows,
            dropped={reason: tuple(rows) for reason, rows in self.dropped.items()},
            truncated=tuple(self.truncated),
            tokens=total,
            trained_tokens=int(table.column("trained_tokens").to_numpy().sum()),
            longest=int(lengths[-1]) if len(lengths) else 0,
            heavy_share=float(lengths[-HEAVY_ROWS:].sum() / total) if total else 0.0,
            control_tokens=self.control_tokens,
            empty_turns=self.empty_turns,
            open_turns=self.open_turns,
        )


def _cut(example: Example, max_length: int) -> Example:
    return Example(
        row=example.row,
        text=example.text,
        input_ids=example.input_ids[:max_length],
        labels=example.labels[:max_length],
        control_tokens=example.control_tokens,
        empty_turns=example.empty_turns,
        open_turns=example.open_turns,
    )


def _token_rows(examples: list[Example]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "row": [each.row for each in examples],
            "input_ids": [each.input_ids for each in examples],
            "labels": [each.labels for each in examples],
            "tokens": [each.tokens for each in examples],
            "trained_tokens": [each.trained_tokens for each in examples],
        },
        schema=TOKEN_SCHEMA,
    )


def warnings(train: Ledger, validation: Ledger | None, *, steps: int, both: int = 0) -> tuple[str, ...]:
    """Sentences about what is allowed but likely not meant. `both`: rows that stand in train and validation."""
    found = []
    if steps < FEW_STEPS:
        found.append(
            f"The run has only {steps} steps; below {FEW_STEPS} a model hardly changes. Train more epochs or take smaller batches."
        )
    if validation is None or not validation.trained:
        found.append("There is no validation split, so nothing shows whether the model starts to memorise its rows.")
    elif validation.trained < FEW_EVAL_ROWS:
        found.append(f"The validation split has only {validation.trained} rows; below {FEW_EVAL_ROWS} its loss says little.")
    if train.trained > HEAVY_ROWS and train.heavy_share > HEAVY_SHARE:
        found.append(f"The {HEAVY_ROWS} longest rows hold {train.heavy_share:.0%} of all tokens and will outweigh the others.")
    if both:
        found.append(f"{both} rows stand in both train and validation, so the validation loss is too good.")
    for ledger in (train, validation):
        if ledger is not None:
            found += _text_warnings(ledger)
    return tuple(found)


def _text_warnings(ledger: Ledger) -> list[str]:
    found = []
    if ledger.dropped_rows:
        reasons = ", ".join(f"{len(rows)} {reason}" for reason, rows in ledger.dropped.items())
        found.append(f"{ledger.dropped_rows} of {ledger.rows_in} {ledger.split} rows will not be used: {reasons}.")
    if ledger.truncated:
        lost = sum(each.tokens_lost for each in ledger.truncated)
        without_end = sum(each.end_lost for each in ledger.truncated)
        found.append(
            f"{len(ledger.truncated)} {ledger.split} rows are cut and lose {lost} tokens; {without_end} of them lose the end of an answer."
        )
    if ledger.control_tokens:
        found.append(
            f"{len(ledger.control_tokens)} {ledger.split} rows have control tokens typed in their text, which act as real turn marks."
        )
    if ledger.open_turns:
        found.append(f"{ledger.open_turns} answers in {ledger.split} are not followed by a turn end, so the model may not learn to stop.")
    if ledger.empty_turns:
        found.append(f"{ledger.empty_turns} empty answers in {ledger.split} are not trained.")
    return found


def labels_are_masked(table: pa.Table) -> bool:
    """Whether every label is either IGNORED or its own token: the last check before training."""
    import pyarrow.compute as pc

    ids, labels = pc.list_flatten(table.column("input_ids")), pc.list_flatten(table.column("labels"))
    return bool(pc.all(pc.or_(pc.equal(labels, IGNORED), pc.equal(labels, ids)), min_count=0).as_py())
