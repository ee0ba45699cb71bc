"""Job table: everything the project has had done, newest first."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pipelines.job_list import list_jobs
from pipelines.store.project import Project
from workbench.job_progress import ended_at, job_panel
from workbench.words import STATE_WORDS, when

SHOWN_JOBS = 50


def job_table(project: Project) -> None:
    """The newest jobs; one that is ticked opens below with what can be done about it."""
    jobs = [job for job in list_jobs(project, limit=SHOWN_JOBS) if job.kind != "chat"]
    if not jobs:
        return
    with st.expander("What was done", icon=":material/history:", key="jobs"):
        chosen = st.dataframe(
            pd.DataFrame(
                {
                    "Work": [job.title for job in jobs],
                    "State": [STATE_WORDS[job.state] for job in jobs],
                    "Done": [job.fraction for job in jobs],
                    "Began": [when(job.started_at) for job in jobs],
                    "Ended": [ended_at(job) for job in jobs],
                    "Message": [job.message for job in jobs],
                }
            ),
            key=f"jobs-{len(jobs)}-{jobs[0].id}",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                "Done": st.column_config.ProgressColumn(format="percent"),
                "Message": st.column_config.TextColumn(width="large"),
            },
        )
        for place in chosen["selection"]["rows"]:
            job_panel(jobs[place], done=f"Finished {ended_at(jobs[place])}.", place="table")
