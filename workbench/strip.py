"""Strip: the thin line on every page: project, rows, share decided, running jobs."""

from __future__ import annotations

import streamlit as st

from pipelines.job_list import list_jobs
from pipelines.jobs import JobView
from pipelines.records import content_hash
from pipelines.store.project import Project
from workbench import context, queries
from workbench.damage import UNREADABLE
from workbench.project_form import new_project_form
from workbench.words import count, duration, escaped, percent, share

RECENT_JOBS = 20
"""Running jobs are looked for among this many of the newest."""


JOB_SECONDS, REVIEW_SECONDS = 2.0, 10.0
"""How often the strip renews itself while a job runs, and while rows are decided without a run of the page."""


def strip(project: Project | None, *, is_reviewing: bool = False) -> None:
    """Draws the strip. It renews itself while a job runs or, with `is_reviewing`, while the review card decides rows."""
    running = [job.id for job in running_jobs(project)] if project else []
    with st.container(key="strip"):
        renewed = st.fragment(_strip, run_every=JOB_SECONDS if running else REVIEW_SECONDS if is_reviewing else None)
        renewed(running)


def running_jobs(project: Project) -> list[JobView]:
    """Jobs that have not ended. The chat with a model waits for questions all the time, so it does not count."""
    return [job for job in list_jobs(project, limit=RECENT_JOBS) if not job.is_finished and job.kind != "chat"]


def _strip(shown: list[str]) -> None:
    project = context.current_project()
    jobs = running_jobs(project) if project else []
    if [job.id for job in jobs if job.id in shown] != shown:
        st.rerun()  # a job has ended: what the page shows may be new
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        _switch(project)
        if project is None:
            return
        try:
            state = queries.overview(str(project.folder), project.revision)
        except UNREADABLE:  # a fragment's exceptions do not reach the page, which says what to do
            st.markdown(":orange[:material/warning:] cannot be read", width="content")
            return
        st.markdown(f"**{state['records']:,}** {'row' if state['records'] == 1 else 'rows'}", width="content")
        if state["records"]:
            decided = state["keep"] + state["drop"] + state["flag"]
            st.markdown(f"**{share(decided, state['records'])}** decided ({decided:,})", width="content")
        st.space("stretch")
        for job in jobs[:2]:
            # A run knows better than its pace so far how long it takes, and says so on its own page.
            left = f", about {duration(job.seconds_left)} left" if job.seconds_left and job.kind != "train" else ""
            st.markdown(f":primary[:material/progress_activity:] {escaped(job.title)} **{percent(job.fraction)}**{left}", width="content")
        if len(jobs) > 2:
            st.markdown(f"and {count(len(jobs) - 2, 'more job')}", width="content")


def _switch(project: Project | None) -> None:
    """The project's name, and the menu to open another one or make one."""
    names = context.project_names()
    label = project.name if project else "Choose a project"
    # A menu of its own for each project: else it stays open over the page of the project that it has just opened.
    with st.popover(escaped(label), icon=":material/folder_open:", type="tertiary", key=f"project-menu-{content_hash(label)[:8]}"):
        for name in names:
            if project is None or name != project.name:
                st.button(
                    escaped(name),
                    key=f"open-{name}",
                    on_click=context.open_project,
                    args=(name,),
                    type="tertiary",
                    icon=":material/folder:",
                )
        if context.projects_root() is not None:
            new_project_form("strip")
        if not names:
            st.caption("There are no projects yet.")
