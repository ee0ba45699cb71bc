"""Evaluation form: which run, on which rows, on how many."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pipelines.curation.snapshot import load_snapshot
from pipelines.evaluation.tuned_run import TunedRun
from pipelines.job_list import start_job
from pipelines.store.project import Project
from workbench import context
from workbench.incoming import keep_upload
from workbench.words import count, escaped

_TEST, _UPLOAD, _PATH = "test", "upload", "path"
_WAY_WORDS = {_TEST: "The snapshot's test rows", _UPLOAD: "A file I upload", _PATH: "A file or folder on this machine"}
_ALL = 0
_LIMITS = [20, 50, 100, 200, 500, _ALL]
USUAL_LIMIT = 100
HOLDOUTS = "holdouts"
"""Folder of the project for uploaded rows to evaluate on."""


def evaluation_form(project: Project, run: TunedRun, *, is_busy: bool) -> None:
    """Draws the form; its button starts the evaluation."""
    test_rows = int(load_snapshot(project, run.snapshot)["test"])
    ways = [*([_TEST] if test_rows else []), _UPLOAD, *([_PATH] if context.is_local() else [])]
    left, right = st.columns([2, 1], gap="large")
    with left:
        way = st.segmented_control(
            "Rows to compare on", ways, default=ways[0], required=True, format_func=lambda w: _WAY_WORDS[w], key="holdout-way"
        )
        on = _rows_of(project, way or ways[0])
        if way == _TEST:
            st.caption(f"{count(test_rows, 'row')} that were set apart before training and tied to no row that was trained.")
        else:
            st.caption("Rows that were also in training are found and left out.")
    with right:
        limit = st.select_slider(
            "How many of them", _LIMITS, USUAL_LIMIT, format_func=lambda n: f"{n:,}" if n else "All", key="holdout-limit",
            help="Fewer rows are quicker and give wider intervals. They are drawn by chance, always the same ones.",
        )  # fmt: skip
    st.button(
        "Compare", type="primary", icon=":material/compare_arrows:", key="compare", disabled=is_busy or (way != _TEST and on is None),
        on_click=_start, args=(project, run.id, on, limit or None),
    )  # fmt: skip


def _rows_of(project: Project, way: str) -> str | None:
    if way == _UPLOAD:
        upload = st.file_uploader("Rows with their expected answers, in any form that can be imported", key="holdout-upload")
        if upload is None:
            return None
        kept = st.session_state.get("holdout")
        if kept is None or kept[0] != upload.file_id:
            kept = (upload.file_id, str(keep_upload(project, upload.name, upload, folder=project.folder / HOLDOUTS)))
            st.session_state["holdout"] = kept
        return str(kept[1])
    if way == _PATH:
        typed = (st.text_input("Path", placeholder="/data/holdout.jsonl", key="holdout-path") or "").strip()
        path = Path(typed).expanduser()
        if typed and not path.exists():
            st.error(f"There is nothing at {escaped(typed)}.")
        return str(path.resolve()) if typed and path.exists() else None
    return None


def _start(project: Project, run: str, on: str | None, limit: int | None) -> None:
    where = f" on {Path(on).name}" if on else ""
    start_job(project, "evaluate", {"run": run, "on": on, "limit": limit}, f"Compare before and after{where}")
