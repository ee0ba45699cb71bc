"""Difficulty form: asks a base model which answers their question helps to write."""

from __future__ import annotations

import streamlit as st

from pipelines.store.project import Project
from pipelines.tokens.difficulty_check import Difficulty, difficulty_of
from workbench.base_form import choose_base
from workbench.job_progress import begin

_ROWS = [100, 300, 1_000, 3_000]


def difficulty_form(project: Project, *, is_busy: bool) -> None:
    """Draws what to measure with. A job measures; its findings stand with the others."""
    wanted = difficulty_of(project) or Difficulty()
    with st.expander("How hard the answers are for a model", icon=":material/fitness_center:", key="difficulty"):
        st.caption(
            "A model that has not been trained yet guesses each answer twice: with its question and without. Where the question is no "
            "help, the two often do not belong together. Some rows are drawn by chance: without a graphics card one takes a second or two."
        )
        base = choose_base("difficulty-base", named=wanted.base)
        rows = st.select_slider("Rows to measure", sorted({*_ROWS, wanted.rows}), wanted.rows, key="difficulty-rows")
        st.button(
            "Measure",
            key="difficulty-measure",
            icon=":material/fitness_center:",
            disabled=is_busy or base is None,
            on_click=begin,
            args=(project, "difficulty", {"base": base, "rows": rows}, "Measure how hard the answers are"),
        )
        if is_busy:
            st.caption("Rows are being looked at already: the progress stands at the top of this page.")
