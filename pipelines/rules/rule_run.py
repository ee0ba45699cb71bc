"""Rule run: a project's rules tried on their own examples, on the project's rows, or on a file that is in no project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.checks import Batch, Measurements
from pipelines.errors import WorkbenchError
from pipelines.rules.rule import Rule
from pipelines.sources.places import Place, readable_places

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule said of one of its examples."""

    rule: str
    text: str
    should_pass: bool
    breaches: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the rule did what its example says."""
        return self.should_pass != bool(self.breaches)


def try_examples(rules: Sequence[Rule]) -> list[Verdict]:
    """Each rule on each of its own examples."""
    return [
        Verdict(rule.id, example.text, example.passes, tuple(found.note for found in rule.breaches_of(example.text, example.prompt)))
        for rule in rules
        for example in rule.examples
    ]


def chosen_rules(rules: Sequence[Rule], ids: Sequence[str] | None) -> list[Rule]:
    """Some of the rules by id, or all. Raises WorkbenchError for an id that there is not, and when there are no rules."""
    if not rules:
        raise WorkbenchError("This project has no rules yet. Write them in its rules.yaml, or in the app on the page Rules.")
    known = {rule.id: rule for rule in rules}
    unknown = [id for id in ids or () if id not in known]
    if unknown:
        raise WorkbenchError(f"There is no rule {', '.join(unknown)}. The rules are: {', '.join(known)}.")
    return [known[id] for id in ids] if ids else list(rules)


def run_on_file(rules: Sequence[Rule], source: str | Path, *, examples: int = 10) -> list[dict[str, Any]]:
    """Rules on the rows of a file that need not be in a project: {"rule", "title", "severity", "rows", "applies", "broken", "examples"}.

    `applies` counts the rows that a rule is about; `examples` are the first rows that break it: {"file", "row", "notes"}. Rows that
    cannot be read are left out. Raises WorkbenchError when nothing can be read.
    """
    from pipelines.store.tables import records_to_table

    totals: dict[str, dict[str, Any]] = {rule.id: {"applies": 0, "broken": 0, "examples": []} for rule in rules}
    rows = 0
    readable = readable_places(source)
    while places := list(islice(readable, _BATCH)):
        rows += len(places)
        batch = Batch(records_to_table([place.record for place in places]))
        for rule in rules:
            _add(totals[rule.id], rule.measure(batch), places, examples)
    if not rows:
        raise WorkbenchError(f"No row of {source} could be read.")
    return [{"rule": rule.id, "title": rule.title, "severity": rule.severity, "rows": rows, **totals[rule.id]} for rule in rules]


def _add(total: dict[str, Any], found: Measurements, places: Sequence[Place], examples: int) -> None:
    for place, value, evidence in zip(places, found.values, found.evidence or [()] * len(places), strict=True):
        total["applies"] += value is not None
        if value:
            total["broken"] += 1
            if len(total["examples"]) < examples:
                total["examples"].append({"file": place.file, "row": place.row, "notes": [spot.note for spot in evidence]})
