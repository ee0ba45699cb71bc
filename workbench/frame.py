"""Frame: what surrounds every page: the strip, the page's head, and what is shown when a project cannot be read."""

from __future__ import annotations

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from workbench import context, pages
from workbench.damage import UNREADABLE, unreadable
from workbench.strip import strip
from workbench.unsaved import carry_unsaved
from workbench.words import escaped


def show(name: str) -> None:
    """Draws one screen under the strip. An error becomes a sentence that says what to do."""
    try:
        project = context.current_project()
        strip(project, is_reviewing=name == "review")
        pages.view_of(name)()
        if project and name != "review":
            carry_unsaved(project)
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
    except UNREADABLE as error:
        unreadable(error)


def head(title: str, lead: str = "") -> None:
    """The page's title and the one sentence under it. `lead` is Markdown of ours, never text from data."""
    st.title(title, anchor=False)
    if lead:
        with st.container(key="lead"):
            st.markdown(lead)


def empty_state(title: str, words: str, to: str, label: str) -> None:
    """Says why there is nothing here yet, and leads to where to begin."""
    with st.container(border=True, key="empty-state"):
        st.subheader(title, anchor=False)
        st.markdown(words)
        pages.link(to, label, context.current_project())


def project_with_rows(title: str) -> Project | None:
    """The current project when it has rows; otherwise explains what to do first and returns None."""
    project = context.current_project()
    if project is None:
        head(title)
        empty_state(
            "No project is open",
            "A project is a folder with your rows, your decisions and everything made from them.",
            "data",
            "Open or create a project",
        )
        return None
    if project.is_empty:
        head(title)
        empty_state("No rows yet", "Bring in a file first. This page fills itself from there.", "data", "Add data")
        return None
    return project
