"""Rule rates: how often rules are broken in the rows brought in, in those trained on, by the base model and by the tuned one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Batch
from pipelines.curation.decisions import connect
from pipelines.evaluation.intervals import NOT_MEASURED, Estimate, proportion, verdict
from pipelines.evaluation.metrics import estimate_share, estimate_share_difference
from pipelines.records import Message, Record
from pipelines.rules.rule import Rule
from pipelines.store.project import Project
from pipelines.store.tables import RECORD_SCHEMA, records_to_table

_ROWS = 4_000


def rule_rates(
    project: Project,
    rules: Sequence[Rule],
    snapshot: Path,
    asked: Sequence[Record],
    before: Sequence[str],
    after: Sequence[str],
    groups: Sequence[int],
) -> list[dict[str, Any]]:
    """Per rule about answers: {"rule", "title", "severity", "raw", "curated", "before", "after", "difference", "verdict"}.

    Each of the middle ones is the share of the rows it applies to that break it, as an Estimate in JSON; `difference` is paired, after
    minus before, over the answers it applies to in both. `raw` is not measured before a scan. `asked` are the evaluated records, whose
    last answer is replaced by what each model wrote, and `groups` the numbers of their questions: answers to the same question do not
    count in full for `before`, `after` and `difference`.
    """
    about_answers = [rule for rule in rules if rule.on in ("answer", "answers")]
    if not about_answers:
        return []
    batches = [Batch(records_to_table([_answered(r, text) for r, text in zip(asked, texts, strict=True)])) for texts in (before, after)]
    raw = _raw(project)
    found = []
    for rule in about_answers:
        broken = [_broken(rule, batch) for batch in batches]
        difference = estimate_share_difference(broken[0], broken[1], groups)
        found.append(
            {
                "rule": rule.id,
                "title": rule.title,
                "severity": rule.severity,
                "raw": proportion(*raw[rule.name]).to_json() if rule.name in raw else NOT_MEASURED.to_json(),
                "curated": _curated(rule, snapshot).to_json(),
                "before": estimate_share(broken[0], groups).to_json(),
                "after": estimate_share(broken[1], groups).to_json(),
                "difference": difference.to_json(),
                "verdict": verdict(difference, higher_is_better=False),
            }
        )
    return found


def _answered(record: Record, text: str) -> Record:
    """The record as if a model's text were its last answer."""
    turns = list(record.conversation)
    last = max((i for i, turn in enumerate(turns) if turn.role == "assistant"), default=len(turns))
    return Record((*turns[:last], Message("assistant", text)))


def _broken(rule: Rule, batch: Batch) -> list[bool | None]:
    return [None if value is None else value > 0 for value in rule.measure(batch).values]


def _curated(rule: Rule, snapshot: Path) -> Estimate:
    measured = [each for batch in _train_batches(snapshot) for each in _broken(rule, batch) if each is not None]
    return proportion(sum(measured), len(measured))


def _train_batches(snapshot: Path) -> Iterator[Batch]:
    file = pq.ParquetFile(snapshot / "train.parquet")
    for batch in file.iter_batches(batch_size=_ROWS, columns=RECORD_SCHEMA.names):
        yield Batch(pa.Table.from_batches([batch]))


def _raw(project: Project) -> dict[str, tuple[int, int]]:
    """Rows that break each rule, and rows it applies to, as the last scan measured them."""
    with connect(project) as connection:
        rows = connection.execute(
            """SELECT m.check, count(*) FILTER (m.value > 0), count(m.value) FROM measurements m
               WHERE m.check LIKE 'rule:%' GROUP BY m.check"""
        ).fetchall()
    return {name: (broken, measured) for name, broken, measured in rows}
