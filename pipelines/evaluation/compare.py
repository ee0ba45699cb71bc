"""Evaluation: the base model and the tuned one asked the same prompts, scored against the expected answers, row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.evaluation.answers import ask_both
from pipelines.evaluation.cases import SEEN, Case, EvaluationRows, Selection, read_file, read_test_split, select_cases
from pipelines.evaluation.intervals import verdict
from pipelines.evaluation.json_answers import holds_fenced_json
from pipelines.evaluation.language_model import context_tokens, device_and_dtype
from pipelines.evaluation.metrics import Answer, Metric, answer_form, estimate, estimate_difference, metrics_for
from pipelines.evaluation.rule_rates import rule_rates
from pipelines.evaluation.table import render_table
from pipelines.evaluation.tuned_run import TunedRun, find_run
from pipelines.records import content_hash
from pipelines.rules.rule_file import load_rules
from pipelines.store import database as db
from pipelines.store.project import Project
from pipelines.store.tables import write_parquet, write_text
from pipelines.tokens.template import ChatFormat, load_chat_format

__all__ = ["evaluate", "evaluate_job", "list_evaluations", "read_answers", "read_evaluation", "render_table"]

FILE, ANSWERS = "evaluation.json", "answers.parquet"
GROUPED_SHARE = 0.9
"""With fewer different questions than this per row, a note says so."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of both models, per metric and case."""

    metrics: list[Metric]
    before: dict[str, list[float | None]]
    after: dict[str, list[float | None]]


def evaluate(
    project: Project, run: str, *, on: str | Path | None = None, limit: int | None = None, seed: int = 0, emit: jobs.Emit = lambda **_: None
) -> dict[str, Any]:
    """Compares a run's model with its base model on the snapshot's test rows, or on the rows of the file or folder `on`.

    Returns what `evaluation.json` holds (see read_evaluation). Rows whose id or prompt was in training are left out and counted.
    The same question asked again goes on where it was stopped and ends in the same folder. `limit` draws that many rows by chance.
    """
    if limit is not None and limit < 1:
        raise WorkbenchError(f"An evaluation needs at least one row, not {limit}. Leave the limit out to take all.")
    tuned = find_run(project, run)
    emit(fraction=0.0, message="Reading the rows to evaluate on")
    snapshot = project.snapshots_folder / tuned.snapshot
    rows = read_test_split(snapshot) if on is None else read_file(on)
    chat = load_chat_format(str(tuned.adapter))
    selection = select_cases(rows, snapshot / "train.parquet", chat, context_tokens=context_tokens(tuned.base), limit=limit, seed=seed)
    began = time.monotonic()
    adapter = tuned.adapter_sha256()  # of what is asked; when the answers are there, the run may have been trained further
    before, after = ask_both(project, tuned, adapter, chat, selection, emit)
    emit(fraction=0.98, message="Scoring the answers")
    scores = _score(selection.cases, before, after)
    asked = {"on": None if on is None else [case.id for case in selection.cases], "limit": limit, "seed": seed}
    folder = tuned.evaluations / content_hash(asked)[:16]
    write_parquet(_answer_table(selection.cases, before, after, scores), folder / ANSWERS)
    described = _describe(tuned, rows, selection, scores, on=on, limit=limit, seed=seed)
    described |= {
        "id": folder.name,
        "adapter_sha256": adapter,
        "notes": _notes(rows, selection, before, after, chat),
        "rules": _rules(project, snapshot, rows, selection, before, after),
        "seconds": time.monotonic() - began,
        "created_at": db.now(),
    }
    write_text(json.dumps(described, ensure_ascii=False, indent=1, allow_nan=False), folder / FILE)
    return read_evaluation(tuned, folder.name)


def evaluate_job(config: dict[str, Any], folder: Path, emit: jobs.Emit) -> dict[str, Any]:
    """The evaluation as a job: config {"project", "run", "on", "limit", "seed"}. Stopped or lost, it goes on with the next row."""
    project = Project.open(config["project"])
    limit, seed = config.get("limit"), int(config.get("seed") or 0)
    return evaluate(project, config["run"], on=config.get("on"), limit=limit, seed=seed, emit=emit)


def read_evaluation(tuned: TunedRun, id: str) -> dict[str, Any]:
    """What an evaluation of a run found.

    `n`; per metric `before`, `after` and `difference` (each mean, low, high, n), `verdicts` and, in `metrics`, how to show it; `rules`,
    how often each of the project's rules as they were then is broken (see rule_rates); `answers`, the path of a Parquet file with a row
    per case: id, prompt, expected, before, after, and the columns before.<metric> and after.<metric>; `is_outdated`, whether the run was
    trained further since.
    """
    folder = tuned.evaluations / id
    found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    is_outdated = found["adapter_sha256"] != tuned.adapter_sha256()
    return {"rules": []} | found | {"answers": str(folder / ANSWERS), "is_outdated": is_outdated}


def list_evaluations(tuned: TunedRun) -> list[dict[str, Any]]:
    """The finished evaluations of a run, oldest first."""
    found = [read_evaluation(tuned, path.parent.name) for path in tuned.evaluations.glob(f"*/{FILE}")]
    return sorted(found, key=lambda evaluation: (evaluation["created_at"], evaluation["id"]))


def read_answers(evaluation: dict[str, Any]) -> pa.Table:
    """The answers and scores of every case."""
    return pq.read_table(evaluation["answers"])


def _score(cases: Sequence[Case], before: Sequence[Answer], after: Sequence[Answer]) -> Scores:
    expected = [case.expected for case in cases]
    metrics = metrics_for(expected)

    def score_all(answers: Sequence[Answer]) -> dict[str, list[float | None]]:
        shown = [(wanted, _visible(answer, wanted)) for wanted, answer in zip(expected, answers, strict=True)]
        by_case = [[metric.score(wanted, answer) for metric in metrics] for wanted, answer in shown]
        return {metric.name: [scores[n] for scores in by_case] for n, metric in enumerate(metrics)}

    return Scores(metrics, score_all(before), score_all(after))


def _visible(answer: Answer, expected: str) -> Answer:
    """The answer without the thoughts that a reasoning model writes before it, as they are not shown to its users."""
    if "</think>" not in answer.text or "</think>" in expected:
        return answer
    return Answer(answer.text.rpartition("</think>")[2].lstrip(), answer.stopped, answer.loss, answer.tokens)


def _describe(
    tuned: TunedRun, rows: EvaluationRows, selection: Selection, scores: Scores, *, on: str | Path | None, limit: int | None, seed: int
) -> dict[str, Any]:
    differences = {m.name: estimate_difference(m, scores.before[m.name], scores.after[m.name], selection.groups) for m in scores.metrics}
    device, dtype = device_and_dtype()
    return {
        "run": tuned.id,
        "base": tuned.base,
        "snapshot": tuned.snapshot,
        "on": None if on is None else str(on),
        "on_name": rows.name,
        "limit": limit,
        "seed": seed,
        "n": len(selection.cases),
        "rows": len(rows.rows),
        "rejected": rows.rejected,
        "groups": len(set(selection.groups)),
        "excluded": selection.excluded,
        "excluded_seen_in_training": selection.excluded.get(SEEN, 0),
        "not_drawn": selection.not_drawn,
        "form": answer_form([case.expected for case in selection.cases]),
        "decoding": {"greedy": True, "max_new_tokens": selection.answer_limit, "device": device, "dtype": dtype},
        "metrics": {m.name: m.to_json() for m in scores.metrics},
        "before": {m.name: estimate(m, scores.before[m.name], selection.groups).to_json() for m in scores.metrics},
        "after": {m.name: estimate(m, scores.after[m.name], selection.groups).to_json() for m in scores.metrics},
        "difference": {name: difference.to_json() for name, difference in differences.items()},
        "verdicts": {m.name: verdict(differences[m.name], m.direction == "higher") for m in scores.metrics},
    }


def _rules(
    project: Project, snapshot: Path, rows: EvaluationRows, selection: Selection, before: Sequence[Answer], after: Sequence[Answer]
) -> list[dict[str, Any]]:
    record_by_id, cases = dict(rows.rows), selection.cases
    asked = [record_by_id[case.id] for case in cases]
    of_base, of_tuned = (
        [_visible(answer, case.expected).text for case, answer in zip(cases, answers, strict=True)] for answers in (before, after)
    )
    return rule_rates(project, load_rules(project), snapshot, asked, of_base, of_tuned, selection.groups)


def _notes(rows: EvaluationRows, selection: Selection, before: Sequence[Answer], after: Sequence[Answer], chat: ChatFormat) -> list[str]:
    """What one should know when reading the numbers."""
    n, room = len(selection.cases), selection.answer_limit
    longer = sum(len(case.question.expected) > room for case in selection.cases)
    notes = [f"Answers were written without chance (greedy) and cut at {room} tokens."]
    if longer:
        notes.append(f"{longer:,} of {n:,} expected answers are longer than that, so no model could match them in full.")
    for who, answers in (("base model", before), ("tuned model", after)):
        fenced = sum(holds_fenced_json(answer.text) for answer in answers)
        if fenced and answer_form([case.expected for case in selection.cases]) == "json":
            notes.append(f"{fenced:,} of {n:,} answers of the {who} are JSON inside a ``` fence, which does not count as valid JSON.")
        lost = sum(answer.loss is None for answer in answers)
        if lost:
            notes.append(f"For {lost:,} of {n:,} expected answers the surprise of the {who} is no finite number; it is left out there.")
    if rows.rejected:
        notes.append(f"{rows.rejected:,} rows of {rows.name} could not be read and are not part of the evaluation.")
    questions = len(set(selection.groups))
    if questions < GROUPED_SHARE * n:
        notes.append(f"The {n:,} rows ask only {questions:,} different questions; the intervals are wider for it.")
    return notes


def _answer_table(cases: Sequence[Case], before: Sequence[Answer], after: Sequence[Answer], scores: Scores) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "id": pa.array([case.id for case in cases], pa.string()),
        "prompt": pa.array([case.prompt for case in cases], pa.large_string()),
        "expected": pa.array([case.expected for case in cases], pa.large_string()),
        "before": pa.array([answer.text for answer in before], pa.large_string()),
        "after": pa.array([answer.text for answer in after], pa.large_string()),
    }
    for metric in scores.metrics:
        columns[f"before.{metric.name}"] = pa.array(scores.before[metric.name], pa.float64())
        columns[f"after.{metric.name}"] = pa.array(scores.after[metric.name], pa.float64())
    return pa.table(columns)
