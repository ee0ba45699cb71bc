"""Issue index: the issues of a project without their evidence, kept in memory while measurements and thresholds stay the same.

At a million rows the measurements are tens of millions of values and the issues some hundred thousand; asking the index instead of the
measurements makes a page of rows twenty times quicker.
"""

from __future__ import annotations

import functools
import json

import duckdb
import pyarrow as pa

from pipelines.curation.decisions import connect, edits
from pipelines.curation.issues import add_issue_view
from pipelines.curation.recipe import Recipe
from pipelines.records import canonical_json, content_hash
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project

KEPT = 2
"""Indexes held at a time: that of the project looked at, and that of the threshold before the last change."""


def add_issue_index(connection: duckdb.DuckDBPyConnection, project: Project, recipe: Recipe) -> None:
    """Adds `issue_index`: check, id, weight (by severity), excess (how far beyond the threshold). One row per issue."""
    connection.register("issue_index", issue_index(project, recipe))


def issue_index(project: Project, recipe: Recipe) -> pa.Table:
    """The index as a table. It is shared and must not be changed."""
    limits = {name: recipe.threshold(check) for name, check in recipe.enabled.items()}  # what else a recipe says changes no issue
    mended = edits(project).column("edited_id").drop_null().to_pylist()
    return _index(str(project.folder), _measured(project, recipe) + content_hash(sorted(mended)), canonical_json(limits))


def _measured(project: Project, recipe: Recipe) -> str:
    """Changes with every file of measurements."""
    files = [
        (check.key, file.name, file.stat().st_mtime_ns, file.stat().st_size)
        for check in recipe.enabled.values()
        for file in sorted((project.measurements_folder / check.key).glob("*.parquet"))
    ]
    return canonical_json(files)


@functools.lru_cache(maxsize=KEPT)
def _index(root: str, measured: str, limits: str) -> pa.Table:
    thresholds, known = json.loads(limits), known_checks(Project(root))
    switched_off = tuple(name for name in known if name not in thresholds)
    with connect(Project(root)) as connection:
        add_issue_view(connection, Recipe(thresholds=thresholds, disabled=switched_off, drop=(), known=known))
        return connection.sql(
            "SELECT CAST(i.check AS VARCHAR) AS check, i.id, i.weight, CAST(i.excess AS DOUBLE) AS excess FROM issues i"
        ).to_arrow_table()
