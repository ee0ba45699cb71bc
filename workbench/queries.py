"""Query: what the views show, cached by project folder and revision, so that a change of the project is seen at once and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pandas as pd
import streamlit as st

from pipelines.curation.decisions import connect
from pipelines.curation.issue_index import add_issue_index, issue_counts
from pipelines.curation.issues import cluster_names
from pipelines.curation.queue import Queue, queue_ids, queue_size
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.measurement import unmeasured_rows
from pipelines.rules.rule import is_rule_name
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project

HISTOGRAM_BARS = 36
EXCERPT = 240
"""Characters of a prompt or answer that tables show; the whole text is on the review page."""

_ENTRIES = 64
"""Answers kept per query, over all visitors: enough for paging back and forth."""


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def overview(root: str, revision: str) -> dict[str, int]:
    """How many rows there are, and how many are kept, dropped and marked."""
    with connect(Project(root)) as connection:
        records = connection.execute("SELECT count(*) FROM records").fetchall()[0][0]
        decided = dict(
            connection.execute(
                "SELECT v.verdict, count(*) FROM verdicts v WHERE v.record IN (SELECT id FROM records) GROUP BY v.verdict"
            ).fetchall()
        )
    return {"records": records} | {verdict: decided.get(verdict, 0) for verdict in ("keep", "drop", "flag")}


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def issue_table(root: str, revision: str) -> pd.DataFrame:
    """`issue_counts` under the project's recipe."""
    return issue_counts(Project(root))


@st.cache_data(show_spinner="Counting what was found", max_entries=16)
def report_of(root: str, revision: str) -> dict[str, Any]:
    """`pipelines.curation.report.report` under the project's recipe."""
    from pipelines.curation.report import report

    return report(Project(root))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def unscanned_rows(root: str, revision: str, *, rules: bool = True) -> int:
    """How many rows at least one check or, with `rules`, rule has not looked at; all while a comparison of all rows is missing.

    What needs the sentence encoder is told by `unmapped_rows`: a scan can leave it out.
    """
    project = Project(root)
    asked = (
        check
        for name, check in known_checks(project).items()
        if not check.on_request and "embeddings" not in check.needs and (rules or not is_rule_name(name))
    )
    return max((unmeasured_rows(project, check) for check in asked), default=0)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def unmapped_rows(root: str, revision: str) -> int:
    """How many rows are not on the map: a scan without embeddings draws none."""
    import pyarrow.parquet as pq

    project = Project(root)
    file = project.features_folder / "map.parquet"
    rows = sum(pq.read_metadata(part).num_rows for part in project.record_parts)
    return rows - (pq.read_metadata(file).num_rows if file.is_file() else 0)


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def value_range(root: str, revision: str, check: str) -> dict[str, Any]:
    """Smallest and largest value of a check, whether all are whole numbers, and how many rows fall into each of some bars."""
    with connect(Project(root)) as connection:
        values = "SELECT value FROM measurements WHERE measurements.check = $name AND value IS NOT NULL"
        low, high, whole, n = connection.execute(
            f"SELECT min(value), max(value), bool_and(value = floor(value)), count(*) FROM ({values})", {"name": check}
        ).fetchall()[0]
        if not n:
            return {"low": 0.0, "high": 1.0, "whole": False, "rows": 0, "bars": pd.DataFrame({"from": [], "to": [], "rows": []})}
        start, width = low, (high - low) / HISTOGRAM_BARS or 1.0
        if whole and high - low < HISTOGRAM_BARS:  # a bar for each number, around it
            start, width = low - 0.5, 1.0
        counted = connection.execute(
            f"""SELECT least(floor((value - $start) / $width), {HISTOGRAM_BARS - 1})::INT AS bar, count(*)
                FROM ({values}) GROUP BY bar ORDER BY bar""",
            {"name": check, "start": start, "width": width},
        ).fetchall()
    edges = [start + bar * width for bar, _ in counted]
    bars = pd.DataFrame({"from": edges, "to": [edge + width for edge in edges], "rows": [rows for _, rows in counted]})
    return {"low": low, "high": high, "whole": whole, "rows": n, "bars": bars}


@st.cache_data(show_spinner=False, max_entries=8)
def map_points(root: str, revision: str, limit: int) -> tuple[pd.DataFrame, int]:
    """Points of the map: id, position, x, y, cluster, verdict, check (the severest issue), text; and how many rows the map holds.

    With more rows than `limit`, a random but repeatable sample of that many.
    """
    project = Project(root)
    with connect(project) as connection:
        add_issue_index(connection, project, load_recipe(project))
        rows = connection.execute("SELECT count(*) FROM map").fetchall()[0][0]
        points = connection.execute(
            """WITH drawn AS (SELECT * FROM map ORDER BY hash(id) LIMIT $limit),
                    worst AS (SELECT i.id, arg_max(i.check, i.weight) AS worst FROM issue_index i GROUP BY i.id)
               SELECT d.id, r.position, d.x, d.y, d.cluster, v.verdict, w.worst AS "check", r.prompt[1:70] AS text
               FROM drawn d JOIN records r ON r.id = d.id LEFT JOIN verdicts v ON v.record = d.id LEFT JOIN worst w ON w.id = d.id
               ORDER BY hash(d.id)""",
            {"limit": limit},
        ).df()
    return points, rows


@st.cache_data(show_spinner=False, max_entries=8)
def map_positions(root: str, revision: str) -> pd.DataFrame:
    """Every row's place on the map: id, position, x, y."""
    with connect(Project(root)) as connection:
        return connection.execute("SELECT m.id, r.position, m.x, m.y FROM map m JOIN records r ON r.id = m.id ORDER BY r.position").df()


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def matches(root: str, revision: str, queue: Queue) -> int:
    """How many rows a queue holds."""
    return queue_size(Project(root), queue)


@st.cache_data(show_spinner=False, max_entries=16)
def matching_ids(root: str, revision: str, queue: Queue) -> list[str]:
    """Ids of all the rows of a queue, in import order."""
    return queue_ids(Project(root), replace(queue, order="import"))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def row_page(root: str, revision: str, queue: Queue, limit: int, offset: int) -> pd.DataFrame:
    """One page of a queue for a table: id, row, prompt, answer, cluster, issues, verdict, in the queue's order."""
    project = Project(root)
    return rows_by_id(root, revision, tuple(queue_ids(project, queue, limit=limit, offset=offset)))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def rows_by_id(root: str, revision: str, ids: Sequence[str]) -> pd.DataFrame:
    """The rows of some ids for a table, in that order: id, row (from 1, in import order), prompt, answer, cluster, issues, verdict."""
    project = Project(root)
    names = {c["cluster"]: c["name"] for c in cluster_names(project)}
    with connect(project) as connection:
        add_issue_index(connection, project, load_recipe(project))
        connection.register("wanted", pd.DataFrame({"id": pd.Series(ids, dtype="object"), "place": range(len(ids))}))
        # Positions first: the parts are ordered by them, so that only the parts with a wanted row are read for their text.
        connection.execute("CREATE TEMP TABLE placed AS SELECT r.id, r.position, w.place FROM records r JOIN wanted w ON w.id = r.id")
        found = connection.execute("SELECT position FROM placed").fetchall()
        frame = connection.execute(
            f"""WITH found AS (SELECT i.id, count(*) AS issues FROM issue_index i SEMI JOIN placed p ON p.id = i.id GROUP BY i.id),
                     text AS (SELECT position, prompt[1:{EXCERPT}] AS prompt, answer[1:{EXCERPT}] AS answer FROM records
                              WHERE position IN ({", ".join(str(int(position)) for (position,) in found) or "NULL"}))
                SELECT p.id, p.position + 1 AS row, t.prompt, t.answer, m.cluster, coalesce(f.issues, 0) AS issues, v.verdict
                FROM placed p JOIN text t ON t.position = p.position LEFT JOIN map m ON m.id = p.id
                LEFT JOIN verdicts v ON v.record = p.id LEFT JOIN found f ON f.id = p.id ORDER BY p.place"""
        ).df()
    frame["cluster"] = [names.get(c, "") for c in frame["cluster"]]
    return frame


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def funnel(root: str, revision: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """`selection_counts`: what a snapshot of a recipe would hold."""
    from pipelines.curation.selection import selection_counts

    return selection_counts(Project(root), Recipe.from_json(recipe, known_checks(Project(root))))


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def meta_columns(root: str, revision: str) -> list[str]:
    """Names of the sources' other columns, as the first rows of every imported part have them."""
    with connect(Project(root)) as connection:
        found = connection.execute(
            """SELECT DISTINCT unnest(json_keys(meta)) AS name FROM records WHERE position % 20000 < 100 AND meta <> '{}' ORDER BY name"""
        ).fetchall()
    return [name for (name,) in found]


@st.cache_data(show_spinner=False, max_entries=_ENTRIES)
def usual_system(root: str, snapshot: str) -> str:
    """The instructions that most training rows of a snapshot begin with; empty when most have none. A snapshot never changes."""
    from pipelines.curation.snapshot import split_file

    with duckdb.connect(":memory:") as connection:
        found = connection.execute(
            "SELECT system FROM read_parquet($file) GROUP BY system ORDER BY count(*) DESC, system LIMIT 1",
            {"file": str(split_file(Project(root), snapshot, "train"))},
        ).fetchone()
    return str(found[0]) if found else ""
