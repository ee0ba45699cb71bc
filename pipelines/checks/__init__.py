"""Check: one question asked of every record, answered by a number and by evidence a person can look at.

A check is one file of this folder that nobody else lists. It sees a batch of records as Arrow columns, or the whole set.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import operator
import pkgutil
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipelines.records import Message

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[A-Z\"“])")
Severity = Literal["error", "warning", "info"]
Feature = Literal["exact_groups", "near_pairs", "prompt_groups", "prompt_languages", "embeddings"]
"""What `SetFeatures` computes over the whole set; "embeddings", of prompts and of answers, alone need a model."""
Shared = TypeVar("Shared")
Group = Literal["structure", "format", "text", "length", "language", "duplicates", "privacy", "content", "meaning"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in a record to look. All fields are optional; `note` says in plain words what is seen there."""

    turn: int | None = None
    """Position of the turn in the conversation, from 0."""
    start: int | None = None
    """First character of the span in the turn's content, in Unicode code points."""
    end: int | None = None
    """One past the last character of the span."""
    detail: str = ""
    """The text itself, where it does not stand in the content: in the reasoning or a tool call of the turn."""
    record: str | None = None
    """Id of another record that this one is to be compared with."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measurements:
    """One value per record, in the order of the batch, and what to look at."""

    values: Sequence[float | None]
    """In the check's own unit. None means not measured, which is not 0."""
    evidence: Sequence[Sequence[Evidence]] | None = None
    """Per record, most telling first; None when the check never points anywhere."""

    def evidence_json(self) -> list[str | None]:
        """Evidence as stored: a JSON array per record without absent keys, None where there is nothing to show."""
        if self.evidence is None:
            return [None] * len(self.values)
        return [_evidence_text(spans) if spans else None for spans in self.evidence]


def _evidence_text(spans: Sequence[Evidence]) -> str:
    return _TO_JSON(
        [{name: value for name, value in zip(_FIELDS, _VALUES(span), strict=True) if value not in (None, "")} for span in spans]
    )


_FIELDS = tuple(field.name for field in fields(Evidence))
_VALUES = operator.attrgetter(*_FIELDS)  # dataclasses.asdict copies deeply and takes ten times as long
_TO_JSON = json.JSONEncoder(ensure_ascii=False).encode


class Batch:
    """Some records as Arrow columns (`pipelines.store.tables.RECORD_SCHEMA`)."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._shared: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return self.table.num_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """One column, one entry per record: id, kind, system, prompt, answer, tools, …"""
        return self.table.column(name)

    def shared(self, key: Hashable, make: Callable[[], Shared]) -> Shared:
        """What `make` returns, made once for all the checks that see this batch and ask by the same key."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    @functools.cached_property
    def turns(self) -> pa.Table:
        """Every turn of every conversation: `record` (index in the batch), `turn`, `role`, `content`, `tool_calls`.

        Of a preference pair: the prompt, then the chosen answer. Ordered by record, then turn.
        """
        from pipelines.store.tables import flatten_turns

        return flatten_turns(self.table)


class SetFeatures(Protocol):
    """What is computed once over the whole set and handed to checks of scope "set". Rows are in import order."""

    @property
    def ids(self) -> list[str]:
        """Ids of all the records."""
        ...

    def column(self, name: str) -> pa.ChunkedArray:
        """One record column over the whole set."""
        ...

    def lengths(self, name: str) -> np.ndarray:
        """int64, one per record: characters of its "prompt" or "answer" without the white space around it."""
        ...

    @property
    def answer_turns(self) -> np.ndarray:
        """int64, one per record: position of the last assistant turn in the conversation, -1 where there is none."""
        ...

    @property
    def exact_groups(self) -> np.ndarray:
        """int64, one per record: the index of the first record with the same canonical text."""
        ...

    @property
    def near_pairs(self) -> pa.Table:
        """Pairs `left` < `right` (record indices) with exact word-shingle Jaccard `similarity` >= 0.5 over the whole text."""
        ...

    @property
    def prompt_groups(self) -> np.ndarray:
        """int64, one per record: the index of the first record with the same canonical system prompt and prompt."""
        ...

    @property
    def prompt_languages(self) -> pa.Table:
        """The language of each record's prompt: `code` (null where it cannot be told) and `score`. See `_languages.Language`."""
        ...

    @property
    def embeddings(self) -> np.ndarray:
        """float32, one unit vector per record (its prompt)."""
        ...

    @property
    def answer_embeddings(self) -> np.ndarray:
        """float32, one unit vector per record (the words of its answer, without the syntax of JSON), of the same encoder."""
        ...


@dataclass(frozen=True, slots=True)
class Fix:
    """How a row with the finding can be mended without a person writing anything."""

    title: str
    """What is done, such as "Restore the garbled characters"."""
    description: str
    """The docstring of the function: what is changed, and what is left to a person."""
    mend: Callable[[Sequence[Message], Sequence[Evidence]], list[Message] | None]
    """The turns of a conversation (of a preference pair: the prompt, then the chosen answer) as they should be, or None where a person
    has to decide. It gets the check's evidence for these turns and changes nothing else."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check and how it is shown."""

    name: str
    title: str
    """Plain words for the list of issue types, such as "Answers that refuse"."""
    description: str
    """The docstring. First paragraph: what the value means. Second: what such rows do to a model, what to do about them, then the rest."""
    unit: str
    threshold: float
    """Values beyond it are issues unless the recipe says otherwise."""
    direction: Literal["above", "below"]
    severity: Severity
    group: Group
    measure: Callable[[Any], Measurements]
    version: int = 1
    languages: tuple[str, ...] = ("*",)
    """ISO 639-1 codes the check is meant for; ("*",) for all."""
    scope: Literal["batch", "set"] = "batch"
    needs: tuple[Feature, ...] = ()
    """The features of the whole set that it asks for."""
    fix: Fix | None = None
    folder: str | None = None
    """Name of the folder of its measurements, for a check that is not one of the code: see `key`."""
    on_request: bool = False
    """Whether it runs only when it is asked for by name, because it takes longer than all the others together."""

    @property
    def effect(self) -> str:
        """What such rows do to a model and what to do about it: the first two sentences of the description's second paragraph."""
        second = self.description.split("\n\n")[1] if "\n\n" in self.description else ""
        return " ".join(_SENTENCE_END.split(" ".join(second.split()))[:2])

    @property
    def key(self) -> str:
        """Name of the folder of its measurements."""
        return self.folder or f"{self.name}@{self.version}"

    def is_issue(self, value: float | None, threshold: float | None = None) -> bool:
        """Whether a value is beyond the threshold. None is never an issue."""
        if value is None:
            return False
        limit = self.threshold if threshold is None else threshold
        return value > limit if self.direction == "above" else value < limit


_CHECKS: dict[str, Check] = {}


def check(
    *,
    title: str,
    unit: str,
    group: Group,
    flag_above: float | None = None,
    flag_below: float | None = None,
    severity: Severity = "warning",
    version: int = 1,
    languages: tuple[str, ...] = ("*",),
    scope: Literal["batch", "set"] = "batch",
    needs: tuple[Feature, ...] = (),
) -> Callable[[Callable[[Any], Measurements]], Callable[[Any], Measurements]]:
    """Registers a function as a check named after it. Exactly one of flag_above and flag_below is given; a docstring is required."""
    if (flag_above is None) == (flag_below is None):
        raise ValueError("give exactly one of flag_above and flag_below")

    def register(measure: Callable[[Any], Measurements]) -> Callable[[Any], Measurements]:
        description = inspect.getdoc(measure)
        if not description:
            raise ValueError(f"check {measure.__name__} has no docstring; it is the help shown to the curator")
        _CHECKS[measure.__name__] = Check(
            name=measure.__name__,
            title=title,
            description=description,
            unit=unit,
            threshold=flag_above if flag_above is not None else float(flag_below or 0.0),
            direction="above" if flag_above is not None else "below",
            severity=severity,
            group=group,
            version=version,
            languages=languages,
            scope=scope,
            needs=needs,
            measure=measure,
        )
        return measure

    return register


def fix(
    measure: Callable[[Any], Measurements], *, title: str
) -> Callable[[Callable[[Sequence[Message], Sequence[Evidence]], list[Message] | None]], Callable[..., list[Message] | None]]:
    """Registers a function as the automatic fix of a check; a docstring is required."""

    def register(mend: Callable[[Sequence[Message], Sequence[Evidence]], list[Message] | None]) -> Callable[..., list[Message] | None]:
        description = inspect.getdoc(mend)
        if not description:
            raise ValueError(f"the fix of {measure.__name__} has no docstring; it is the help shown to the curator")
        _CHECKS[measure.__name__] = replace(_CHECKS[measure.__name__], fix=Fix(title, description, mend))
        return mend

    return register


@functools.cache
def _load_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")


def all_checks() -> dict[str, Check]:
    """Every check by name, in alphabetical order."""
    _load_all()
    return dict(sorted(_CHECKS.items()))
