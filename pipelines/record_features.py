"""Record feature: what a comparison of all rows needs to know of each row alone. Computed part by part and kept in the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.checks import Batch, Check
from pipelines.store.tables import write_parquet

if TYPE_CHECKING:
    from pipelines.store.project import Project

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
    from pipelines.checks._languages import languages

    return languages(batch.column("prompt"))


FEATURES: dict[str, Callable[[Batch], pa.Table]] = {
    "text_digests@1": _text_digests,
    "prompt_digests@1": _prompt_digests,
    "prompt_languages@1": _prompt_languages,
}
"""By name and version: a table with a row for each record of a batch."""
_NEEDED_FOR = {"exact_groups": "text_digests@1", "prompt_groups": "prompt_digests@1", "prompt_languages": "prompt_languages@1"}


def features_for(checks: list[Check]) -> tuple[str, ...]:
    """The record features that checks of scope "set" are going to ask for."""
    needs = {need for check in checks for need in check.needs}
    return tuple(name for need, name in _NEEDED_FOR.items() if need in needs)


def feature_file(project: Project, name: str, part: Path) -> Path:
    """Where a feature of the records of one file is kept."""
    return project.features_folder / name / part.name


def record_feature(project: Project, name: str) -> pa.Table:
    """A feature of all records, in import order. Computes what is not kept yet."""
    tables = []
    for part in project.record_parts:
        file = feature_file(project, name, part)
        if not file.is_file():
            write_parquet(FEATURES[name](Batch(pq.read_table(part))), file)
        tables.append(pq.read_table(file))
    return pa.concat_tables(tables)
