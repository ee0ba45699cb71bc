"""Scan: every check over every record, with embeddings, clusters and a map. Resumes where it stopped."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import models
from pipelines.checks import Check, Feature
from pipelines.checks._json_text import ATTEMPT
from pipelines.curation.issue_index import issue_counts
from pipelines.curation.mended_rows import measure_standing
from pipelines.errors import WorkbenchError
from pipelines.executor import Executor, Threads
from pipelines.measurement import measure_apart, measure_here, measurement_table, unmeasured
from pipelines.record_features import ROW_PROFILE, features_for, first_to_need, record_feature
from pipelines.records import content_hash
from pipelines.rules.rule_file import known_checks, load_rules
from pipelines.store.project import Project
from pipelines.store.tables import write_parquet, write_text

if TYPE_CHECKING:
    import numpy as np

Emit = Callable[..., None]

_PARTS_PER_PROCESS = 2
"""Files of records for each core from which on processes are worth their start; below, threads do."""
_SHARE_BATCH, _SHARE_SET = 0.35, 0.45
"""Shares of the progress bar for per-record checks and for embeddings with whole-set checks; the rest is the map."""


def scan(
    project: Project,
    *,
    checks: list[str] | None = None,
    without: Sequence[Feature] = (),
    encoder: str | None = None,
    emit: Emit = lambda **_: None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Measures what is not measured yet. Returns {"records", "seconds", "checks": {name: {"flagged", "seconds"}}, "encoder", "clusters"}.

    The seconds of a check are CPU time; what several checks need is counted for the first of them, and 0 is what was measured before.
    `checks` limits the run to some; without it, all but those on request run and the map is drawn. `without` leaves out what needs these
    features: without "embeddings", which alone need a model, there is no map either. What was finished before is not computed again.
    Raises WorkbenchError when there is nothing to scan or a check does not exist.
    """
    chosen = {name: check for name, check in _choose(known_checks(project), checks).items() if not {*check.needs} & {*without}}
    if project.is_empty:
        raise WorkbenchError("There are no rows to scan yet. Import a file first.")
    load_rules(project)
    began = time.monotonic()
    seconds = dict.fromkeys(chosen, 0.0)
    _measure_parts(project, list(chosen.values()), seconds, emit, executor)
    features = RecordSet(project, encoder, emit)
    _measure_set(features, [c for c in chosen.values() if c.scope == "set"], seconds, emit)
    is_drawn = checks is None and "embeddings" not in without
    clusters = _draw_map(features, emit) if is_drawn else None
    measure_standing(project)
    counts = issue_counts(project).set_index("check")["flagged"]
    return {
        "records": len(features.ids),
        "seconds": round(time.monotonic() - began, 3),
        "checks": {name: {"flagged": int(counts.get(name, 0)), "seconds": round(seconds[name], 3)} for name in chosen},
        "encoder": features.encoder if is_drawn or any("embeddings" in check.needs for check in chosen.values()) else None,
        "clusters": clusters,
    }


def scan_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The scan as a job: config {"project", "checks", "without", "encoder"}."""
    return scan(
        Project.open(config["project"]),
        checks=config.get("checks"),
        without=config.get("without") or (),
        encoder=config.get("encoder"),
        emit=emit,
    )


def held_out_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """Keeps a test set and looks for its questions, as a job: config {"project", "source", "name"}.

    Returns {"name", "questions", "flagged"}.
    """
    from pipelines.duplicates.held_out import HELD_OUT_CHECK, add_held_out

    project = Project.open(config["project"])
    emit(message="Reading the test questions")
    added = add_held_out(project, config["source"], name=config.get("name"))
    found = {} if project.is_empty else scan(project, checks=[HELD_OUT_CHECK], emit=emit)["checks"]
    return {"name": added.name, "questions": added.questions, "flagged": found.get(HELD_OUT_CHECK, {}).get("flagged", 0)}


def token_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """Counts tokens for a base model, as a job: config {"project", "base", "max_length"}. Returns what `token_summary` does."""
    from pipelines.curation.token_summary import remember_speed, token_summary
    from pipelines.tokens.token_checks import TOKEN_TITLES, Reader, save_reader

    project = Project.open(config["project"])
    if project.is_empty:
        raise WorkbenchError("There are no rows to count tokens of yet. Import a file first.")
    emit(message="Loading the model's tokenizer")
    save_reader(project, Reader(config["base"], config["max_length"]))
    is_first = token_summary(project) is None  # else only rows that came in since are counted
    found = scan(project, checks=list(TOKEN_TITLES), emit=emit)
    if is_first:
        remember_speed(project, found["seconds"])
    return token_summary(project) or {}


def _choose(known: dict[str, Check], names: list[str] | None) -> dict[str, Check]:
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise WorkbenchError(f"There is no check named {', '.join(unknown)}. The checks are: {', '.join(known)}.")
    if names is None:
        return {name: check for name, check in known.items() if not check.on_request}
    return {name: known[name] for name in names}


def _measure_parts(project: Project, checks: list[Check], seconds: dict[str, float], emit: Emit, executor: Executor | None) -> None:
    works = unmeasured(project, [c for c in checks if c.scope == "batch"], features_for(checks))
    cores = os.cpu_count() or 1
    apart = executor is None and cores > 1 and len(works) >= _PARTS_PER_PROCESS * cores
    measured = measure_apart(project, works) if apart else measure_here(project, works, executor or Threads())
    records, done = sum(pq.read_metadata(work.part).num_rows for work in works), 0
    with contextlib.closing(measured):  # a cancel ends the workers at once
        for part in measured:
            done += part.records
            for name, spent in part.seconds.items():
                if (check := name if name in seconds else first_to_need(name, checks)) is not None:
                    seconds[check] += spent
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

    def lengths(self, name: str) -> np.ndarray:
        """Characters of each prompt or answer without the white space around it."""
        return self._profile.column(f"{name}_trimmed").to_numpy()

    @property
    def answer_turns(self) -> np.ndarray:
        """Position of each record's last assistant turn."""
        return self._profile.column("answer_turn").to_numpy()

    @functools.cached_property
    def _profile(self) -> pa.Table:
        return record_feature(self.project, ROW_PROFILE, columns=["prompt_trimmed", "answer_trimmed", "answer_turn"])

    @functools.cached_property
    def exact_groups(self) -> np.ndarray:
        """The index of the first record with the same canonical text."""
        return self._first_with_equal("text_digests@1")

    @functools.cached_property
    def prompt_groups(self) -> np.ndarray:
        """The index of the first record with the same canonical system prompt and prompt."""
        return self._first_with_equal("prompt_digests@1")

    def _first_with_equal(self, digests: str) -> np.ndarray:
        import numpy as np

        from pipelines.duplicates.exact import first_equal

        return first_equal(np.column_stack([column.to_numpy() for column in record_feature(self.project, digests).columns]))

    @functools.cached_property
    def prompt_languages(self) -> pa.Table:
        """The language of each prompt."""
        return record_feature(self.project, "prompt_languages@1")

    @functools.cached_property
    def near_pairs(self) -> pa.Table:
        """Pairs of record indices with their exact Jaccard similarity. Kept in the project by id, for this very set."""
        file = self.project.features_folder / "near_pairs.parquet"
        version = {b"records": self.version.encode()}
        if file.is_file() and (pq.read_schema(file).metadata or {}).items() >= version.items():
            return self._indexed(pq.read_table(file))
        from pipelines.duplicates.near import near_pairs

        self.emit(message="Looking for near duplicates")
        found = near_pairs(self._compared_texts(), emit=self._quiet).pairs
        ids = self.column("id").combine_chunks()
        by_id = pa.table({"left": ids.take(found["left"]), "right": ids.take(found["right"]), "similarity": found["similarity"]})
        write_parquet(by_id.replace_schema_metadata(version), file)
        return found

    def _compared_texts(self) -> pa.ChunkedArray:
        """The prompt and the answer, like the digests of `exact_groups`. Not kept: they are as large as all the data."""
        import pyarrow.compute as pc

        return pc.binary_join_element_wise(self.column("prompt"), self.column("answer"), pa.scalar("\n\n", pa.large_string()))

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
            began = time.process_time()
            emit(fraction=_SHARE_BATCH + _SHARE_SET * done / len(checks), message=f"Comparing rows: {check.title.lower()}")
            write_parquet(measurement_table(check, features.column("id"), check.measure(features)), target)
            seconds[check.name] += time.process_time() - began
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
