"""Rule: something that every row, or every answer of a model, must keep to. It measures like a check, under the name rule:<id>."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.checks import Batch, Check, Evidence, Fix, Measurements, Severity
from pipelines.checks._stand_ins import with_stand_ins
from pipelines.records import Message, Record, content_hash
from pipelines.rules.demand import Breach, Demand
from pipelines.rules.text_pattern import TextPattern

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Target = Literal["answer", "answers", "prompt", "system", "turns"]
"""What a rule is about: the last answer; every answer; the questions; the system prompt; all that is said."""
PREFIX = "rule:"
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ROLE: dict[Target, str] = {"answer": "assistant", "answers": "assistant", "prompt": "user", "system": "system"}
NUMBER = "{number}"
"""In a stand-in: the number of the detail in its conversation, from 1."""


def is_rule_name(name: str) -> bool:
    """Whether a finding of this name would be a rule's."""
    return ID.fullmatch(name.removeprefix(PREFIX)) is not None and name.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule applies to a row: all that is given must match."""

    prompt: TextPattern | None = None
    answer: TextPattern | None = None
    system: TextPattern | None = None

    def holds(self, batch: Batch) -> np.ndarray:
        """One bool per record."""
        import numpy as np

        holds = np.ones(len(batch), bool)
        for name in ("prompt", "answer", "system"):
            pattern: TextPattern | None = getattr(self, name)
            if pattern:
                holds &= np.asarray(pattern.masks(batch.column(name)).to_numpy(), bool)
        return holds


@dataclass(frozen=True, slots=True)
class Example:
    """A text that a rule must let pass, or must find fault with."""

    text: str
    passes: bool
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a project."""

    id: str
    title: str
    demand: Demand
    severity: Severity = "warning"
    on: Target = "answer"
    message: str = ""
    """What to do about a row that breaks it, in the project's words."""
    when: Condition = Condition()
    examples: tuple[Example, ...] = ()
    stand_in: str | None = None
    """What can take the place of what the rule finds, in one go; None where a person has to correct it."""
    definition: str = ""
    """Canonical JSON of all that decides what the rule finds: a change of it measures the rows anew."""

    @property
    def name(self) -> str:
        """As findings, queues and recipes call it."""
        return PREFIX + self.id

    def as_check(self) -> Check:
        """The rule as a check of scope "batch": the value is the number of breaches, None for rows it does not apply to."""
        second = self.message or f"It breaks the rule “{self.title}”. Correct the row, or drop it."
        return Check(
            name=self.name,
            title=self.title,
            description=f"Number of breaches of the project's rule “{self.title}”.\n\n{second}",
            unit="breaches",
            threshold=0.0,
            direction="above",
            severity=self.severity,
            group="format",
            measure=self.measure,
            fix=self._fix(),
            folder=f"rule-{self.id}@{content_hash(self.definition)[:16]}",
        )

    def _fix(self) -> Fix | None:
        if self.stand_in is None:
            return None
        stand_in = self.stand_in
        words = f"Puts “{stand_in}” in the place of what the rule “{self.title}” finds." if stand_in else "Takes out what the rule finds."
        if NUMBER in stand_in:
            words += " The same detail gets the same number all through a conversation, tool calls included."

        def mend(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
            return with_stand_ins(turns, evidence, lambda _, number: stand_in.replace(NUMBER, str(number)))

        return Fix("Replace what it finds" if stand_in else "Take out what it finds", words, mend)

    def measure(self, batch: Batch) -> Measurements:
        """Breaches per record, each with its place."""
        import numpy as np
        import pyarrow as pa

        record, turn, content = self._texts(batch)
        applies = self.when.holds(batch)
        kept = np.flatnonzero(applies[record]) if len(record) else np.zeros(0, np.int64)
        record, turn = record[kept], turn[kept]
        values: list[float | None] = [None] * len(batch)
        evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
        for of in np.unique(record).tolist():
            values[of] = 0.0
        for i, breaches in self.demand.breaches(content.take(pa.array(kept, pa.int64()))).items():
            of = int(record[i])
            values[of] = (values[of] or 0.0) + len(breaches)
            evidence[of] += tuple(_evidence(int(turn[i]), breach, self.title) for breach in breaches)
        return Measurements(values, evidence)

    def _texts(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, pa.ChunkedArray]:
        """Record, turn and content of each text the rule is about."""
        import numpy as np
        import pyarrow.compute as pc

        turns = batch.turns if self.on == "turns" else batch.turns.filter(pc.equal(batch.turns.column("role"), _ROLE[self.on]))
        record, turn = turns.column("record").to_numpy(), turns.column("turn").to_numpy()
        content = turns.column("content")
        if self.on != "answer" or not len(record):
            return record, turn, content
        last = np.r_[record[1:] != record[:-1], True]
        return record[last], turn[last], content.filter(last)

    def breaches_of(self, text: str, prompt: str = "") -> list[Evidence]:
        """What is wrong with one text: an answer to a prompt, or whatever the rule is about."""
        from pipelines.store.tables import records_to_table

        role = _ROLE.get(self.on, "assistant")
        asked = [Message("user", prompt)] if prompt and role != "user" else []
        found = self.measure(Batch(records_to_table([Record((*asked, Message(role, text)))])))
        return list((found.evidence or [()])[0])


def _evidence(turn: int, breach: Breach, title: str) -> Evidence:
    return Evidence(turn, breach.start, breach.end, note=breach.note or title)
