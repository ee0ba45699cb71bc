"""Bulk: the same decision on many rows, looked at first, and taken back with one click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from pipelines.curation.bulk_actions import bulk_actions
from pipelines.curation.decisions import bulk, undo
from pipelines.store.project import Project
from workbench import queries
from workbench.words import count, escaped, when

SAMPLE_ROWS = 20
_WORDS = {"keep": "Keep", "drop": "Drop"}
_DONE = {"keep": "kept", "drop": "dropped", "flag": "flagged", "fix": "mended"}


def bulk_buttons(project: Project, rows: int, ids: Callable[[], Sequence[str]], key: str) -> None:
    """Keep all and Drop all; each asks first. `ids` gives the rows and is called only when one of them is pressed."""
    choices: tuple[tuple[Literal["keep", "drop"], str], ...] = (("keep", ":material/check:"), ("drop", ":material/delete:"))
    for verdict, icon in choices:
        if st.button(f"{_WORDS[verdict]} all {rows:,}", key=f"{key}-{verdict}", icon=icon, disabled=not rows):
            _confirm(project, list(ids()), verdict)


@st.dialog("Decide about many rows", width="large")
def _confirm(project: Project, ids: list[str], verdict: Literal["keep", "drop"]) -> None:
    import random

    st.markdown(f"**{_WORDS[verdict]} {count(len(ids), 'row')}.** You can take this back as a whole at any time.")
    sample = random.Random(len(ids)).sample(ids, min(SAMPLE_ROWS, len(ids)))
    frame = queries.rows_by_id(str(project.folder), project.revision, tuple(sample))
    decided = int(frame["verdict"].notna().sum())
    st.caption(f"{'All of them' if len(sample) == len(ids) else f'{len(sample)} of them, drawn at random'}:")
    st.dataframe(frame[["prompt", "answer"]].rename(columns={"prompt": "Question", "answer": "Answer"}), hide_index=True, height=320)
    if decided:
        st.warning(f"{decided} of these {len(sample)} are decided already; this decision comes after and counts instead.")
    st.text_input("Why (kept with the decision)", key="bulk-reason", max_chars=200)
    st.button(
        f"{_WORDS[verdict]} {count(len(ids), 'row')}", type="primary", key="bulk-confirm", on_click=_decide, args=(project, ids, verdict)
    )
    if done := st.session_state.pop("bulk-decided", ""):
        st.toast(done)
        st.rerun()  # closes the dialog and shows the page as it is now


def _decide(project: Project, ids: list[str], verdict: Literal["keep", "drop"]) -> None:
    bulk(project, ids, verdict, reason=str(st.session_state.get("bulk-reason") or "").strip())
    st.session_state["bulk-decided"] = f"{count(len(ids), 'row')} {_DONE[verdict]}."


def bulk_history(project: Project, *, limit: int = 10, newest_only: bool = False) -> None:
    """The standing bulk decisions, each with Undo."""
    actions = bulk_actions(project, 1 if newest_only else limit)
    for action in actions:
        with st.container(horizontal=True, vertical_alignment="center", key=f"bulk-{action.batch}"):
            is_named = action.decided_by.startswith("human:") and action.decided_by != "human:local"
            by = f" by {escaped(action.decided_by.removeprefix('human:'))}" if is_named else ""
            reason = f": {escaped(action.reason)}" if action.reason else ""
            st.markdown(
                f"{count(action.standing, 'row')} {_DONE.get(action.verdict, action.verdict)} at once, {when(action.at)}{by}{reason}",
                width="stretch",
            )
            st.button(
                "Undo", key=f"undo-{action.batch}", icon=":material/undo:", type="tertiary", on_click=_undo, args=(project, action.batch)
            )


def _undo(project: Project, batch: str) -> None:
    taken_back = undo(project, batch=batch)
    st.toast(f"{count(taken_back, 'decision')} taken back.")
