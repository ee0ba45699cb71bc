"""Held-out form: the test sets whose questions must not be learned."""

from __future__ import annotations

import streamlit as st

from pipelines.duplicates.held_out import held_out_sets, remove_held_out
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from workbench import incoming
from workbench.job_progress import begin
from workbench.words import count, escaped

_UPLOAD = "held-out-upload"
_GENERATION = "held-out-generation"


def held_out_form(project: Project, *, is_busy: bool) -> None:
    """Draws the test sets, to add and to remove. A job looks for the questions of one that is added."""
    sets = held_out_sets(project)
    title = "Tests that must stay unseen"
    with st.expander(f"{title}: {count(len(sets), 'file')}" if sets else title, icon=":material/quiz:", key="held-out"):
        st.caption(
            "Bring the questions you will judge the model by, such as a benchmark or your own exam. Rows that repeat one of them "
            "are found, and left out when you freeze a snapshot."
        )
        for one in sets:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{escaped(one.name)}** · {count(one.questions, 'question')}", width="stretch")
                st.button("Remove", key=f"held-out-remove-{one.name}", on_click=_remove, args=(project, one.name), disabled=is_busy)
        upload = st.file_uploader(
            "A file of test questions, in any form that rows can have", key=f"{_UPLOAD}-{st.session_state.get(_GENERATION, 0)}"
        )
        st.button(
            "Look for its questions",
            key="held-out-add",
            icon=":material/search:",
            disabled=is_busy or upload is None,
            on_click=_add,
            args=(project, upload),
        )


def _add(project: Project, upload: st.runtime.uploaded_file_manager.UploadedFile) -> None:
    kept = incoming.keep_upload(project, upload.name, upload)
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1  # an empty field for the next file
    begin(project, "held_out", {"source": str(kept), "name": kept.name}, f"Look for the questions of {kept.name}")


def _remove(project: Project, name: str) -> None:
    try:
        remove_held_out(project, name)
    except WorkbenchError as error:
        st.toast(escaped(error), icon=":material/error:")
