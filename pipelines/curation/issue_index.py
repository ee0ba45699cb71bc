"""Issue index: what follows from measurements and thresholds alone, kept in memory while neither changes.

At a million rows the measurements are tens of millions of values and the issues some hundred thousand; asking the index instead of the
measurements makes a page of rows twenty times quicker. What people decide is never kept here.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.curation.decisions import connect, edits
from pipelines.curation.examples import worst_examples
from pipelines.curation.issues import SEVERITY_WEIGHT, add_issue_view
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.records import canonical_json, content_hash
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project

if TYPE_CHECKING:
    import pandas as pd

KEPT = 2
"""Indexes held at a time: that of the project looked at, and that of the threshold before the last change."""


def add_issue_index(connection: duckdb.DuckDBPyConnection, project: Project, recipe: Recipe) -> None:
    """Adds `issue_index`: check, id, value, weight (by severity), excess (how far beyond the threshold). One row per issue."""
    connection.register("issue_index", issue_index(project, recipe))


def issue_index(project: Project, recipe: Recipe) -> pa.Table:
    """The index as a table. It is shared and must not be changed."""
    return _index(*_key(project, recipe))


def issue_examples(project: Project, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
    """`worst_examples` of each check, without verdicts. They are shared and must not be changed."""
    return _examples(project.records_version, *_key(project, recipe))


def measured_counts(project: Project, recipe: Recipe) -> dict[str, int]:
    """How many records each enabled check gave a value."""
    return _measured_counts(str(project.folder), _measured(project, recipe))


def issue_counts(project: Project, recipe: Recipe | None = None) -> pd.DataFrame:
    """One row per enabled check, worst first.

    Columns: check, title, description, severity, group, unit, threshold, direction, flagged, undecided (flagged and without a
    verdict), measured (0 when the check has not run).
    """
    import pandas as pd

    recipe = recipe or load_recipe(project)
    with connect(project) as connection:
        add_issue_index(connection, project, recipe)
        flagged = count_issues(connection)
    measured = measured_counts(project, recipe)
    rows: list[dict[str, Any]] = [
        {
            "check": c.name, "title": c.title, "description": c.description, "severity": c.severity, "group": c.group, "unit": c.unit,
            "threshold": recipe.threshold(c), "direction": c.direction,
            "flagged": flagged.get(c.name, (0, 0))[0], "undecided": flagged.get(c.name, (0, 0))[1], "measured": measured.get(c.name, 0),
        }
        for c in recipe.enabled.values()
    ]  # fmt: skip
    rows.sort(key=lambda r: (-SEVERITY_WEIGHT[r["severity"]], -r["flagged"], r["check"]))
    return pd.DataFrame(rows)


def count_issues(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """By check, how many records are flagged, and how many of them have no verdict. `connection` has the view `issue_index`."""
    counted = connection.execute(
        """SELECT i.check, count(*), count(*) FILTER (v.record IS NULL)
           FROM issue_index i LEFT JOIN verdicts v ON v.record = i.id GROUP BY i.check"""
    ).fetchall()
    return {check: (flagged, undecided) for check, flagged, undecided in counted}


def _key(project: Project, recipe: Recipe) -> tuple[str, str, str, str]:
    limits = {name: recipe.threshold(check) for name, check in recipe.enabled.items()}  # what else a recipe says changes no issue
    mended = content_hash(sorted(edits(project).column("edited_id").drop_null().to_pylist()))
    return str(project.folder), _measured(project, recipe), canonical_json(limits), mended


def _measured(project: Project, recipe: Recipe) -> str:
    """Changes with every file of measurements."""
    files = [
        (check.name, check.key, file.name, file.stat().st_mtime_ns, file.stat().st_size)
        for check in recipe.enabled.values()
        for file in sorted((project.measurements_folder / check.key).glob("*.parquet"))
    ]
    return canonical_json(files)


@functools.lru_cache(maxsize=KEPT)
def _index(root: str, measured: str, limits: str, mended: str) -> pa.Table:
    with connect(Project(root)) as connection:
        add_issue_view(connection, _recipe(root, limits))
        return connection.sql(
            "SELECT CAST(i.check AS VARCHAR) AS check, i.id, i.value, i.weight, CAST(i.excess AS DOUBLE) AS excess FROM issues i"
        ).to_arrow_table()


@functools.lru_cache(maxsize=KEPT)
def _examples(records: str, root: str, measured: str, limits: str, mended: str) -> dict[str, list[dict[str, Any]]]:
    with connect(Project(root)) as connection:
        connection.register("issue_index", _index(root, measured, limits, mended))
        return worst_examples(connection)


@functools.lru_cache(maxsize=KEPT)
def _measured_counts(root: str, measured: str) -> dict[str, int]:
    """Read from the ends of the files, where Parquet keeps how many values are null."""
    folder = Project(root).measurements_folder
    counts: dict[str, int] = {}
    for check, key, name, *_ in json.loads(measured):
        file = pq.read_metadata(folder / key / name)
        column = file.schema.names.index("value")
        groups = [file.row_group(i).column(column) for i in range(file.num_row_groups)]
        counts[check] = counts.get(check, 0) + sum(group.num_values - group.statistics.null_count for group in groups)
    return counts


def _recipe(root: str, limits: str) -> Recipe:
    thresholds, known = json.loads(limits), known_checks(Project(root))
    return Recipe(thresholds=thresholds, disabled=tuple(name for name in known if name not in thresholds), drop=(), known=known)
