"""Unsaved: decisions that were not confirmed when the review page was left. Every other page brings them home."""

from __future__ import annotations

import streamlit as st

from pipelines.records import content_hash
from pipelines.store.project import Project
from workbench import context
from workbench.components.review_card import mount_carrier
from workbench.review_session import confirm
from workbench.words import count, escaped


@st.fragment
def carry_unsaved(project: Project) -> None:
    """Writes what the browser still holds, and says so. Run again with everything the browser says, and with nothing else."""
    key = f"unsaved-{content_hash(str(project.folder))[:12]}"
    said = (st.session_state.get(key) or {}).get("outbox")
    before = project.revision
    answer = confirm(project, said, reviewer=context.reviewer())
    mount_carrier(answer, key=key)
    for why in answer["refused"].values():
        st.toast(escaped(why), icon=":material/error:")
    if project.revision != before:
        st.toast(f"{count(len(answer['acked']), 'decision')} from the review page saved.", icon=":material/check:")
        st.rerun()  # the numbers on the page have changed
