"""Project form: a name and a button."""

from __future__ import annotations

import streamlit as st

from pipelines.errors import WorkbenchError
from workbench import context, pages
from workbench.words import escaped


def _create(name: str) -> None:
    context.create_project(name)


def new_project_form(place: str) -> None:
    """Makes a project and opens it. `place` tells two forms on one page apart."""
    if context.projects_root() is None:
        served = context.served_folder()
        if served is None:
            return
        st.button(
            f"Create the project {escaped(served.name)}",
            key=f"create-{place}",
            type="primary",
            on_click=_create,
            args=(served.name,),
        )
        return
    with st.form(f"new-project-{place}", border=False):
        name = st.text_input("Name of the new project", placeholder="contracts-2026", max_chars=64)
        wanted = st.form_submit_button("Create project", icon=":material/add:", type="primary" if place == "welcome" else "secondary")
    if wanted:
        try:
            project = context.create_project(name or "")
        except WorkbenchError as error:
            st.error(escaped(error))
            return
        context.remember(project.name)
        pages.go("data", project)
