"""Data: projects, what was brought in, what came of every row, and the jobs."""

from __future__ import annotations

import streamlit as st

from pipelines.store.project import Project
from workbench import context, pages, queries
from workbench.add_data import add_data
from workbench.frame import head
from workbench.incoming import forget_read
from workbench.job_progress import begin, job_panel, latest_job
from workbench.job_table import job_table
from workbench.project_form import new_project_form
from workbench.quarantine import quarantine
from workbench.source_table import source_table
from workbench.words import count, escaped


def page() -> None:
    """Draws the page."""
    project = context.current_project()
    if project is None:
        _welcome()
        return
    forget_read(project)
    head("Data", _lead(project))
    is_free = _progress(project)
    if project.is_empty:
        add_data(project)
    else:
        if is_free:
            _next_step(project)
        source_table(project)
        quarantine(project)
        with st.expander("Add more data", icon=":material/add:", key="add-more"):
            add_data(project)
    job_table(project)


def _welcome() -> None:
    head(
        "Welcome to Winnow",
        "Bring the examples a language model is to learn from. Winnow shows what is wrong with them, helps you decide row by row, "
        "trains on what you keep, and measures what it bought.",
    )
    names = context.project_names()
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.subheader("Start a project", anchor=False)
        st.markdown("A project is a folder on this machine with your rows, your decisions and everything made from them.")
        new_project_form("welcome")
    with right, st.container(border=True):
        st.subheader("Open a project", anchor=False)
        if not names:
            st.markdown("There is none yet. The first one you make appears here.")
        for name in names:
            st.button(escaped(name), key=f"welcome-{name}", icon=":material/folder:", on_click=context.open_project, args=(name,))


def _lead(project: Project) -> str:
    if project.is_empty:
        return "Add the file your examples are in. Nothing is changed until you have seen how it is read."
    return "Every file you brought in, and what became of each of its rows."


def _progress(project: Project) -> bool:
    """Draws the last import or scan unless it went well. Returns whether there is room for a next step."""
    job = latest_job(project, "import", "mend", "scan")
    if job is None or job.state == "done":
        return True
    job_panel(job)
    return job.is_finished and job.kind != "scan"


def _next_step(project: Project) -> None:
    waiting = queries.unscanned_rows(str(project.folder), project.revision)
    unmapped = queries.unmapped_rows(str(project.folder), project.revision)
    rows = queries.overview(str(project.folder), project.revision)["records"]
    with st.container(border=True, key="next-step", horizontal=True, vertical_alignment="center"):
        if waiting:
            new = f"{count(waiting, 'row')} not looked at yet. " if waiting < rows else ""
            st.markdown(
                f"**Next: scan the rows.** {new}Every check looks at every row; similar rows are grouped and drawn as a map.",
                width="stretch",
            )
            st.button(
                "Scan", type="primary", icon=":material/search_check:", key="scan",
                on_click=begin, args=(project, "scan", {}, "Scan"),
            )  # fmt: skip
        elif unmapped > 0:
            st.markdown(
                f"**All {rows:,} rows are checked.** The map, the topics and what is told by meaning alone are still missing.",
                width="stretch",
            )
            pages.link("report", "Open the report", project)
            st.button("Scan the rest", icon=":material/search_check:", key="scan", on_click=begin, args=(project, "scan", {}, "Scan"))
        else:
            st.markdown(f"**All {rows:,} rows are scanned.** See what was found, worst first.", width="stretch")
            pages.link("report", "Open the report", project)
