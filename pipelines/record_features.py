"""Record feature: what a comparison of all rows needs to know of each row alone. Computed part by part and kept in the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.checks import Batch, Check
from pipelines.store.tables import RECORD_SCHEMA, write_parquet

if TYPE_CHECKING:
    from pipelines.store.project import Project

AGEING_FACTS = {
    "words": (
        "words that bind the answer to a moment, such as “currently”, “as of” or “up to date”",
        r"(?i)\b(?:currently|at present|as of|up[- ]to[- ]date|nowadays|this (?:year|month|quarter)|derzeit|zurzeit|aktuell|actuellement"
        r"|actualmente|attualmente|atualmente)\b|目前|截至|如今|現在",
    ),
    "years": ("years from 1990 to 2049", r"\b(?:199\d|20[0-4]\d)\b|(?:199\d|20[0-4]\d)年"),
    "prices": ("prices", r"[$€£¥₹]\s?\d|\b\d[\d.,]*\s?(?:€|£|USD|EUR|GBP|dollars|euros)"),
}
"""By kind: what it is in words, and an RE2 pattern. Facts that may be out of date when the model is asked."""
_BREAK = pa.scalar("\n\n", pa.large_string())


def _text_digests(batch: Batch) -> pa.Table:
    """Of prompt and answer: what duplicates are looked for in. The system prompt, shared by many, is left out."""
    return _digests(pc.binary_join_element_wise(batch.column("prompt"), batch.column("answer"), _BREAK))


def _prompt_digests(batch: Batch) -> pa.Table:
    """Of system prompt and prompt: the question."""
    return _digests(pc.binary_join_element_wise(batch.column("system"), batch.column("prompt"), _BREAK))


def _digests(texts: pa.ChunkedArray) -> pa.Table:
    from pipelines.duplicates.exact import text_digests

    found = text_digests(texts)
    return pa.table({"high": pa.array(found[:, 0]), "low": pa.array(found[:, 1])})


def _prompt_languages(batch: Batch) -> pa.Table:
    from pipelines.checks._languages import language_table, prompt_languages

    return language_table(prompt_languages(batch))


def _row_profile(batch: Batch) -> pa.Table:
    """What is counted of a row: kind, lengths in characters, turns, the answer's turn, and which facts that age the answer holds."""
    from pipelines.checks._turns import answer_turns

    lengths = {name: _length(batch.column(name)) for name in ("prompt", "answer")}
    trimmed = {f"{name}_trimmed": _length(pc.utf8_trim_whitespace(batch.column(name))) for name in ("prompt", "answer")}
    turns = [pc.fill_null(pc.list_value_length(batch.column(name)), 0) for name in ("messages", "chosen")]
    answer = batch.column("answer")
    facts = {name: pc.fill_null(pc.match_substring_regex(answer, pattern), False) for name, (_, pattern) in AGEING_FACTS.items()}
    answer_turn = pa.array(answer_turns(batch.column("messages"), batch.column("chosen")))
    return pa.table({"kind": batch.column("kind"), **lengths, **trimmed, "turns": pc.add(*turns), "answer_turn": answer_turn, **facts})


def _length(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.utf8_length(texts), 0).cast(pa.int32())


ROW_PROFILE = "row_profile@1"
FEATURES: dict[str, Callable[[Batch], pa.Table]] = {
    "text_digests@1": _text_digests,
    "prompt_digests@1": _prompt_digests,
    "prompt_languages@1": _prompt_languages,
    ROW_PROFILE: _row_profile,
}
"""By name and version: a table with a row for each record of a batch. What is computed otherwise gets another version."""
_NEEDED_FOR = {"exact_groups": "text_digests@1", "prompt_groups": "prompt_digests@1", "prompt_languages": "prompt_languages@1"}


def features_for(checks: Iterable[Check]) -> tuple[str, ...]:
    """The record features that these checks and a report are going to ask for."""
    needs = {need for check in checks for need in check.needs}
    return (*(name for need, name in _NEEDED_FOR.items() if need in needs), ROW_PROFILE)


def first_to_need(name: str, checks: Iterable[Check]) -> str | None:
    """The check that a record feature's time is counted for: the first of those that asked for it."""
    return next((check.name for check in checks for need in check.needs if _NEEDED_FOR.get(need) == name), None)


def feature_file(project: Project, name: str, part: Path) -> Path:
    """Where a feature of the records of one file is kept."""
    return project.features_folder / name / part.name


def record_feature(project: Project, name: str, *, columns: list[str] | None = None) -> pa.Table:
    """A feature of all records, in import order, or some of its columns. Computes what is not kept yet."""
    tables = [FEATURES[name](Batch(RECORD_SCHEMA.empty_table()))]
    for part in project.record_parts:
        file = feature_file(project, name, part)
        if not file.is_file():
            write_parquet(FEATURES[name](Batch(pq.read_table(part))), file)
        tables.append(pq.read_table(file, columns=columns))
    return pa.concat_tables([tables[0].select(columns) if columns else tables[0], *tables[1:]])
