"""Difficulty: how hard answers are for a base model with their question and without it (IFD). Goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import Evidence, Measurements
from pipelines.curation.decisions import connect
from pipelines.curation.recipe import load_recipe
from pipelines.errors import WorkbenchError
from pipelines.evaluation.cases import Case, as_cases, pad_token, turn_ends
from pipelines.evaluation.decoding import Question, read_prompts
from pipelines.evaluation.language_model import LanguageModel, context_tokens, load_language_model
from pipelines.jobs import Emit
from pipelines.measurement import measurement_table
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record, write_parquet
from pipelines.tokens.difficulty_check import UNHELPFUL_QUESTION, Difficulty, difficulty_checks, save_difficulty
from pipelines.tokens.template import ChatFormat, load_chat_format

LONGEST = 2_048
"""Rows of more tokens are left out: one of them can take as long as all the others."""
_BATCH = 4
_TOLD_FROM = 0.9
"""Value from which on a row's value is told beside it."""


def difficulty_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The job "difficulty": config {"project", "base", "rows"}. Returns {"measured", "left_out", "unhelpful", "median"}."""
    return measure_difficulty(Project.open(config["project"]), Difficulty(config["base"], config["rows"]), emit=emit)


def measure_difficulty(project: Project, wanted: Difficulty, *, emit: Emit) -> dict[str, Any]:
    """Measures a sample of the rows and writes the measurements. What was measured before with the same model is kept.

    Raises WorkbenchError when there are no rows or the model cannot be loaded.
    """
    if project.is_empty:
        raise WorkbenchError("There are no rows to measure yet. Import a file first.")
    kept = project.features_folder / f"difficulty-{wanted.mark}.jsonl"
    known = _kept(kept)
    drawn, left = _drawn(project, wanted, known)
    if left:
        emit(message="Loading the model")
        chat = load_chat_format(wanted.base, needs_tools=True)
        ready = [case for case in as_cases(left, chat) if isinstance(case, Case)]
        fits = min(LONGEST, context_tokens(wanted.base) or LONGEST)
        ready = [case for case in ready if len(case.question.prompt) + len(case.question.expected) <= fits]
        known |= {} if not ready else _measured(sorted(ready, key=lambda case: len(case.question.prompt)), chat, wanted, kept, emit)
    save_difficulty(project, wanted)
    _write(project, {id: known[id] for id in drawn if id in known})
    values = sorted(known[id] for id in drawn if id in known)
    limit = load_recipe(project).threshold(difficulty_checks(project)[UNHELPFUL_QUESTION])
    return {
        "measured": len(values),
        "left_out": len(drawn) - len(values),
        "unhelpful": sum(value > limit for value in values),
        "median": values[len(values) // 2] if values else None,
    }


def _drawn(project: Project, wanted: Difficulty, known: dict[str, float]) -> tuple[list[str], list[tuple[str, Any]]]:
    """Ids of the sample, and of those not measured yet the records."""
    with connect(project) as connection:
        table = connection.sql(f"SELECT * FROM records ORDER BY id LIMIT {wanted.rows:d}").to_arrow_table()
    rows = table.to_pylist()
    return [row["id"] for row in rows], [(row["id"], row_to_record(row)) for row in rows if row["id"] not in known]


def _measured(ready: Sequence[Case], chat: ChatFormat, wanted: Difficulty, kept: Path, emit: Emit) -> dict[str, float]:
    ends = turn_ends(chat, [case.question.expected for case in ready])
    model = load_language_model(wanted.base, pad_id=pad_token(chat, ends), stop_ids=tuple(sorted(ends)))
    found: dict[str, float] = {}
    kept.parent.mkdir(parents=True, exist_ok=True)
    waiting = iter(ready)
    with kept.open("a", encoding="utf-8") as file:
        if file.tell():
            file.write("\n")  # ends a line that was being written when the job was stopped
        while batch := list(islice(waiting, _BATCH)):
            for case, value in zip(batch, _ratios(batch, chat, model), strict=True):
                found[case.id] = value
                file.write(json.dumps({"id": case.id, "value": value}) + "\n")
            file.flush()
            emit(fraction=len(found) / len(ready), message=f"Measured {len(found):,} of {len(ready):,} rows")
    return found


def _ratios(batch: Sequence[Case], chat: ChatFormat, model: LanguageModel) -> list[float]:
    """The loss of each answer after its question, divided by that after nothing but the token that starts a text."""
    tokenizer = chat.tokenizer
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else model.stop_ids[0]
    numbers = list(range(len(batch)))
    asked = read_prompts(model, [case.question for case in batch], numbers).losses
    alone = read_prompts(model, [Question((start,), case.question.expected) for case in batch], numbers).losses
    return [one / max(other, 1e-6) for one, other in zip(asked, alone, strict=True)]


def _kept(file: Path) -> dict[str, float]:
    if not file.is_file():
        return {}
    return {kept["id"]: kept["value"] for kept in _whole_lines(file)}


def _whole_lines(file: Path) -> Iterator[dict[str, Any]]:
    """All lines but a last one that was being written when the job was stopped."""
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _write(project: Project, values: dict[str, float]) -> None:
    check = difficulty_checks(project)[UNHELPFUL_QUESTION]
    for part in project.record_parts:
        ids: pa.ChunkedArray = pq.read_table(part, columns=["id"]).column("id")
        found = [values.get(id) for id in ids.to_pylist()]
        measured = Measurements(found, [_told(value) for value in found])
        write_parquet(measurement_table(check, ids, measured), project.measurements_folder / check.key / part.name)


def _told(value: float | None) -> list[Evidence]:
    if value is None or value < _TOLD_FROM:
        return []
    than = f"{value - 1:.0%} harder" if value >= 1.005 else f"only {1 - value:.0%} easier" if value < 0.995 else "no easier"
    return [Evidence(note=f"With the question the answer is {than} to guess than without it.")]
