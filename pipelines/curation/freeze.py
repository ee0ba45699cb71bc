"""Freeze: the steps between a selection and the files of a snapshot."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.curation.recipe import Recipe
from pipelines.curation.selection import dropped_by_reason
from pipelines.curation.splits import SPLITS, Assignment
from pipelines.measurement import has_measured
from pipelines.store.database import now
from pipelines.store.project import Project
from pipelines.store.query import quoted
from pipelines.store.tables import RECORD_SCHEMA

SNAPSHOT_SCHEMA = RECORD_SCHEMA.append(pa.field("group", pa.int64())).append(pa.field("edited_from", pa.string()))
"""`position` counts the rows of the file from 0. Rows with the same `group` had to stay together. `edited_from` is the record's id before
an edit, or null."""
DROPPED_SCHEMA = pa.schema(
    [
        *SNAPSHOT_SCHEMA,
        pa.field("reason", pa.string()),
        pa.field("checks", pa.list_(pa.string())),  # every check of the recipe's drop list that flags the row
        pa.field("decided_by", pa.string()),
        pa.field("note", pa.string()),  # the words given with a decision
    ]
)
FILES = (*SPLITS, "dropped")
ROW_GROUP = 10_000
_PACKAGES = ("numpy", "pyarrow", "duckdb", "scipy", "numba")


def add_frozen_views(connection: duckdb.DuckDBPyConnection, fates: pa.Table, edited: pa.Table) -> None:
    """Adds the views `frozen` (what is kept, as it reads now) and `left_out` (what is not, as it was imported)."""
    kept = fates.filter(pc.is_null(fates.column("reason"))).select(["id"])
    is_edited = pc.is_in(kept.column("id"), edited.column("edited_from").combine_chunks())
    connection.register("untouched", kept.filter(pc.invert(is_edited)))
    connection.register("edited_now", edited)
    connection.register("dropped_now", fates.filter(pc.is_valid(fates.column("reason"))))
    columns = ", ".join(f"r.{name}" for name in RECORD_SCHEMA.names)
    connection.execute(
        f"""CREATE VIEW frozen AS
            SELECT {columns}, NULL::VARCHAR AS edited_from FROM records r JOIN untouched u ON u.id = r.id
            UNION ALL SELECT {columns}, r.edited_from FROM edited_now r"""
    )
    connection.execute(
        f"""CREATE VIEW left_out AS
            SELECT {columns}, NULL::BIGINT AS "group", NULL::VARCHAR AS edited_from, d.reason, d.checks, d.decided_by, d.note
            FROM records r JOIN dropped_now d ON d.id = r.id"""
    )


def write_files(connection: duckdb.DuckDBPyConnection, ids: pa.ChunkedArray, assigned: Assignment, folder: Path) -> None:
    """Writes train, validation, test and dropped, each ordered by id: the same rows give the same bytes."""
    connection.register("assigned", pa.table({"id": ids, "group": assigned.group, "split": assigned.split}))
    for number, name in enumerate(SPLITS):
        sql = f"""SELECT f.* EXCLUDE (edited_from), a."group", f.edited_from FROM frozen f JOIN assigned a ON a.id = f.id
                  WHERE a.split = {number} ORDER BY f.id"""
        _write_rows(connection.sql(sql).to_arrow_reader(ROW_GROUP), SNAPSHOT_SCHEMA, folder / f"{name}.parquet")
    _write_rows(connection.sql("SELECT * FROM left_out ORDER BY id").to_arrow_reader(ROW_GROUP), DROPPED_SCHEMA, folder / "dropped.parquet")


def _write_rows(reader: pa.RecordBatchReader, schema: pa.Schema, path: Path) -> None:
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            waiting: list[pa.RecordBatch] = []
            first = 0
            for batch in reader:
                waiting.append(batch)
                while sum(b.num_rows for b in waiting) >= ROW_GROUP:  # row groups of one size, whatever batches the engine hands out
                    table = pa.Table.from_batches(waiting)
                    writer.write_table(_numbered(table.slice(0, ROW_GROUP), schema, first))
                    waiting = table.slice(ROW_GROUP).to_batches()
                    first += ROW_GROUP
            if waiting:
                writer.write_table(_numbered(pa.Table.from_batches(waiting), schema, first))
        file.flush()
        os.fsync(file.fileno())


def _numbered(table: pa.Table, schema: pa.Schema, first: int) -> pa.Table:
    position = pa.array(range(first, first + table.num_rows), pa.int64())
    return table.set_column(table.schema.get_field_index("position"), "position", position).cast(schema).combine_chunks()


def manifest(
    project: Project,
    id: str,
    recipe: Recipe,
    *,
    fates: pa.Table,
    edited: pa.Table,
    assigned: Assignment,
    certificate: dict[str, Any],
    unmeasured: dict[str, int],
    warnings: list[str],
) -> dict[str, Any]:
    """What a snapshot is and where it came from, without the hashes of its files.

    `checks` gives the version of each check in force that has looked at rows, `unmeasured` the rows that one has not looked at.
    """
    counts = {name: int((assigned.split == number).sum()) for number, name in enumerate(SPLITS)}
    dropped = dropped_by_reason(fates)
    decided = fates.filter(pc.is_in(fates.column("verdict"), pa.array(["keep", "drop"])))
    return {
        "id": id,
        "project": project.name,
        "created_at": now(),
        "records": fates.num_rows,
        "kept": sum(counts.values()),
        **counts,
        "dropped": dropped,
        "edited": edited.num_rows,
        "spared": int(pc.sum(fates.column("spared")).as_py() or 0),
        "decided": decided.num_rows,
        "decided_by": dict(sorted((c["values"], c["counts"]) for c in pc.value_counts(decided.column("decided_by")).to_pylist())),
        "groups_crossing": certificate["groups_crossing"],
        "certificate": certificate,
        "warnings": warnings,
        "recipe": recipe.to_json(),
        "checks": {name: check.version for name, check in recipe.enabled.items() if has_measured(project, check)},
        "unmeasured": unmeasured,
        "sources": [
            {key: source[key] for key in ("name", "sha256", "format", "rows_read", "records", "duplicate_rows", "rejected", "at")}
            for source in project.standing_sources()
        ],
        "versions": {"winnow": __version__, "python": platform.python_version()} | _package_versions(),
    }


def _package_versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def file_hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """{"sha256", "bytes"} of each file of a snapshot but the manifest, by name."""
    return {
        path.name: {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_view(folder: Path) -> str:
    """A SQL relation over the three splits of a folder, with the number of the split in the column `split`."""
    parts = (f"SELECT *, {n} AS split FROM read_parquet({quoted(folder / f'{name}.parquet')})" for n, name in enumerate(SPLITS))
    return "(" + " UNION ALL ".join(parts) + ")"
