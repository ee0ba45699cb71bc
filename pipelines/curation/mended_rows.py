"""Mended rows: the measurements of texts that a fix made. They count in place of the original's while the fix stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Batch, Check
from pipelines.records import Record, content_hash
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project
from pipelines.store.query import measurement_view, quoted
from pipelines.store.tables import MEASUREMENT_SCHEMA, records_to_table, write_parquet

FOLDER = "mended"
"""Inside the folder of a check's measurements. The ids are those of the records as a fix leaves them."""


def measure_mended(project: Project, records: Sequence[Record]) -> None:
    """Measures some records as fixes left them, by every check that looks at rows one by one. What is measured already is left alone."""
    table = records_to_table(records)
    ids = table.column("id").to_pylist()
    for check in known_checks(project).values():
        has_run = not check.on_request or (project.measurements_folder / check.key).is_dir()
        if check.scope != "batch" or not ids or not has_run:
            continue
        known = _measured_ids(_files(project, check))
        missing = table.filter(pa.array([id not in known for id in ids]))
        if missing.num_rows:
            _measure(check, missing, project.measurements_folder / check.key / FOLDER)


def _measure(check: Check, table: pa.Table, folder: Path) -> None:
    ids = table.column("id").to_pylist()
    found = check.measure(Batch(table))
    values = pa.array([None if v is None else float(v) for v in found.values], pa.float64())
    columns = {"id": ids, "value": values, "evidence": found.evidence_json()}
    write_parquet(pa.table(columns, schema=MEASUREMENT_SCHEMA), folder / f"{content_hash(ids)}.parquet")


def _files(project: Project, check: Check) -> list[Path]:
    return sorted((project.measurements_folder / check.key / FOLDER).glob("*.parquet"))


def _measured_ids(files: Sequence[Path]) -> set[str]:
    return {id for file in files for id in pq.read_table(file, columns=["id"]).column("id").to_pylist()}


def add_mended_measurements(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Puts the measurements of mended texts in the place of the originals' in the view `measurements`, under the ids as imported.

    `connection` has the views `measurements` and `edits`. Checks that compare rows go on measuring what was imported.
    """
    ((mended,),) = connection.execute("SELECT count(*) FROM edits WHERE edited_id IS NOT NULL").fetchall()
    if not mended:
        return
    one_by_one = [check for check in known_checks(project).values() if check.scope == "batch"]
    measurement_view(connection, "mended", [(c.name, files) for c in one_by_one if (files := _files(project, c))])
    connection.execute("ALTER VIEW measurements RENAME TO imported_measurements")
    listed = ", ".join(quoted(check.name) for check in one_by_one)
    connection.execute(
        f"""CREATE VIEW measurements AS
            WITH fixed AS (SELECT record, edited_id FROM edits WHERE edited_id IS NOT NULL)
            SELECT m.check, m.id, m.value, m.evidence FROM imported_measurements m
            WHERE NOT (m.check IN ({listed}) AND m.id IN (SELECT record FROM fixed))
            UNION ALL SELECT m.check, f.record, m.value, m.evidence FROM mended m JOIN fixed f ON f.edited_id = m.id"""
    )


def measure_standing(project: Project) -> None:
    """Measures every mended text that has not been measured: after a new check came, or the measurements were deleted."""
    from pipelines.curation.decisions import connect
    from pipelines.curation.selection import edited_record
    from pipelines.store.tables import row_to_record

    with connect(project) as connection:
        reader = connection.sql(
            "SELECT r.*, e.edit FROM edits e JOIN records r ON r.id = e.record WHERE e.edited_id IS NOT NULL ORDER BY r.position"
        ).to_arrow_reader(2_000)
        for batch in reader:
            measure_mended(project, [edited_record(row_to_record(row), json.loads(row["edit"])) for row in batch.to_pylist()])
