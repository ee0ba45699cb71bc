"""Selection: which records a recipe keeps, and why it leaves out the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.curation.decisions import connect
from pipelines.curation.issues import add_issue_view
from pipelines.curation.recipe import Recipe
from pipelines.records import Record, messages_from_json
from pipelines.store.project import Project
from pipelines.store.query import quoted
from pipelines.store.tables import RECORD_SCHEMA, records_to_table, row_to_record

DECISION, UNDECIDED, EDIT_MERGE = "decision", "undecided", "duplicate_after_edit"
"""Reasons beside the names of checks: a person or rule said drop; nobody said keep; the edited row equals another one."""
_EDIT_BATCH = 2_000


def select_records(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> pa.Table:
    """Every record with its fate, ordered by id: id, position, reason, checks, verdict, decided_by, note, edit, spared.

    `reason` is null for what is kept. A verdict outranks the checks of `recipe.drop`; a row marked "flag" still counts as undecided.
    Of several checks the first by alphabet is the reason, and `checks` names them all. When a row would go only because it repeats
    another, and that other goes too, the first of the repeats is kept instead (`spared`), so that no text is lost with its last copy.

    `connection` comes from `decisions.connect`; the view `issues` is added to it.
    """
    add_issue_view(connection, recipe)
    connection.execute(
        f"""CREATE TEMP TABLE fates AS
           WITH found AS (
             SELECT i.id, list(i.check ORDER BY i.check) AS checks FROM issues i
             WHERE i.check IN ({_listed({*recipe.drop} - {*recipe.disabled})}) GROUP BY i.id)
           SELECT r.id, r.position, f.checks, v.verdict, v.decided_by, v.reason AS note, e.edit,
             CASE WHEN v.verdict = 'keep' THEN NULL WHEN v.verdict = 'drop' THEN '{DECISION}'
                  WHEN f.checks IS NOT NULL THEN f.checks[1]
                  WHEN {"TRUE" if recipe.undecided == "drop" else "FALSE"} THEN '{UNDECIDED}' END AS reason
           FROM records r LEFT JOIN verdicts v ON v.record = r.id LEFT JOIN edits e ON e.record = r.id
             LEFT JOIN found f ON f.id = r.id"""
    )
    fates = connection.sql("SELECT id, position, reason, checks, verdict, decided_by, note, edit FROM fates ORDER BY id").to_arrow_table()
    spared = np.zeros(fates.num_rows, bool) if recipe.undecided == "drop" else _last_copies(connection, recipe, fates)
    if spared.any():
        import pyarrow.compute as pc

        reason = pc.if_else(pa.array(spared), pa.scalar(None, pa.string()), fates.column("reason"))
        fates = fates.set_column(fates.schema.get_field_index("reason"), "reason", reason)
    return fates.append_column("spared", pa.array(spared))


def _last_copies(connection: duckdb.DuckDBPyConnection, recipe: Recipe, fates: pa.Table) -> np.ndarray:
    """One bool per record: dropped as a repeat only, though nothing of what it repeats is kept, and the first of its kind."""
    from pipelines.duplicates.groups import components

    repeats = [name for name, check in recipe.enabled.items() if name in recipe.drop and check.group == "duplicates"]
    edges = connection.sql(
        f"""WITH numbered AS (SELECT id, reason, checks, row_number() OVER (ORDER BY id) - 1 AS row FROM fates),
             repeated AS (
               SELECT n.row, n.reason <> '{DECISION}' AND list_has_all([{_listed(repeats)}], n.checks) AS only_repeats,
                 unnest(json_extract_string(i.evidence, '$[*].record')) AS other
               FROM issues i JOIN numbered n ON n.id = i.id WHERE i.check IN ({_listed(repeats)}) AND i.evidence IS NOT NULL)
           SELECT r.row, o.row AS other, coalesce(r.only_repeats, FALSE) AS only_repeats
           FROM repeated r JOIN numbered o ON o.id = r.other"""
    ).to_arrow_table()
    spared = np.zeros(fates.num_rows, bool)
    if edges.num_rows == 0:
        return spared
    row, other = edges.column("row").to_numpy().astype(np.int64), edges.column("other").to_numpy().astype(np.int64)
    label = np.asarray(components(fates.num_rows, row, other), np.int64)
    kept = np.asarray(fates.column("reason").is_null().to_numpy())
    has_kept = np.zeros(fates.num_rows, bool)
    has_kept[label[kept]] = True
    lost = np.unique(row[edges.column("only_repeats").to_numpy()])
    lost = lost[~has_kept[label[lost]]]
    position = fates.column("position").to_numpy()
    lost = lost[np.lexsort((position[lost], label[lost]))]
    first = np.r_[True, label[lost][1:] != label[lost][:-1]] if len(lost) else np.empty(0, bool)
    spared[lost[first]] = True
    return spared


def _listed(checks: Iterable[str]) -> str:
    """Names of checks as SQL literals, so that only their files are read; a name that is none where there are none."""
    return ", ".join(map(quoted, sorted(checks))) or "''"


def edited_record(record: Record, edit: Sequence[Mapping[str, Any]]) -> Record:
    """The record after an edit of its turns.

    Of a preference pair the edit may hold the prompt alone, or the prompt followed by the better answer: assistant turns at its end
    replace `chosen`. `rejected`, tools and label stay.
    """
    turns = messages_from_json(edit)
    if record.kind != "preference":
        return replace(record, messages=turns)
    end = len(turns)
    while end and turns[end - 1].role == "assistant":
        end -= 1
    return replace(record, messages=turns[:end], chosen=turns[end:] or record.chosen)


def edited_rows(connection: duckdb.DuckDBPyConnection, fates: pa.Table) -> pa.Table:
    """The kept records that were edited, as they read now: RECORD_SCHEMA and `edited_from`, in import order.

    An edit that changed nothing is left out.
    """
    schema = RECORD_SCHEMA.append(pa.field("edited_from", pa.string()))
    connection.register("fates_now", fates.select(["id", "reason", "edit"]))
    reader = connection.sql(
        """SELECT r.*, f.edit FROM records r JOIN fates_now f ON f.id = r.id
           WHERE f.reason IS NULL AND f.edit IS NOT NULL ORDER BY r.position"""
    ).to_arrow_reader(_EDIT_BATCH)
    tables = [schema.empty_table()]
    for batch in reader:
        rows = batch.to_pylist()
        records = [edited_record(row_to_record(row), json.loads(row["edit"])) for row in rows]
        table = records_to_table(records).set_column(1, "position", pa.array([row["position"] for row in rows], pa.int64()))
        table = table.append_column("edited_from", pa.array([row["id"] for row in rows], pa.string()))
        changed = [i for i, row in enumerate(rows) if table.column("id")[i].as_py() != row["id"]]
        tables.append(table.take(pa.array(changed, pa.int64())).cast(schema))
    return pa.concat_tables(tables)


def merge_equal(fates: pa.Table, edited: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Drops (`duplicate_after_edit`) every edited record whose text is kept already; of equal edits the first imported stays.

    Returns `fates` and `edited` as they are then.
    """
    if edited.num_rows == 0:
        return fates, edited
    import pyarrow.compute as pc

    kept = fates.filter(fates.column("reason").is_null()).column("id")
    untouched = kept.filter(pc.invert(pc.is_in(kept, edited.column("edited_from").combine_chunks())))
    taken = pc.is_in(edited.column("id"), untouched.combine_chunks()).to_numpy(zero_copy_only=False)
    seen: set[str] = set()
    stays = []
    for id, is_taken in zip(edited.column("id").to_pylist(), taken, strict=True):
        stays.append(not is_taken and id not in seen)
        seen.add(id)
    merged = edited.filter(pc.invert(pa.array(stays))).column("edited_from").combine_chunks()
    reason = pc.if_else(pc.is_in(fates.column("id"), merged), pa.scalar(EDIT_MERGE), fates.column("reason"))
    return fates.set_column(fates.schema.get_field_index("reason"), "reason", reason), edited.filter(pa.array(stays))


def dropped_by_reason(fates: pa.Table) -> dict[str, int]:
    """How many records each reason leaves out, most first."""
    import pyarrow.compute as pc

    counts = pc.value_counts(fates.column("reason").drop_null()).to_pylist()
    return {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: (-c["counts"], c["values"]))}


def selection_counts(project: Project, recipe: Recipe) -> dict[str, Any]:
    """What a snapshot would hold, without building it: {"records", "kept", "edited", "spared", "dropped": {reason: n}}.

    kept + the sum of dropped = records, always.
    """
    with connect(project) as connection:
        fates = select_records(connection, recipe)
        fates, edited = merge_equal(fates, edited_rows(connection, fates))
    dropped = dropped_by_reason(fates)
    return {
        "records": fates.num_rows,
        "kept": fates.num_rows - sum(dropped.values()),
        "edited": edited.num_rows,
        "spared": int(np.count_nonzero(fates.column("spared").to_numpy(zero_copy_only=False))),
        "dropped": dropped,
    }
