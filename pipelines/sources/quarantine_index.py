"""Quarantine index: what waits in the quarantine of an import, by file and reason, found without reading the rows themselves.

A Parquet file beside the quarantine says for each of its lines where it begins, of which file and row it is and why it was rejected.
It is made at the first look and can be deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project
from pipelines.store.query import quoted
from pipelines.store.tables import write_parquet

_SCHEMA = pa.schema(
    [
        ("line", pa.int64()),
        ("offset", pa.int64()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("kind", pa.string()),
    ]
)
_ROWS_AT_ONCE = 50_000
_VARIES = re.compile(r"\d[\d,.]*")
_LONGEST_KIND = 200


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one file that wait for the same kind of reason."""

    file: str
    kind: str
    """The reason with its numbers left out: turn 3 and turn 5 that have no role are of one kind."""
    reason: str
    """The reason as it stands where all rows of the group have the same; else its kind."""
    rows: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One rejected row."""

    line: int
    """Of the quarantine file, from 0."""
    file: str
    row: int
    """As in RawRow; 0 when the whole file could not be read."""
    reason: str
    raw: str
    is_cut: bool
    """Whether `raw` is only the beginning of the row."""


class QuarantineIndex:
    """The rows that one import set aside and that have not been mended since."""

    def __init__(self, project: Project, source: dict[str, Any]) -> None:
        self.project = project
        self.source = source
        self.path = (project.folder / source["quarantine"]).resolve()
        if not self.path.is_relative_to(project.folder) or not self.path.is_file():
            raise WorkbenchError(f"The rows set aside from {source['name']} are no longer in the project's quarantine folder.")

    def groups(self) -> list[Group]:
        """What waits, most rows first."""
        sql = """SELECT file, kind, CASE WHEN min(reason) = max(reason) THEN min(reason) ELSE kind END, count(*) FROM waiting
                 GROUP BY file, kind ORDER BY count(*) DESC, file, kind"""
        return [Group(*row) for row in self._ask(sql)]

    def page(self, group: Group | None = None, *, offset: int = 0, limit: int = 50) -> list[Entry]:
        """Some of the waiting rows (of a group), in the order of the file."""
        wanted = "" if group is None else "WHERE file = $file AND kind = $kind"
        parameters = {} if group is None else {"file": group.file, "kind": group.kind}
        found = self._ask(f'SELECT line, "offset" FROM waiting {wanted} ORDER BY line LIMIT {limit:d} OFFSET {offset:d}', parameters)
        with self.path.open("rb") as file:
            return [_entry(file, *one) for one in found]

    def entry(self, line: int) -> Entry:
        """One waiting row. Raises WorkbenchError when it waits no longer, or when there is no such line."""
        found = self._ask('SELECT line, "offset" FROM waiting WHERE line = $line', {"line": line})
        if not found:
            raise WorkbenchError(f"Row {line} does not wait in the quarantine of {self.source['name']}. It may have been mended already.")
        with self.path.open("rb") as file:
            return _entry(file, *found[0])

    def texts(self, lines: list[int]) -> dict[int, str]:
        """The rows on some lines as they came, waiting or not."""
        found = self._ask('SELECT line, "offset" FROM whole WHERE line IN (SELECT unnest($lines::BIGINT[]))', {"lines": lines})
        with self.path.open("rb") as file:
            return {line: _entry(file, line, offset).raw for line, offset in found}

    def waiting(self) -> Iterator[Entry]:
        """Every waiting row, in order, one at a time."""
        done = set(self._mended())
        with self.path.open("rb") as file:
            for line, text in enumerate(file):
                if line not in done:
                    yield _parsed(line, text)

    def _mended(self) -> list[int]:
        select = sa.select(db.mended.c.line).where(db.mended.c.source == self.source["id"])
        with self.project.database.read() as connection:
            return list(connection.execute(select).scalars())

    def _ask(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        import duckdb

        connection = duckdb.connect(":memory:")
        try:
            connection.execute("SET enable_progress_bar = false")
            done = self._mended() if "waiting" in sql else []
            connection.register("done", pa.table({"line": pa.array(done, pa.int64())}))
            index = quoted(self._index())
            connection.execute(f"CREATE VIEW whole AS SELECT * FROM read_parquet({index})")
            connection.execute("CREATE VIEW waiting AS SELECT * FROM whole WHERE line NOT IN (SELECT line FROM done)")
            return connection.execute(sql, parameters or {}).fetchall()
        finally:
            connection.close()

    def _index(self) -> Path:
        place = self.path.parent / ".index" / f"{self.path.stem}-{self.path.stat().st_size}.parquet"
        if not place.is_file():
            write_parquet(pa.Table.from_batches(self._batches(), schema=_SCHEMA), place)
        return place

    def _batches(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[int, int, str, int, str, str]] = []
        offset = 0
        with self.path.open("rb") as file:
            for line, text in enumerate(file):
                kept = json.loads(text)
                rows.append((line, offset, kept["file"], kept["row"], kept["reason"], _kind(kept["reason"])))
                offset += len(text)
                if len(rows) == _ROWS_AT_ONCE:
                    yield _batch(rows)
                    rows = []
        if rows:
            yield _batch(rows)


def mended_rows(project: Project, source: int, *, limit: int = 50) -> list[dict[str, Any]]:
    """What became of mended rows of an import, the latest first: the columns of the table `mended`."""
    select = (
        sa.select(db.mended)
        .where(db.mended.c.source == source)
        .order_by(db.mended.c["import"].desc(), db.mended.c.line.desc())
        .limit(limit)
    )
    with project.database.read() as connection:
        return [dict(row) for row in connection.execute(select).mappings()]


def source_of(project: Project, number: int) -> dict[str, Any]:
    """The import of a number, as `Project.sources` gives it. Raises WorkbenchError when there is none."""
    found = next((source for source in project.sources() if source["id"] == number), None)
    if found is None:
        raise WorkbenchError(f"There is no import {number} in this project. `winnow quarantine` lists those with rows set aside.")
    return found


def _kind(reason: str) -> str:
    return _VARIES.sub("…", reason)[:_LONGEST_KIND]


def _batch(rows: list[tuple[int, int, str, int, str, str]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)


def _entry(file: Any, line: int, offset: int) -> Entry:
    file.seek(offset)
    return _parsed(line, file.readline())


def _parsed(line: int, text: bytes) -> Entry:
    kept = json.loads(text)
    return Entry(line, kept["file"], kept["row"], kept["reason"], kept["raw"], bool(kept.get("raw_cut")))
