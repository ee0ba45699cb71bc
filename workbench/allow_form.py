"""Allow form: the project's own addresses and numbers, which are no leak."""

from __future__ import annotations

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.rules.allow_list import allowed, privacy_checks, save_allowed
from pipelines.store.project import Project
from workbench.job_progress import begin
from workbench.words import count, escaped

_KEY = "allowed-lines"


def allow_form(project: Project, *, is_busy: bool) -> None:
    """Draws the list for changing. Once it is saved, the checks of personal data look at all rows again."""
    entries = allowed(project)
    title = f"Personal data that may stay: {count(len(entries), 'entry', 'entries')}" if entries else "Personal data that may stay"
    with st.expander(title, icon=":material/shield_person:", key="allow"):
        st.caption(
            "Your own addresses and numbers, one a line: a hotline, a support mailbox. A * stands for anything, as in *@ourfirm.com. "
            "They are not reported and not replaced."
        )
        st.text_area("What may stay", value="\n".join(entries), key=_KEY, height=140, label_visibility="collapsed")
        st.button("Save and look again", key="allow-save", icon=":material/save:", disabled=is_busy, on_click=_save, args=(project,))


def _save(project: Project) -> None:
    before = allowed(project)
    try:
        kept = save_allowed(project, st.session_state[_KEY].splitlines())
    except WorkbenchError as error:
        st.toast(escaped(error), icon=":material/error:")
        return
    if kept != before:
        begin(project, "scan", {"checks": privacy_checks()}, "Look for personal data again")
