"""Measurement: what the checks say of records, written as Parquet. Each batch of records is read once and shown to all checks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Batch, Check, Measurements
from pipelines.executor import Executor
from pipelines.store.tables import MEASUREMENT_SCHEMA, write_parquet

if TYPE_CHECKING:
    from pipelines.store.project import Project

BATCH_ROWS = 4_000
"""Records measured at a time at most: patterns are compiled once a batch, and memory grows with it."""
_BATCH_BYTES = 16 << 20
"""Of rows of megabytes each, fewer are measured at a time."""


@dataclass(frozen=True, slots=True)
class PartMeasured:
    """One file of records that all the checks have seen."""

    part: Path
    records: int
    seconds: dict[str, float]
    """CPU time by check."""


@dataclass(frozen=True, slots=True)
class _Work:
    part: Path
    batch: int
    """Running number in the part."""
    is_last: bool
    records: pa.Table
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    work: _Work
    tables: dict[str, pa.Table]
    seconds: dict[str, float]


def unmeasured_parts(project: Project, checks: Sequence[Check]) -> dict[Path, tuple[Check, ...]]:
    """The files of records that some of these checks of scope "batch" have not seen, with those checks."""
    missing = {part: tuple(c for c in checks if not measured_file(project, c, part).is_file()) for part in project.record_parts}
    return {part: waiting for part, waiting in missing.items() if waiting}


def measured_file(project: Project, check: Check, part: Path) -> Path:
    """Where a check's measurements of one file of records are, or will be."""
    return project.measurements_folder / check.key / part.name


def measure_parts(project: Project, checks_by_part: dict[Path, tuple[Check, ...]], executor: Executor) -> Iterator[PartMeasured]:
    """Measures files of records and writes the measurements. Yields each file when all of its measurements are on disk.

    Files are finished about in order. Batches are spread over the executor's workers while this thread reads and writes.
    """
    waiting: dict[Path, list[_Seen]] = defaultdict(list)
    batches: dict[Path, int] = {}
    for seen in executor.map(_measure_batch, _batches(checks_by_part)):
        part = seen.work.part
        waiting[part].append(seen)
        if seen.work.is_last:
            batches[part] = seen.work.batch + 1
        if len(waiting[part]) == batches.get(part):
            yield _write(project, sorted(waiting.pop(part), key=lambda each: each.work.batch))


def measurement_table(check: Check, ids: pa.ChunkedArray, measured: Measurements) -> pa.Table:
    """Measurements as rows of MEASUREMENT_SCHEMA. Raises ValueError when a check lost a record."""
    import numpy as np

    if len(measured.values) != len(ids):
        raise ValueError(f"check {check.name} returned {len(measured.values)} values for {len(ids)} records")
    values = pa.array(np.array(measured.values, np.float64), from_pandas=True)  # None and NaN both become null
    return pa.table({"id": ids, "value": values, "evidence": measured.evidence_json()}, schema=MEASUREMENT_SCHEMA)


def _batches(checks_by_part: dict[Path, tuple[Check, ...]]) -> Iterator[_Work]:
    for part, checks in checks_by_part.items():
        file = pq.ParquetFile(part)
        bytes_per_row = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)) / max(file.metadata.num_rows, 1)
        rows = max(1, min(BATCH_ROWS, int(_BATCH_BYTES / max(bytes_per_row, 1))))
        read = map(pa.Table.from_batches, ([batch] for batch in file.iter_batches(batch_size=rows)))
        held = next(read, file.schema_arrow.empty_table())
        for number, following in enumerate(read):
            yield _Work(part, number, False, held, checks)
            held = following
        yield _Work(part, -(-file.metadata.num_rows // rows) - 1, True, held, checks)


def _measure_batch(work: _Work) -> _Seen:
    batch = Batch(work.records)
    tables, seconds = {}, {}
    for check in work.checks:
        began = time.thread_time()
        tables[check.name] = measurement_table(check, work.records.column("id"), check.measure(batch))
        seconds[check.name] = time.thread_time() - began
    return _Seen(work, tables, seconds)


def _write(project: Project, batches: Sequence[_Seen]) -> PartMeasured:
    work = batches[0].work
    for check in work.checks:
        write_parquet(pa.concat_tables([seen.tables[check.name] for seen in batches]), measured_file(project, check, work.part))
    seconds = {check.name: sum(seen.seconds[check.name] for seen in batches) for check in work.checks}
    return PartMeasured(work.part, sum(seen.work.records.num_rows for seen in batches), seconds)
