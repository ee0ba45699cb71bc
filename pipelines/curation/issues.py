"""Issue: a measurement beyond the recipe's threshold. Computed on the fly, never stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.curation.decisions import connect
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.errors import WorkbenchError
from pipelines.measurement import has_measured
from pipelines.store.project import Project

SEVERITY_WEIGHT = {"error": 100, "warning": 10, "info": 1}
"""Orders the review queue: one error outweighs nine warnings."""


def add_issue_view(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    """Adds the view `issues`: check, id, value, evidence, weight (by severity), excess (how far beyond the threshold)."""
    checks = list(recipe.enabled.values())
    limits = pa.table(
        {
            "check": pa.array([c.name for c in checks], pa.string()),
            "threshold": pa.array([recipe.threshold(c) for c in checks], pa.float64()),
            "above": pa.array([c.direction == "above" for c in checks], pa.bool_()),
            "weight": pa.array([SEVERITY_WEIGHT[c.severity] for c in checks], pa.int32()),
        }
    )
    connection.register("limits", limits)
    connection.execute(
        """CREATE VIEW issues AS
           SELECT m.check, m.id, m.value, m.evidence, l.weight, abs(m.value - l.threshold) AS excess
           FROM measurements m JOIN limits l ON m.check = l.check
           WHERE (l.above AND m.value > l.threshold) OR (NOT l.above AND m.value < l.threshold)"""
    )


def issues(
    project: Project, check: str | None = None, *, recipe: Recipe | None = None, limit: int | None = None, offset: int = 0
) -> list[dict[str, Any]]:
    """Issues in import order: {"record", "sources": [{"file", "row"}], "check", "score", "evidence"}.

    Raises WorkbenchError when the check does not exist or has not run.
    """
    recipe = recipe or load_recipe(project)
    if check is not None:
        require_check(project, check, recipe)
    with connect(project) as connection:
        add_issue_view(connection, recipe)
        rows = connection.execute(
            """WITH page AS (
                 SELECT i.id, i.check, i.value, i.evidence, r.position FROM issues i JOIN records r ON r.id = i.id
                 WHERE $check IS NULL OR i.check = $check ORDER BY r.position, i.check LIMIT $limit OFFSET $offset),
               found AS (
                 SELECT record, list({'file': file, 'row': row} ORDER BY file, row) AS sources FROM source_rows
                 WHERE record IN (SELECT id FROM page) GROUP BY record)
               SELECT p.id, f.sources, p.check, p.value, p.evidence FROM page p LEFT JOIN found f ON f.record = p.id
               ORDER BY p.position, p.check""",
            {"check": check, "limit": limit if limit is not None else 2**62, "offset": offset},
        ).fetchall()
    return [
        {"record": id, "sources": sources or [], "check": name, "score": value, "evidence": json.loads(evidence) if evidence else []}
        for id, sources, name, value, evidence in rows
    ]


def require_check(project: Project, check: str, recipe: Recipe) -> None:
    """Raises WorkbenchError when a check does not exist, is switched off or has not run."""
    if check not in recipe.known:
        raise WorkbenchError(f"There is no check named {check}. The checks are: {', '.join(recipe.known)}.")
    if check in recipe.disabled:
        raise WorkbenchError(f"The check {check} is switched off in this project's recipe.")
    if not has_measured(project, recipe.known[check]):
        raise WorkbenchError(f"The check {check} has not run yet. Run: winnow --project {project.folder} scan --checks {check}")


def cards(project: Project, ids: Sequence[str], recipe: Recipe | None = None) -> list[dict[str, Any]]:
    """What the review card shows of each record, in the order of `ids`; ids that are not there are left out."""
    if not ids:
        return []
    recipe = recipe or load_recipe(project)
    with connect(project) as connection:
        add_issue_view(connection, recipe)
        connection.register("wanted", pa.table({"id": pa.array(list(ids), pa.string())}))
        records = _records(connection, ids, "*")
        findings = _grouped(
            connection,
            "SELECT i.id, i.check, i.value, i.evidence FROM issues i WHERE i.id IN (SELECT id FROM wanted) ORDER BY i.weight DESC, i.check",
            "id",
        )
        sources = _grouped(
            connection, "SELECT record, file, row FROM source_rows WHERE record IN (SELECT id FROM wanted) ORDER BY file, row", "record"
        )
        edit_by_id = {e["record"]: e for e in _dicts(connection, "SELECT * FROM edits WHERE record IN (SELECT id FROM wanted)")}
        states = {v["record"]: v for v in _dicts(connection, "SELECT * FROM verdicts WHERE record IN (SELECT id FROM wanted)")}
        cluster_by_id = dict(connection.execute("SELECT id, cluster FROM map WHERE id IN (SELECT id FROM wanted)").fetchall())
        for found in findings.values():
            for finding in found:
                finding["evidence"] = json.loads(finding["evidence"]) if finding["evidence"] else []
        compared = sorted({e["record"] for found in findings.values() for f in found for e in f["evidence"] if "record" in e})
        others = {o["id"]: {"prompt": o["prompt"], "answer": o["answer"]} for o in _records(connection, compared, "id, prompt, answer")}
    name_by_cluster = {c["cluster"]: c["name"] for c in cluster_names(project)}
    by_id = {r["id"]: r for r in records}
    return [
        _card(
            recipe,
            by_id[id],
            findings.get(id, []),
            sources.get(id, []),
            states.get(id),
            edit_by_id.get(id),
            cluster_by_id.get(id),
            name_by_cluster,
            others,
        )
        for id in ids
        if id in by_id
    ]


def _card(
    recipe: Recipe,
    record: dict[str, Any],
    findings: list[dict[str, Any]],
    sources: list[dict[str, Any]],
    state: dict[str, Any] | None,
    edit: dict[str, Any] | None,
    cluster: int | None,
    name_by_cluster: dict[int, str],
    others: dict[str, dict[str, str]],
) -> dict[str, Any]:
    checks = recipe.known
    shown = [
        {
            "check": f["check"], "title": checks[f["check"]].title, "description": checks[f["check"]].description,
            "severity": checks[f["check"]].severity, "unit": checks[f["check"]].unit, "value": f["value"], "evidence": f["evidence"],
        }
        for f in findings
    ]  # fmt: skip
    named = {e["record"] for f in shown for e in f["evidence"] if "record" in e}
    return {
        "id": record["id"],
        "kind": record["kind"],
        "messages": [_without_nulls(m) for m in record["messages"]],
        "chosen": [_without_nulls(m) for m in record["chosen"] or []],
        "rejected": [_without_nulls(m) for m in record["rejected"] or []],
        "tools": record["tools"],
        "label": record["label"],
        "meta": json.loads(record["meta"] or "{}"),
        "sources": [{"file": s["file"], "row": s["row"]} for s in sources],
        "cluster": None if cluster is None else {"id": cluster, "name": name_by_cluster.get(cluster, f"Cluster {cluster}")},
        "verdict": state["verdict"] if state else None,
        "reason": state["reason"] if state else "",
        "edit": json.loads(edit["edit"]) if edit else None,
        "mended": edit["reason"] if edit and edit["edited_id"] else None,
        "findings": shown,
        "others": {id: others[id] for id in sorted(named) if id in others},
    }


def cluster_names(project: Project) -> list[dict[str, Any]]:
    """The clusters: {"cluster", "name", "size"}, largest first; empty before a scan."""
    file = project.features_folder / "clusters.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def _without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in message.items() if v is not None}


def _records(connection: duckdb.DuckDBPyConnection, ids: Sequence[str], columns: str) -> list[dict[str, Any]]:
    """Some records, in no order. Sought by position: the files are ordered by it, so all but a few row groups are passed over."""
    if not ids:
        return []
    connection.register("sought", pa.table({"id": pa.array(list(ids), pa.string())}))
    found = connection.execute("SELECT position FROM records WHERE id IN (SELECT id FROM sought)").fetchall()
    places = ", ".join(str(int(position)) for (position,) in found)
    return _dicts(connection, f"SELECT {columns} FROM records WHERE position IN ({places})") if places else []


def _dicts(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _grouped(connection: duckdb.DuckDBPyConnection, sql: str, key: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in _dicts(connection, sql):
        groups.setdefault(row[key], []).append(row)
    return groups
