"""Scan: every check over every record, with embeddings, clusters and a map. Resumes where it stopped."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import models
from pipelines.checks import Check
from pipelines.checks._json_text import ATTEMPT
from pipelines.curation.issues import issue_counts
from pipelines.curation.mended_rows import measure_standing
from pipelines.errors import WorkbenchError
from pipelines.executor import Executor, Threads
from pipelines.measurement import measure_parts, measurement_table, unmeasured_parts
from pipelines.records import content_hash
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project
from pipelines.store.tables import write_parquet, write_text

if TYPE_CHECKING:
    import numpy as np

Emit = Callable[..., None]

_SHARE_BATCH, _SHARE_SET = 0.35, 0.45
"""Shares of the progress bar for per-record checks and for embeddings with whole-set checks; the rest is the map."""


def scan(
    project: Project,
    *,
    checks: list[str] | None = None,
    encoder: str | None = None,
    emit: Emit = lambda **_: None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Measures what is not measured yet. Returns {"records", "seconds", "checks": {name: {"flagged", "seconds"}}, "encoder", "clusters"}.

    `checks` limits the run to some; without it, all run and the map is drawn. What was finished before is not computed again.
    Raises WorkbenchError when there is nothing to scan or a check does not exist.
    """
    chosen = _choose(known_checks(project), checks)
    if project.is_empty:
        raise WorkbenchError("There are no rows to scan yet. Import a file first.")
    began = time.monotonic()
    seconds = dict.fromkeys(chosen, 0.0)
    executor = executor or Threads()
    _measure_batches(project, [c for c in chosen.values() if c.scope == "batch"], seconds, emit, executor)
    features = RecordSet(project, encoder, emit)
    _measure_set(features, [c for c in chosen.values() if c.scope == "set"], seconds, emit)
    clusters = _draw_map(features, emit) if checks is None else None
    measure_standing(project)
    counts = issue_counts(project).set_index("check")["flagged"]
    return {
        "records": len(features.ids),
        "seconds": round(time.monotonic() - began, 3),
        "checks": {name: {"flagged": int(counts.get(name, 0)), "seconds": round(seconds[name], 3)} for name in chosen},
        "encoder": features.encoder,
        "clusters": clusters,
    }


def scan_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The scan as a job: config {"project", "checks", "encoder"}."""
    return scan(Project.open(config["project"]), checks=config.get("checks"), encoder=config.get("encoder"), emit=emit)


def _choose(known: dict[str, Check], names: list[str] | None) -> dict[str, Check]:
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise WorkbenchError(f"There is no check named {', '.join(unknown)}. The checks are: {', '.join(known)}.")
    return known if names is None else {name: known[name] for name in names}


def _measure_batches(project: Project, checks: list[Check], seconds: dict[str, float], emit: Emit, executor: Executor) -> None:
    missing = unmeasured_parts(project, checks)
    records = sum(pq.read_metadata(part).num_rows for part in missing)
    done = 0
    for measured in measure_parts(project, missing, executor):
        done += measured.records
        for name, spent in measured.seconds.items():
            seconds[name] += spent
        emit(fraction=_SHARE_BATCH * done / max(records, 1), message=f"Checked {done:,} of {records:,} rows")


class RecordSet:
    """The whole set, for checks that compare records; implements `pipelines.checks.SetFeatures`. Each feature is computed once."""

    def __init__(self, project: Project, encoder: str | None, emit: Emit) -> None:
        self.project = project
        self.emit = emit
        self._encoder = encoder

    @functools.cached_property
    def version(self) -> str:
        """Hash of the ids in order: a whole-set measurement holds for this set alone."""
        return content_hash(self.ids)

    @functools.cached_property
    def encoder(self) -> str:
        """The sentence encoder in use."""
        from pipelines.features.embeddings import choose_encoder

        return self._encoder or choose_encoder(len(self.ids))

    @functools.cached_property
    def ids(self) -> list[str]:
        """Ids of all the records, in import order."""
        return self.column("id").to_pylist()

    @functools.cache  # noqa: B019 - one instance per scan, gone with it
    def column(self, name: str) -> pa.ChunkedArray:
        """One record column over the whole set."""
        return pa.concat_tables([pq.read_table(part, columns=[name]) for part in self.project.record_parts]).column(name)

    @functools.cached_property
    def texts(self) -> pa.ChunkedArray:
        """What duplicates are looked for in: the prompt and the answer. The system prompt, shared by many, is left out."""
        import pyarrow.compute as pc

        return pc.binary_join_element_wise(self.column("prompt"), self.column("answer"), pa.scalar("\n\n", pa.large_string()))

    @functools.cached_property
    def exact_groups(self) -> np.ndarray:
        """The index of the first record with the same canonical text."""
        from pipelines.duplicates.exact import exact_groups

        return exact_groups(self.texts)

    @functools.cached_property
    def prompt_groups(self) -> np.ndarray:
        """The index of the first record with the same canonical system prompt and prompt."""
        import pyarrow.compute as pc

        from pipelines.duplicates.exact import exact_groups

        return exact_groups(pc.binary_join_element_wise(self.column("system"), self.column("prompt"), pa.scalar("\n\n", pa.large_string())))

    @functools.cached_property
    def near_pairs(self) -> pa.Table:
        """Pairs of record indices with their exact Jaccard similarity. Kept in the project by id, for this very set."""
        file = self.project.features_folder / "near_pairs.parquet"
        version = {b"records": self.version.encode()}
        if file.is_file() and (pq.read_schema(file).metadata or {}).items() >= version.items():
            return self._indexed(pq.read_table(file))
        from pipelines.duplicates.near import near_pairs

        self.emit(message="Looking for near duplicates")
        found = near_pairs(self.texts, emit=self._quiet).pairs
        ids = self.column("id").combine_chunks()
        by_id = pa.table({"left": ids.take(found["left"]), "right": ids.take(found["right"]), "similarity": found["similarity"]})
        write_parquet(by_id.replace_schema_metadata(version), file)
        return found

    def _indexed(self, by_id: pa.Table) -> pa.Table:
        import pyarrow.compute as pc

        ids = self.column("id").combine_chunks()
        index = {side: pc.index_in(by_id[side], ids).cast(pa.int64()) for side in ("left", "right")}
        return pa.table(index | {"similarity": by_id["similarity"]})

    @functools.cached_property
    def embeddings(self) -> np.ndarray:
        """One unit vector per record: its prompt."""
        return self._encode(self.column("prompt"), "prompts")

    @functools.cached_property
    def answer_embeddings(self) -> np.ndarray:
        """One unit vector per record: the words of its answer. Names of fields and brackets, which JSON answers share, are left out."""
        import pyarrow.compute as pc

        answers = pc.fill_null(self.column("answer"), "")
        is_json = pc.match_substring_regex(answers, ATTEMPT)
        values = pc.replace_substring_regex(answers, r'"[^"\n]{1,60}"\s*:', " ")
        return self._encode(pc.if_else(is_json, pc.replace_substring_regex(values, r'[{}\[\]"]+', " "), answers), "answers")

    def _encode(self, texts: pa.ChunkedArray, noun: str) -> np.ndarray:
        from pipelines.features.embeddings import encode

        name = self.encoder
        self.emit(message=f"Encoding {len(texts):,} {noun} with {name}")
        return encode(texts, encoder=name, cache=self.project.features_folder / "embeddings", emit=self._quiet)

    def _quiet(self, fraction: float | None = None, message: str | None = None, **numbers: Any) -> None:
        """Passes messages on and listens for a cancel, without moving the scan's own progress backwards."""
        self.emit(message=message, **numbers)


def _measure_set(features: RecordSet, checks: list[Check], seconds: dict[str, float], emit: Emit) -> None:
    for done, check in enumerate(checks):
        folder = features.project.measurements_folder / check.key
        target = folder / f"set-{features.version}.parquet"
        if not target.is_file():
            began = time.monotonic()
            emit(fraction=_SHARE_BATCH + _SHARE_SET * done / len(checks), message=f"Comparing rows: {check.title.lower()}")
            write_parquet(measurement_table(check, features.column("id"), check.measure(features)), target)
            seconds[check.name] += time.monotonic() - began
        for older in _others(folder, target):
            older.unlink()


def _others(folder: Path, kept: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*.parquet") if file != kept)


def _draw_map(features: RecordSet, emit: Emit) -> int:
    """Writes map.parquet and clusters.json unless they hold this very set. Returns the number of clusters."""
    folder = features.project.features_folder
    stamp, names = folder / "map.json", folder / "clusters.json"
    described = {"records": features.version, "encoder": features.encoder, "models": models.describe_source(features.encoder)}
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == described:
        return len(json.loads(names.read_text(encoding="utf-8")))
    from pipelines.clusters import build_map

    _ = features.near_pairs  # kept for the splits even when no duplicate check ran
    emit(fraction=_SHARE_BATCH + _SHARE_SET, message="Grouping rows and drawing the map")
    table, clusters = build_map(features.column("prompt").to_pylist(), features.embeddings, features.ids, emit=features._quiet)
    stamp.unlink(missing_ok=True)
    write_parquet(table, folder / "map.parquet")
    write_text(json.dumps(clusters, ensure_ascii=False), names)
    write_text(json.dumps(described), stamp)
    return len(clusters)
