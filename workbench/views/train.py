"""Train: a snapshot and a model become an adapter."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pipelines import jobs
from pipelines.curation.snapshot import list_snapshots
from pipelines.errors import WorkbenchError
from pipelines.job_list import find_job, list_jobs
from pipelines.store.project import Project
from pipelines.training.config import RunConfig
from pipelines.training.run import prepare_run
from workbench.base_form import choose_base
from workbench.frame import empty_state, head, project_with_rows
from workbench.preflight_panel import preflight_panel
from workbench.run_form import run_form
from workbench.run_panel import run_panel
from workbench.words import STATE_WORDS, count, escaped, when

SHOWN_RUNS = 100
NEW = "new"
"""In place of a run's id in the URL: the form for another one, also while a run is at work."""


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Train")
    if project is None:
        return
    snapshots = list_snapshots(project)[::-1]
    if not snapshots:
        head("Train")
        empty_state(
            "No snapshot yet",
            "A model is trained on a snapshot: the rows you keep, frozen, so that it is known what it learned.",
            "curate",
            "Freeze one",
        )
        return
    head(
        "Train",
        "Teach a model the rows of a snapshot. You get a small file, an adapter, that is laid over the model and can be taken off again; "
        "the model itself stays as it is. The page Evaluate then shows what it bought, and lets you ask it something.",
    )
    runs = list_jobs(project, kind="train", limit=SHOWN_RUNS)
    wanted = st.query_params.get("run")
    shown = next((run for run in runs if run.id == wanted), None)
    if shown is None and wanted is None:
        shown = next((run for run in runs if not run.is_finished), None)
    if shown is not None:
        run_panel(project, shown)
        st.button("Train another", key="another-run", icon=":material/add:", on_click=_new)
    else:
        _new_run(project, snapshots)
    _run_table(project, runs)


def _new() -> None:
    st.query_params["run"] = NEW


def _new_run(project: Project, snapshots: list[dict[str, object]]) -> None:
    by_id = {str(s["id"]): s for s in snapshots}
    asked = st.query_params.get("snapshot", "")
    left, right = st.columns(2, gap="large")
    with left:
        chosen = st.selectbox(
            "Snapshot to learn from", list(by_id), index=list(by_id).index(asked) if asked in by_id else 0, key="train-snapshot",
            format_func=lambda id: f"{id[:8]}, {when(str(by_id[id]['created_at']))}: {count(int(str(by_id[id]['train'])), 'row')} to train",
        )  # fmt: skip
    with right:
        base = choose_base()
    config = run_form(by_id[str(chosen)], base) if base else None
    if config is None:
        return
    seen = preflight_panel(project, config)
    st.button(
        "Train",
        type="primary",
        icon=":material/model_training:",
        key="train",
        disabled=seen is None,
        on_click=_start,
        args=(project, config),
    )


def _start(project: Project, config: RunConfig) -> None:
    try:
        folder = prepare_run(project, config, f"Train on snapshot {config.snapshot[:8]}")
        jobs.start(folder)
    except WorkbenchError as error:
        st.toast(escaped(error))
        return
    st.query_params["run"] = folder.name


def _state_words(run: jobs.JobView) -> str:
    return "Stopped and saved" if run.result.get("status") == "stopped" else STATE_WORDS[run.state]


def _run_table(project: Project, runs: list[jobs.JobView]) -> None:
    if not runs:
        return
    st.subheader("Runs", anchor=False)
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "Run": [run.title for run in runs],
                "State": [_state_words(run) for run in runs],
                "Done": [run.fraction for run in runs],
                "Began": [when(run.started_at) for run in runs],
                "Steps": [run.result.get("steps") for run in runs],
                "Rows trained": [run.result.get("ledger", {}).get("trained") for run in runs],
                "Name": [run.id for run in runs],
            }
        ),
        key=f"runs-{len(runs)}-{runs[0].id}-{st.query_params.get('run')}", hide_index=True, on_select="rerun",
        selection_mode="single-row", placeholder="",
        column_config={"Done": st.column_config.ProgressColumn(format="percent")},
    )  # fmt: skip
    for place in chosen["selection"]["rows"]:
        id = find_job(project, runs[place].id).id
        if st.query_params.get("run") != id:
            st.query_params["run"] = id
            st.rerun()
