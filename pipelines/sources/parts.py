"""Parts: the records of an import, merged with equal ones and written in Parquet files of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.records import Record
from pipelines.sources.rows import RawRow
from pipelines.sources.staging import Staging
from pipelines.store.project import Project
from pipelines.store.tables import SOURCE_ROW_SCHEMA, meta_text, records_to_table, write_parquet

ROWS_IN_A_PART = 20_000
_ROWS_AT_ONCE = 1_000
"""Records become columns in small batches: thousands of live objects make every round of the garbage collector slower."""
BYTES_IN_A_PART = 32 * 1024 * 1024
"""Rows of megabytes each make a part full sooner, so that memory stays bounded."""


class Parts:
    """Takes records in import order. An id that the project or this import has had is merged: only its source row is added.

    The ids are kept as 16 bytes each: about 130 MB of memory for a million.
    """

    def __init__(self, project: Project, staging: Staging, sha256: str) -> None:
        self.staging = staging
        self.sha256 = sha256
        self.records = 0
        self.duplicate_rows = 0
        self._position = sum(pq.read_metadata(path).num_rows for path in project.record_parts)
        self._seen = {bytes.fromhex(one) for path in project.record_parts for one in _column(path, "id")}
        self._known_rows = set(_known_rows(project, sha256))
        self._part = 0
        self._new: list[Record] = []
        self._ids: list[str] = []
        self._rows: list[tuple[str, str, int]] = []
        self._metas: list[str | None] = []
        self._bytes = 0
        self._tables: list[pa.Table] = []

    def add(self, record: Record, row: RawRow) -> None:
        """Merges one record found at one row."""
        one = record.id
        key = bytes.fromhex(one)
        meta = None
        if key in self._seen:
            self.duplicate_rows += 1
            meta = meta_text(record)
            self._bytes += len(meta)
        else:
            self._seen.add(key)
            self.records += 1
            self._new.append(record)
            self._ids.append(one)
            self._bytes += len(row.raw) if row.raw is not None else sum(len(turn.content) for turn in record.messages)
            if len(self._new) >= _ROWS_AT_ONCE:
                self._gather()
        self._rows.append((one, row.file, row.row))
        self._metas.append(meta)
        if len(self._rows) >= ROWS_IN_A_PART or self._bytes >= BYTES_IN_A_PART:
            self.flush()

    def _gather(self) -> None:
        self._tables.append(records_to_table(self._new, self._position, self._ids))
        self._position += len(self._new)
        self._new, self._ids = [], []

    def flush(self) -> None:
        """Writes what has gathered as one part."""
        name = f"{self.staging.number:04d}-{self.sha256[:8]}-{self._part:05d}.parquet"
        rows = [(*row, meta) for row, meta in zip(self._rows, self._metas, strict=True) if row not in self._known_rows]
        if rows:
            ids, files, numbers, metas = zip(*rows, strict=True)
            columns = {"record": ids, "source": pa.repeat(self.sha256, len(rows)), "file": files, "row": numbers, "meta": metas}
            write_parquet(pa.table(columns, schema=SOURCE_ROW_SCHEMA), self.staging.source_rows_folder / name)
        if self._new:
            self._gather()
        if self._tables:
            write_parquet(pa.concat_tables(self._tables), self.staging.records_folder / name)
        self._part += 1
        self._tables, self._rows, self._metas, self._bytes = [], [], [], 0


def _column(path: Path, name: str) -> Iterator[str]:
    for batch in pq.ParquetFile(path).iter_batches(columns=[name]):
        yield from batch.column(0).to_pylist()


def _known_rows(project: Project, sha256: str) -> Iterator[tuple[str, str, int]]:
    """Where records were found when the same source was imported before: these rows are not written twice."""
    for path in sorted(project.source_rows_folder.glob(f"*-{sha256[:8]}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=["record", "source", "file", "row"]):
            rows = batch.to_pydict()
            for record, source, file, row in zip(rows["record"], rows["source"], rows["file"], rows["row"], strict=True):
                if source == sha256:
                    yield record, file, row
