"""Run panel: one training run while it learns and after it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pipelines import jobs
from pipelines.job_list import find_job
from pipelines.jobs import JobView
from pipelines.store.project import Project
from workbench import charts, context, pages
from workbench.job_progress import cancel, ended_at, log_tail, resume
from workbench.run_form import config_words
from workbench.words import count, duration, escaped, percent

DRAWN_STEPS = 600
"""A longer run is drawn with the mean of several steps for each point."""
TRAINING, VALIDATION = "Training rows", "Validation rows"


def run_panel(project: Project, job: JobView) -> None:
    """Draws the run; while it trains it renews itself every two seconds."""
    st.subheader(escaped(job.title), anchor=False)
    config = {k: v for k, v in jobs.read_config(job.folder).items() if k != "project"}
    st.caption(f"{escaped(config['base'])} on snapshot {config['snapshot'][:8]}: {config_words(config)}")
    if job.is_finished:
        _state(job)
        _lines(job.folder)
        if job.result:
            _result(project, job)
        _log(job.folder)
    else:
        st.fragment(_running, run_every=2.0)(job.id)


def _log(folder: Path) -> None:
    with st.expander("Log", key="run-log"):
        st.code(log_tail(folder) or "Nothing yet.", language=None, wrap_lines=True, height=260)


def _running(id: str) -> None:
    project = context.current_project()
    if project is None:
        return
    job = find_job(project, id)
    if job.is_finished:
        st.rerun()
    now = latest_numbers(job.folder)
    st.progress(min(max(job.fraction, 0.0), 1.0))
    with st.container(horizontal=True, vertical_alignment="center"):
        words = [percent(job.fraction), escaped(job.message or "Starting")]
        if "tokens_per_second" in now:
            words.append(f"{now['tokens_per_second']:,.0f} tokens a second")
        left = now.get("eta_seconds")
        if left is not None:
            words.append(f"about {duration(left)} left")
        st.markdown(" · ".join(words), width="stretch")
        is_asked = (job.folder / "stop").exists()
        st.button(
            "Stopping" if is_asked else "Stop and save", key=f"stop-{id}", on_click=_ask_to_stop, args=(job.folder,),
            icon=":material/stop_circle:", disabled=is_asked,
            help="Finishes the present step and keeps what was learned so far as a usable model.",
        )  # fmt: skip
        st.button(
            "Cancel",
            key=f"cancel-{id}",
            on_click=cancel,
            args=(job.folder,),
            icon=":material/close:",
            help="Ends at once. It can go on later from its last save.",
        )
    _lines(job.folder)
    st.caption("You can close this page; the training goes on.")
    _log(job.folder)


def _ask_to_stop(folder: Path) -> None:
    (folder / "stop").touch()


def latest_numbers(folder: Path) -> dict[str, Any]:
    """The last value of each number the run has reported."""
    now: dict[str, Any] = {}
    for event in jobs.events(folder):
        if event.get("state") == "starting":
            now = {}
        now |= {k: v for k, v in event.items() if k in ("loss", "eval_loss", "tokens_per_second", "eta_seconds", "step") and v is not None}
    return now


def loss_points(folder: Path) -> tuple[pd.DataFrame, int]:
    """Loss by step, and how many steps a drawn point stands for. Of a step done twice, after a resume, the later value counts."""
    training: dict[int, float] = {}
    validation: dict[int, float] = {}
    for event in jobs.events(folder):
        if "loss" in event:
            training[event["step"]] = event["loss"]
        elif "eval_loss" in event:
            validation[event["step"]] = event["eval_loss"]
    every = max(1, -(-len(training) // DRAWN_STEPS))
    steps = sorted(training)
    chunks = [steps[i : i + every] for i in range(0, len(steps), every)]
    rows = [{"step": chunk[-1], "loss": sum(training[s] for s in chunk) / len(chunk), "which": TRAINING} for chunk in chunks]
    rows += [{"step": step, "loss": loss, "which": VALIDATION} for step, loss in sorted(validation.items())]
    return pd.DataFrame(rows, columns=["step", "loss", "which"]), every


def _lines(folder: Path) -> None:
    points, every = loss_points(folder)
    if points.empty:
        return
    charts.loss_lines(points)
    means = f" Each point of the training line is the mean of {every} steps." if every > 1 else ""
    st.caption(
        f"When the validation line turns up while the training line goes down, the model has begun to learn its rows by heart.{means}"
    )


def _state(job: JobView) -> None:
    was_stopped = job.state == "done" and job.result.get("status") == "stopped"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"run-state-{job.id}"):
        if job.state == "done" and not was_stopped:
            st.markdown(f":green[:material/check_circle:] **Finished** {ended_at(job)}", width="stretch")
            return
        words = {
            "done": ":orange[:material/stop_circle:] **Stopped and saved.** It can be used as it is, or go on.",
            "failed": f":red[:material/error:] **Did not finish.** {escaped(job.message)}",
            "cancelled": ":orange[:material/pause_circle:] **Cancelled.** It can go on from its last save.",
            "lost": f":orange[:material/help:] **Interrupted.** {escaped(job.message)}",
        }[job.state]
        st.markdown(words, width="stretch")
        st.button(
            "Try again" if job.state == "failed" else "Go on",
            key=f"resume-{job.id}",
            on_click=resume,
            args=(job.folder,),
            icon=":material/restart_alt:",
        )


def _result(project: Project, job: JobView) -> None:
    result, ledger = job.result, job.result["ledger"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{ledger['rows_in']:,}** rows in = **{ledger['trained']:,}** trained + **{ledger['dropped']:,}** left out"
            + (f" ({count(ledger['truncated'], 'row')} cut)" if ledger["truncated"] else "")
            + f" · {result['tokens']:,} tokens in {duration(result['seconds'])}",
            width="stretch",
        )
        if st.button("Compare before and after", type="primary", icon=":material/compare_arrows:", key=f"evaluate-{job.id}"):
            pages.go("evaluate", project, run=job.id)
    st.caption(f"The adapter, a small file on top of the model, is in {escaped(result['adapter'])}")
