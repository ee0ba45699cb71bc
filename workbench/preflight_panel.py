"""Preflight panel: what will be trained, what will not, and what it will take, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import jobs
from pipelines.records import content_hash
from pipelines.store.project import Project
from pipelines.training.config import RunConfig
from workbench import context
from workbench.job_progress import log_tail, resume
from workbench.words import count, duration, escaped, file_size


def preflight_panel(project: Project, config: RunConfig) -> dict[str, Any] | None:
    """Draws what a preflight of the settings found, starting one when there is none. Returns it when it is finished."""
    folder = _folder(project, config)
    if not (folder / "config.json").is_file():
        _end_previous(project)
        jobs.prepare(folder, "preflight", {"project": str(project.folder)} | config.to_json(), "Look at the rows")
        jobs.start(folder)
    st.session_state["preflight"] = folder.name
    job = jobs.view(folder)
    if not job.is_finished:
        with st.container(border=True):
            st.fragment(_waiting, run_every=1.0)(folder.name)
        return None
    if job.state != "done":
        _failed(job)
        return None
    _found(job.result)
    return job.result


def _folder(project: Project, config: RunConfig) -> Path:
    return project.jobs_folder / f"preflight-{content_hash(config.to_json())[:16]}"


def _end_previous(project: Project) -> None:
    """A preflight of settings that have changed since is of no use."""
    name = st.session_state.get("preflight")
    if name and jobs.is_running(project.jobs_folder / name):
        jobs.cancel(project.jobs_folder / name, wait_seconds=0.0)


def _waiting(name: str) -> None:
    project = context.current_project()
    if project is None or jobs.view(project.jobs_folder / name).is_finished:
        st.rerun()
    st.markdown(":material/hourglass_top: Reading every row as the model will see it, to say what will be trained and how long it takes.")


def _failed(job: jobs.JobView) -> None:
    with st.container(border=True):
        st.markdown(f":red[:material/error:] **This cannot be trained yet.** {escaped(job.message)}")
        st.button("Look again", key="preflight-again", icon=":material/restart_alt:", on_click=resume, args=(job.folder,))
        log = log_tail(job.folder)
        if log and job.state == "lost":
            st.code(log, language=None, wrap_lines=True)


def _found(seen: dict[str, Any]) -> None:
    train, estimate = seen["train"], seen["estimate"]
    low, high = estimate["total_seconds"]["low"], estimate["total_seconds"]["high"]
    with st.container(border=True, key="preflight"):
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**Every row is accounted for**")
            st.html(ledger_html(train))
            st.caption(f"{train['tokens']:,} tokens, of which {train['trained_tokens']:,} are answers the model learns to write.")
        with right:
            st.markdown("**What it will take**")
            st.markdown(f"Between **{duration(low)}** and **{duration(high)}**, for {count(seen['steps'], 'step')}.")
            memory = estimate["peak_memory_bytes"]
            free = f"; {file_size(estimate['free_memory_bytes'])} are free" if estimate["free_memory_bytes"] else ""
            st.markdown(f"Between {file_size(memory['low'])} and {file_size(memory['high'])} of memory{free}.")
            if not estimate["fits"]:
                st.markdown(":orange[:material/warning:] This may be more memory than is free. Take fewer rows at a time, or shorter rows.")
            st.caption(escaped(estimate["basis"]))
        for warning in seen["warnings"]:
            st.markdown(f":orange[:material/warning:] {escaped(warning)}")


def ledger_html(ledger: dict[str, Any]) -> str:
    """Rows in = trained + left out, as a small table; every number is there, also the zeros."""
    from html import escape

    lines = [("Rows of the training split", ledger["rows_in"], "")]
    dropped = ledger["dropped"]
    for reason, rows in (dropped or {"": 0}).items():
        lines.append((f"left out: {reason}" if reason else "left out", -rows, "minus"))
    lines.append(("Rows trained", ledger["trained"], "total"))
    body = "".join(
        f'<tr class="{kind}"><td>{escape(label)}</td><td>{"−" if rows < 0 or kind == "minus" else ""}{abs(rows):,}</td></tr>'
        for label, rows, kind in lines
    )
    cut = ledger["truncated"]
    if cut["rows"]:
        body += f"<tr><td>of these cut short</td><td>{cut['rows']:,}</td></tr>"
        body += f"<tr><td>tokens lost by cutting</td><td>{cut['tokens_lost']:,}</td></tr>"
    return f'<table class="ledger">{body}</table>'
