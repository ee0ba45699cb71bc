"""Mending: rejected rows come in after all, once a person has changed their text or said what their columns and roles are.

The quarantine file never changes. What became of a line stands in the table `mended`, written in one transaction behind the records.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.jobs import Emit
from pipelines.sources.parts import Parts
from pipelines.sources.quarantine_index import Entry, source_of
from pipelines.sources.rereading import Attempt, Reading, Rereader
from pipelines.sources.rows import RawRow
from pipelines.sources.staging import Staging, staging
from pipelines.store.project import Project

_SECONDS_BETWEEN_REPORTS = 0.2


def mend(project: Project, source: int, line: int, text: str, *, by: str = "human:local") -> dict[str, Any]:
    """Brings a rejected row in as its mended text reads. Returns {"format", "records" (ids), "new"}.

    Raises WorkbenchError when it waits no longer or cannot be read so; then nothing has changed.
    """
    with staging(project) as folder:
        found = source_of(project, source)
        rereader = Rereader(project, found)
        entry = rereader.index.entry(line)
        attempt = rereader.attempt(entry, text)
        if attempt.reason:
            raise WorkbenchError(f"It cannot be read yet. {attempt.reason}")
        batch = _Batch(project, folder, found, by)
        row = batch.add(entry, attempt, None if text == entry.raw else text)
        batch.commit()
    return {key: row[key] for key in ("format", "records", "new")}


def retry(
    project: Project,
    *,
    sources: list[int] | None = None,
    reading: Reading | None = None,
    by: str = "human:local",
    emit: Emit = lambda **_: None,
) -> dict[str, int]:
    """Tries every waiting row again, of some imports or of all: those that can be read now come in, the others go on waiting.

    Returns {"tried", "mended", "records", "duplicate_rows", "waiting"}; tried = mended + waiting. Each import comes in whole or not at all.
    """
    numbers = sources if sources is not None else [source["id"] for source in project.sources() if source["rejected"] > source["mended"]]
    total = {"tried": 0, "mended": 0, "records": 0, "duplicate_rows": 0, "waiting": 0}
    for number in numbers:
        source = source_of(project, number)
        with staging(project) as folder:
            found = _retry_import(project, folder, source, reading, by, emit)
        total = {key: total[key] + found[key] for key in total}
    return total


def retry_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The job "mend": config {"project", "sources" (numbers, or None for all), "format", "mapping", "roles", "by"}. Returns as `retry`."""
    reading = Reading(config.get("format") or "auto", config.get("mapping"), config.get("roles"))
    project = Project.open(config["project"])
    return dict(retry(project, sources=config.get("sources"), reading=reading, by=config.get("by") or "human:local", emit=emit))


def _retry_import(
    project: Project, folder: Staging, source: dict[str, Any], reading: Reading | None, by: str, emit: Emit
) -> dict[str, int]:
    rereader, batch = Rereader(project, source, reading), _Batch(project, folder, source, by)
    waiting = source["rejected"] - source["mended"]
    tried, reported_at = 0, 0.0
    cut: dict[tuple[str, int], Entry] = {}
    for entry in rereader.index.waiting():
        tried += 1
        if entry.is_cut:
            cut[entry.file, entry.row] = entry
        elif not (attempt := rereader.attempt(entry)).reason:
            batch.add(entry, attempt, None)
        if time.monotonic() - reported_at > _SECONDS_BETWEEN_REPORTS:
            reported_at = time.monotonic()
            emit(fraction=0.9 * tried / max(waiting, 1), message=f"Reading {source['name']} again: {tried:,} of {waiting:,} rows")
    wanted: dict[str, set[int]] = {}
    for name, number in cut:
        wanted.setdefault(name, set()).add(number)
    for row in rereader.kept_rows(wanted):
        attempt = rereader.attempt_row(row)
        if not attempt.reason:
            batch.add(cut[row.file, row.row], attempt, None)
    emit(fraction=0.95, message="Moving the records in")
    batch.commit()
    parts, mended = batch.parts, len(batch.rows)
    return {
        "tried": tried,
        "mended": mended,
        "records": parts.records,
        "duplicate_rows": parts.duplicate_rows,
        "waiting": tried - mended,
    }


class _Batch:
    """Mended rows of one import on their way in."""

    def __init__(self, project: Project, folder: Staging, source: dict[str, Any], by: str) -> None:
        self.folder, self.source, self.by = folder, source, by
        self.parts = Parts(project, folder, source["sha256"])
        self.rows: list[dict[str, Any]] = []

    def add(self, entry: Entry, attempt: Attempt, text: str | None) -> dict[str, Any]:
        """Takes the records of one row; returns its line of the table `mended`."""
        before = self.parts.records
        for _, record in attempt.records:
            self.parts.add(record, RawRow(entry.file, entry.row, {}, text or entry.raw))
        row = {
            "source": self.source["id"],
            "line": entry.line,
            "text": text,
            "format": attempt.records[0][0],
            "records": [record.id for _, record in attempt.records],
            "new": self.parts.records - before,
            "mended_by": self.by,
        }
        self.rows.append(row)
        return row

    def commit(self) -> None:
        """Moves all of it into the project."""
        if self.rows:
            self.parts.flush()
            self.folder.commit_mended(self.rows)
