"""Job progress: what a job does, how far it is, why it ended, and what can be done about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.job_list import find_job, list_jobs, start_job
from pipelines.jobs import JobView
from pipelines.store.project import Project
from workbench import context
from workbench.words import duration, escaped, percent, when

CANCEL_SECONDS = 4.0
"""How long a job may take to end by itself before its process is ended."""
LOG_LINES = 40


def latest_job(project: Project, *kinds: str) -> JobView | None:
    """The newest job of some kinds."""
    newest = [job for kind in kinds for job in list_jobs(project, kind=kind, limit=1)]
    return max(newest, key=lambda job: job.id.split("-", 1)[1], default=None)


def job_panel(job: JobView, *, retry: str = "Try again", done: str = "", place: str = "page") -> None:
    """A job as a box: progress and Cancel while it runs; afterwards why it ended, its log, and the way on.

    `done` is Markdown of ours for the finished job; without it a finished job is not shown. `place` tells two boxes of one job apart.
    """
    if job.state == "done" and not done:
        return
    with st.container(border=True, key=f"{place}-{job.id}"):
        if not job.is_finished:
            st.fragment(_running, run_every=1.0)(job.id, place)
        elif job.state == "done":
            st.markdown(f":green[:material/check_circle:] {done}")
        else:
            _ended(job, retry, place)


def _running(id: str, place: str) -> None:
    project = context.current_project()
    if project is None:
        return
    job = find_job(project, id)
    if job.is_finished:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escaped(job.title)}**", width="stretch")
        st.button(
            "Cancel",
            key=f"{place}-cancel-{id}",
            on_click=cancel,
            args=(job.folder,),
            icon=":material/close:",
            help="What is finished is kept; it can go on later.",
        )
    st.progress(min(max(job.fraction, 0.0), 1.0))
    left = f" · about {duration(job.seconds_left)} left" if job.seconds_left else ""
    st.caption(f"{percent(job.fraction)}{left} · {escaped(job.message or 'Starting')}")


def _ended(job: JobView, retry: str, place: str) -> None:
    words, colour, icon = {
        "failed": ("did not finish", "red", "error"),
        "cancelled": ("was stopped", "orange", "pause_circle"),
        "lost": ("was interrupted", "orange", "help"),
    }[job.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":{colour}[:material/{icon}:] **{escaped(job.title)}** {words}.", width="stretch")
        label = retry if job.state == "failed" else "Go on"
        st.button(
            label,
            key=f"{place}-resume-{job.id}",
            on_click=resume,
            args=(job.folder,),
            icon=":material/restart_alt:",
            disabled=not job.folder.is_dir(),
        )
    st.markdown(escaped(job.message))
    log = log_tail(job.folder)
    if log and job.state != "cancelled":
        with st.expander("Log"):
            st.code(log, language=None, wrap_lines=True, height=240)


def begin(project: Project, kind: str, config: dict[str, Any], title: str) -> None:
    """Starts a job unless one of its kind is at work in the project already; a button's callback."""
    if any(not job.is_finished for job in list_jobs(project, kind=kind, limit=5)):
        st.toast("This is running already.")
        return
    start_job(project, kind, config, title)


def cancel(folder: Path) -> None:
    """Ends a job; a button's callback."""
    jobs.cancel(folder, wait_seconds=CANCEL_SECONDS)


def resume(folder: Path) -> None:
    """Starts a job again where it stopped; a button's callback."""
    try:
        jobs.start(folder)
    except WorkbenchError as error:
        st.toast(escaped(error))


def log_tail(folder: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a job's log; empty when there is none."""
    path = folder / "log.txt"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - 200 * lines, 0))
        return "\n".join(file.read().decode("utf-8", errors="replace").splitlines()[-lines:])


def ended_at(job: JobView) -> str:
    """When a job ended and how long it took."""
    if job.ended_at is None:
        return ""
    took = f", took {duration(job.ended_at - job.started_at)}" if job.started_at else ""
    return f"{when(job.ended_at)}{took}"
