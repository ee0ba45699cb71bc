"""Snapshot: frozen curated splits. Its id is a hash of what is in it; its manifest is written last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from pipelines.curation import freeze
from pipelines.curation.card import dataset_card
from pipelines.curation.certificate import certify
from pipelines.curation.decisions import connect
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.curation.selection import dropped_by_reason, edited_rows, merge_equal, select_records
from pipelines.curation.splits import SPLITS, Assignment, assign_splits, leak_groups
from pipelines.curation.ties import NearTies, equal_values, read_tie_columns, require_column, search_near_pairs
from pipelines.duplicates.held_out import HELD_OUT_CHECK
from pipelines.errors import WorkbenchError
from pipelines.measurement import unmeasured_rows
from pipelines.records import content_hash
from pipelines.rules.rule_file import known_checks, load_rules
from pipelines.store.project import Project
from pipelines.store.query import quoted
from pipelines.store.tables import write_text

Emit = Callable[..., None]

_NAMED = 3
"""Checks that a warning names; the others are counted."""
_MOST_SEARCHES = 8
"""Two are the rule. If the last one still finds something, the certificate says so."""


def build_snapshot(project: Project, recipe: Recipe | None = None, emit: Emit = lambda **_: None) -> dict[str, Any]:
    """Freezes the records that `recipe` keeps into train, validation and test. Returns the manifest.

    Every record is in exactly one of the four files: kept + dropped = all. The same records, decisions and recipe give the same id and
    the same bytes; building again returns what is there, or mends it when files of it are missing or changed. Raises WorkbenchError
    when nothing is left to train on.
    """
    load_rules(project)
    recipe = recipe or load_recipe(project)
    if project.is_empty:
        raise WorkbenchError("There are no rows to freeze yet. Import a file first.")
    project.snapshots_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(project.snapshots_folder / ".lock"), _workshop(project) as beside, connect(project) as connection:
        connection.execute(f"SET temp_directory = {quoted(beside / 'spill')}")
        emit(fraction=0.02, message="Deciding which rows stay")
        fates = select_records(connection, recipe)
        fates, edited = merge_equal(fates, edited_rows(connection, fates))
        if not fates.column("reason").null_count:
            raise WorkbenchError(_nothing_left(dropped_by_reason(fates)))
        freeze.add_frozen_views(connection, fates, edited)
        emit(fraction=0.1, message="Looking for rows that must stay together")
        if recipe.group_by is not None:
            require_column(connection, recipe.group_by)
        columns = read_tie_columns(connection, "frozen", recipe.group_by)
        ids = columns.column("id")
        cluster, warnings = _clusters(connection, ids, edited)
        assigned, near = _assign(columns, cluster, recipe, emit)
        del columns
        unmeasured = _unmeasured(project, recipe, fates.num_rows)
        id = _snapshot_id(ids, assigned, fates, edited, recipe, unmeasured)
        if (project.snapshots_folder / id / "manifest.json").is_file() and not verify_snapshot(project, id):
            return load_snapshot(project, id)
        emit(fraction=0.5, message="Writing the splits")
        freeze.write_files(connection, ids, assigned, beside)
        emit(fraction=0.7, message="Checking that nothing crosses from one split to another")
        certificate = _certify_files(connection, beside, recipe, ids, assigned.group, cluster, near)
        manifest = freeze.manifest(
            project, id, recipe, fates=fates, edited=edited, assigned=assigned, certificate=certificate, unmeasured=unmeasured,
            warnings=[*_blind(unmeasured, recipe), *warnings, *assigned.warnings, *_held_out(connection, fates)],
        )  # fmt: skip
        _require_balance(manifest, beside)
        return _publish(project, manifest, beside)


def snapshot_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The freezing as a job: config {"project", "recipe"}; without a recipe, the project's own."""
    project = Project.open(config["project"])
    recipe = Recipe.from_json(config["recipe"], known_checks(project)) if config.get("recipe") else load_recipe(project)
    return build_snapshot(project, recipe, emit)


@contextmanager
def _workshop(project: Project) -> Iterator[Path]:
    """A folder to build in; what an interrupted build left there before is removed."""
    beside = project.snapshots_folder / ".building"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _nothing_left(dropped: dict[str, int]) -> str:
    reason, rows = next(iter(dropped.items()))
    causes = {
        "decision": "Undo some of the decisions to drop.",
        "undecided": 'Keep some rows in the review, or set undecided rows to "keep" in the recipe.',
    }
    step = causes.get(reason, f"Take the check {reason} off the recipe's drop list, or keep some of its rows in the review.")
    return f"The recipe leaves no row to train on: {sum(dropped.values()):,} are dropped, most ({rows:,}) by {reason}. {step}"


def _assign(columns: pa.Table, cluster: np.ndarray | None, recipe: Recipe, emit: Emit) -> tuple[Assignment, list[NearTies]]:
    """The splits, and the searches for near duplicates they rest on.

    A search can miss a pair close to the limit. So a further, independent search looks at the finished splits; as long as one finds a
    pair on both sides of a cut, its pairs are tied too and the rows are split again.
    """
    keys = equal_values(columns, recipe.group_by)
    near: list[NearTies] = []
    assigned = None
    while len(near) < _MOST_SEARCHES:
        found = search_near_pairs(columns, len(near), emit)
        near.append(found)
        if assigned is not None and not (assigned.split[found.left] != assigned.split[found.right]).any():
            break
        group = leak_groups(columns.num_rows, pairs=[(n.left, n.right) for n in near], keys=list(keys.values()))
        assigned = assign_splits(columns.column("id"), group, cluster=cluster, ratios=recipe.split, seed=recipe.seed)
        emit(fraction=0.1 + 0.4 * len(near) / (len(near) + 1), message="Looking again at the finished splits")
    assert assigned is not None
    return assigned, near


def _clusters(connection: duckdb.DuckDBPyConnection, ids: pa.ChunkedArray, edited: pa.Table) -> tuple[np.ndarray | None, list[str]]:
    """The cluster of each kept record (of an edited one, the cluster it was in before; -1 for none), or None before a scan."""
    connection.register("kept_ids", pa.table({"id": ids}))
    connection.register("edited_ids", edited.select(["id", "edited_from"]))
    found = connection.sql(
        """SELECT k.id, m.cluster FROM kept_ids k LEFT JOIN edited_ids e ON e.id = k.id
           LEFT JOIN map m ON m.id = coalesce(e.edited_from, k.id) ORDER BY k.id"""
    ).to_arrow_table()
    cluster = found.column("cluster")
    if cluster.null_count == len(cluster):
        return None, ["The rows have no topics yet, so the splits are not balanced by topic. A scan that draws the map finds them."]
    return cluster.fill_null(-1).to_numpy().astype(np.int64), []


def _held_out(connection: duckdb.DuckDBPyConnection, fates: pa.Table) -> list[str]:
    """Tells of kept rows that repeat a question of a test set: a person may want them, and then the test no longer measures what it did."""
    connection.register("kept_fates", fates.filter(fates.column("reason").is_null()).select(["id"]))
    found = connection.execute("SELECT count(*) FROM issues i SEMI JOIN kept_fates k ON k.id = i.id WHERE i.check = $1", [HELD_OUT_CHECK])
    (rows,) = found.fetchone() or (0,)
    if not rows:
        return []
    said = "1 kept row repeats" if rows == 1 else f"{rows:,} kept rows repeat"
    return [f"{said} a question of a test set that was to stay unseen: results on that test set will look better than they are."]


def _unmeasured(project: Project, recipe: Recipe, rows: int) -> dict[str, int]:
    """By check in force, how many rows it has not looked at. One that runs on request alone counts once it has run."""
    found = {name: unmeasured_rows(project, check) for name, check in recipe.enabled.items()}
    return {name: missing for name, missing in found.items() if missing and not (recipe.known[name].on_request and missing == rows)}


def _blind(unmeasured: dict[str, int], recipe: Recipe) -> list[str]:
    """Tells of rows that a check would perhaps have left out, had it looked at them."""
    names = sorted((name for name in unmeasured if name in recipe.drop), key=lambda name: -unmeasured[name])
    if not names:
        return []
    rows, more = unmeasured[names[0]], len(names) - _NAMED
    titles = ", ".join(f'"{recipe.known[name].title}"' for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return [
        f"{rows:,} {'row was' if rows == 1 else 'rows were'} not looked at for {titles}, so nothing was left out for that. "
        "Scan the project and freeze it again."
    ]


def _snapshot_id(
    ids: pa.ChunkedArray, assigned: Assignment, fates: pa.Table, edited: pa.Table, recipe: Recipe, unmeasured: dict[str, int]
) -> str:
    """A hash of all that the manifest tells, so that a snapshot is found again only while each word of it is still true."""
    splits = {name: ids.filter(pa.array(assigned.split == number)).to_pylist() for number, name in enumerate(SPLITS)}
    edits = dict(zip(edited.column("edited_from").to_pylist(), edited.column("id").to_pylist(), strict=True))
    told = fates.select(["id", "reason", "verdict", "decided_by", "note", "spared"]).to_pydict()
    return content_hash({"splits": splits, "fates": told, "edits": edits, "recipe": recipe.to_json(), "unmeasured": unmeasured})[:16]


def _certify_files(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    recipe: Recipe,
    ids: pa.ChunkedArray,
    group: np.ndarray,
    cluster: np.ndarray | None,
    near: list[NearTies],
) -> dict[str, Any]:
    """The certificate of the files as written: equal values are searched for again in what they hold."""
    columns = read_tie_columns(connection, freeze.files_view(folder), recipe.group_by, extra=", split")
    if columns.column("id").to_pylist() != ids.to_pylist():
        raise RuntimeError(f"{folder} does not hold the rows that were to be written")
    keys = equal_values(columns, recipe.group_by)
    return certify(columns.column("split").to_numpy(), group, near=near, keys=keys, ratios=recipe.split, cluster=cluster)


def _require_balance(manifest: dict[str, Any], folder: Path) -> None:
    """Raises RuntimeError unless every record is in exactly one file."""
    written = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in freeze.FILES}
    told = {name: manifest[name] for name in SPLITS} | {"dropped": sum(manifest["dropped"].values())}
    if written != told or sum(written.values()) != manifest["records"]:
        raise RuntimeError(f"the snapshot does not balance: {manifest['records']} records, counted {told}, written {written}")


def _publish(project: Project, manifest: dict[str, Any], beside: Path) -> dict[str, Any]:
    shutil.rmtree(beside / "spill", ignore_errors=True)
    write_text(dataset_card(manifest), beside / "README.md")
    manifest = manifest | {"files": freeze.file_hashes(beside)}
    write_text(json.dumps(manifest, ensure_ascii=False, indent=1), beside / "manifest.json")
    folder = project.snapshots_folder / manifest["id"]
    shutil.rmtree(folder, ignore_errors=True)  # unfinished or damaged, else it would have been returned
    beside.rename(folder)
    return manifest


def list_snapshots(project: Project) -> list[dict[str, Any]]:
    """The manifests of the project's snapshots, oldest first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in project.snapshots_folder.glob("[!.]*/manifest.json")]
    return sorted(found, key=lambda manifest: (manifest["created_at"], manifest["id"]))


def load_snapshot(project: Project, id: str) -> dict[str, Any]:
    """The manifest of a snapshot, by its id or the unmistakable beginning of one. Raises WorkbenchError when there is none."""
    known = [manifest for manifest in list_snapshots(project) if id and manifest["id"].startswith(id)]
    if len(known) == 1:
        return known[0]
    if known:
        raise WorkbenchError(f"{id} is the beginning of several snapshots: {', '.join(m['id'] for m in known)}. Write more of it.")
    there = ", ".join(manifest["id"] for manifest in list_snapshots(project)) or "none yet; freeze one with `winnow snapshot`"
    raise WorkbenchError(f'There is no snapshot "{id}" in {project.name}. Snapshots: {there}.')


def split_file(project: Project, id: str, split: str) -> Path:
    """The Parquet file of one split (train, validation, test or dropped) of a snapshot."""
    return project.snapshots_folder / id / f"{split}.parquet"


def verify_snapshot(project: Project, id: str) -> list[str]:
    """One sentence for each file that is not as it was frozen; empty when the snapshot is intact."""
    manifest = load_snapshot(project, id)
    folder = project.snapshots_folder / manifest["id"]
    problems = []
    for name, frozen in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing. Freeze the snapshot again; the same recipe gives the same files.")
        elif freeze.sha256(path) != frozen["sha256"]:
            problems.append(f"{name} was changed after it was frozen. Freeze the snapshot again: that writes it anew.")
    return problems


def diff_snapshots(project: Project, before: str, after: str) -> dict[str, Any]:
    """What changed from one snapshot to another: {"same", "moved": {"train -> test": n}, "edited", "added", "removed"}, in rows.

    same + moved + edited + removed = rows of `before`; same + moved + edited + added = rows of `after`. A row counts as edited when both
    hold it with different text.
    """
    first, second = (project.snapshots_folder / load_snapshot(project, id)["id"] for id in (before, after))
    sql = f"""WITH a AS (SELECT id, coalesce(edited_from, id) AS origin, split FROM {freeze.files_view(first)}),
                   b AS (SELECT id, coalesce(edited_from, id) AS origin, split FROM {freeze.files_view(second)})
              SELECT CASE WHEN a.id IS NULL THEN 'added' WHEN b.id IS NULL THEN 'removed' WHEN a.id <> b.id THEN 'edited'
                          WHEN a.split = b.split THEN 'same' ELSE 'moved' END AS change, a.split, b.split, count(*)
              FROM a FULL JOIN b ON a.origin = b.origin GROUP BY ALL ORDER BY ALL"""
    counts: dict[str, Any] = {"same": 0, "moved": {}, "edited": 0, "added": 0, "removed": 0}
    with duckdb.connect(":memory:") as connection:
        for change, left, right, rows in connection.execute(sql).fetchall():
            if change == "moved":
                counts["moved"][f"{SPLITS[left]} -> {SPLITS[right]}"] = rows
            else:
                counts[change] += rows
    return counts
