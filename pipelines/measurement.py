"""Measurement: what the checks say of records, written as Parquet. Each batch of records is read once and shown to all checks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Batch, Check, Measurements
from pipelines.executor import Executor, InTurn, Processes
from pipelines.record_features import FEATURES, feature_file
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project
from pipelines.store.tables import MEASUREMENT_SCHEMA, write_parquet

BATCH_ROWS = 4_000
"""Records measured at a time at most: patterns are compiled once a batch, and memory grows with it."""
_BATCH_BYTES = 16 << 20
"""Of rows of megabytes each, fewer are measured at a time."""


@dataclass(frozen=True, slots=True)
class PartWork:
    """One file of records, the checks that have not seen it, and the record features that are not kept of it yet."""

    part: Path
    checks: tuple[Check, ...]
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartMeasured:
    """One file of records that all the checks have seen."""

    part: Path
    records: int
    seconds: dict[str, float]
    """CPU time by check and by record feature."""


@dataclass(frozen=True, slots=True)
class _Slice:
    work: PartWork
    number: int
    """Place in the part, from 0."""
    is_last: bool
    records: pa.Table


@dataclass(frozen=True, slots=True)
class _Seen:
    of: _Slice
    measured: dict[str, pa.Table]
    features: dict[str, pa.Table]
    seconds: dict[str, float]


def unmeasured(project: Project, checks: Sequence[Check], features: Sequence[str] = ()) -> list[PartWork]:
    """The files of records that some of these checks of scope "batch" have not seen, or of which a feature is missing."""
    found = [
        PartWork(
            part,
            tuple(check for check in checks if not measured_file(project, check, part).is_file()),
            tuple(name for name in features if not feature_file(project, name, part).is_file()),
        )
        for part in project.record_parts
    ]
    return [work for work in found if work.checks or work.features]


def measured_file(project: Project, check: Check, part: Path) -> Path:
    """Where a check's measurements of one file of records are, or will be."""
    return project.measurements_folder / check.key / part.name


def has_measured(project: Project, check: Check) -> bool:
    """Whether a check has looked at any row of the project."""
    return any((project.measurements_folder / check.key).glob("*.parquet"))


def unmeasured_rows(project: Project, check: Check) -> int:
    """How many rows a check has not looked at: those that came in since it ran last."""
    if check.scope == "batch":
        missing = (part for part in project.record_parts if not measured_file(project, check, part).is_file())
        return sum(pq.read_metadata(part).num_rows for part in missing)
    rows = sum(pq.read_metadata(part).num_rows for part in project.record_parts)
    files = (project.measurements_folder / check.key).glob("set-*.parquet")
    return rows - min(rows, max((pq.read_metadata(file).num_rows for file in files), default=0))


def measure_here(project: Project, works: Sequence[PartWork], executor: Executor) -> Generator[PartMeasured, None, None]:
    """Measures files of records and writes the measurements. Yields each file when all of its measurements are on disk.

    Batches are spread over the executor's workers while this thread reads and writes.
    """
    waiting: dict[Path, list[_Seen]] = defaultdict(list)
    batches: dict[Path, int] = {}
    for seen in executor.map(_measure_slice, _slices(works)):
        part = seen.of.work.part
        waiting[part].append(seen)
        if seen.of.is_last:
            batches[part] = seen.of.number + 1
        if len(waiting[part]) == batches.get(part):
            yield _write(project, sorted(waiting.pop(part), key=lambda each: each.of.number))


def measure_apart(project: Project, works: Sequence[PartWork]) -> Generator[PartMeasured, None, None]:
    """As `measure_here`, in processes that each take whole files. Worth their start when there are several files for each."""
    asked = (
        {"project": str(project.folder), "part": str(w.part), "checks": [c.name for c in w.checks], "features": list(w.features)}
        for w in works
    )
    for answer in Processes().map(measure_part, asked):
        yield PartMeasured(Path(answer["part"]), answer["records"], answer["seconds"])


def measure_part(asked: dict[str, Any]) -> dict[str, Any]:
    """Measures one file of records; what a process of `measure_apart` does. JSON values in and out."""
    project = Project(asked["project"])
    known = known_checks(project)
    work = PartWork(Path(asked["part"]), tuple(known[name] for name in asked["checks"]), tuple(asked["features"]))
    measured = next(measure_here(project, [work], InTurn()))
    return {"part": asked["part"], "records": measured.records, "seconds": measured.seconds}


def measurement_table(check: Check, ids: pa.ChunkedArray, measured: Measurements) -> pa.Table:
    """Measurements as rows of MEASUREMENT_SCHEMA. Raises ValueError when a check lost a record."""
    import numpy as np

    if len(measured.values) != len(ids):
        raise ValueError(f"check {check.name} returned {len(measured.values)} values for {len(ids)} records")
    values = pa.array(np.array(measured.values, np.float64), from_pandas=True)  # None and NaN both become null
    return pa.table({"id": ids, "value": values, "evidence": measured.evidence_json()}, schema=MEASUREMENT_SCHEMA)


def _slices(works: Sequence[PartWork]) -> Iterator[_Slice]:
    for work in works:
        file = pq.ParquetFile(work.part)
        total = file.metadata.num_rows
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        rows = max(1, min(BATCH_ROWS, _BATCH_BYTES * total // max(size, 1)))
        last = max(-(-total // rows) - 1, 0)
        batches = file.iter_batches(batch_size=rows) if total else iter(file.schema_arrow.empty_table().to_batches() or [_no_rows(file)])
        for number, batch in enumerate(batches):
            yield _Slice(work, number, number == last, pa.Table.from_batches([batch]))


def _no_rows(file: pq.ParquetFile) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=file.schema_arrow)


def _measure_slice(of: _Slice) -> _Seen:
    batch = Batch(of.records)
    measured, seconds = {}, {}
    for check in of.work.checks:
        began = time.thread_time()
        measured[check.name] = measurement_table(check, of.records.column("id"), check.measure(batch))
        seconds[check.name] = time.thread_time() - began
    features = {}
    for name in of.work.features:
        began = time.thread_time()
        features[name] = FEATURES[name](batch)
        seconds[name] = time.thread_time() - began
    return _Seen(of, measured, features, seconds)


def _write(project: Project, seen: Sequence[_Seen]) -> PartMeasured:
    work = seen[0].of.work
    for name in work.features:
        write_parquet(pa.concat_tables([each.features[name] for each in seen]), feature_file(project, name, work.part))
    for check in work.checks:
        write_parquet(pa.concat_tables([each.measured[check.name] for each in seen]), measured_file(project, check, work.part))
    seconds = {name: sum(each.seconds[name] for each in seen) for name in seen[0].seconds}
    return PartMeasured(work.part, sum(each.of.records.num_rows for each in seen), seconds)
