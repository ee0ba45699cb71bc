"""Evaluate: the model before and after, on rows it has never seen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines import jobs
from pipelines.evaluation.compare import list_evaluations
from pipelines.evaluation.tuned_run import find_run
from pipelines.job_list import list_jobs
from pipelines.jobs import JobView
from pipelines.store.project import Project
from workbench.evaluation_form import evaluation_form
from workbench.evaluation_panel import evaluation_panel
from workbench.frame import empty_state, head, project_with_rows
from workbench.job_progress import job_panel
from workbench.playground import playground
from workbench.words import count, when

LEAD = (
    "Both models get the same questions, and what they answer is scored against the answers you expect. "
    "A change is claimed only where the numbers show one."
)


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Evaluate")
    if project is None:
        return
    runs = [job for job in list_jobs(project, kind="train") if (job.folder / "run.json").is_file()]
    head("Evaluate", LEAD)
    if not runs:
        empty_state(
            "No trained model yet", "There is something to compare once a run has finished, or was stopped and saved.", "train", "Train one"
        )
        return
    asked = st.query_params.get("run")
    ids = [run.id for run in runs]
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(asked) if asked in ids else 0,
        key="evaluate-run",
        format_func=lambda id: _run_words(runs[ids.index(id)]),
    )
    run = find_run(project, chosen)
    job = _latest(project, run.id)
    evaluations = list_evaluations(run)[::-1]
    is_current = bool(evaluations) and not any(found["is_outdated"] for found in evaluations)
    with st.expander("Compare on other rows" if is_current else "Compare", expanded=not is_current, key=f"compare-form-{run.id}"):
        evaluation_form(project, run, is_busy=job is not None and not job.is_finished)
    if job is not None:
        job_panel(job)
    if evaluations:
        evaluation_panel(_choose(evaluations))
    playground(project, run)


def _run_words(run: JobView) -> str:
    return f"{run.title}, {when(run.started_at)}: {count(run.result.get('steps', 0), 'step')}"


def _latest(project: Project, run: str) -> JobView | None:
    """The newest evaluation job of a run."""
    newest = (job for job in list_jobs(project, kind="evaluate", limit=20) if job.folder.is_dir())
    return next((job for job in newest if jobs.read_config(job.folder).get("run") == run), None)


def _choose(evaluations: list[dict[str, Any]]) -> dict[str, Any]:
    if len(evaluations) == 1:
        return evaluations[0]
    place = st.selectbox(
        "Comparison", range(len(evaluations)), format_func=lambda i: _words(evaluations[i]), key=f"evaluation-{len(evaluations)}"
    )
    return evaluations[place]


def _words(found: dict[str, Any]) -> str:
    where = "test rows" if found["on"] is None else found["on_name"]
    return f"{count(found['n'], 'row')} of {where}, {when(found['created_at'])}"
