"""Token form: counts how long the rows are for the model they will train."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines.curation.token_summary import count_seconds
from pipelines.store.project import Project
from pipelines.tokens.token_checks import Reader, reader_of
from workbench.base_form import LENGTHS, choose_base
from workbench.job_progress import begin
from workbench.words import duration, escaped

_START_SECONDS = 5.0
"""What a job takes to begin, however few rows there are."""


def token_form(project: Project, summary: dict[str, Any] | None, *, is_busy: bool) -> None:
    """Draws what was counted (`tokens` of the report), and the settings to count with."""
    reader = reader_of(project) or Reader()
    with st.expander("How long the rows are for a model", icon=":material/straighten:", key="tokens"):
        if summary:
            st.markdown(escaped(" ".join(summary["sentences"])))
        else:
            st.caption(
                "Models read words in pieces, called tokens. Counting them shows which rows are longer than the model will read, "
                "and what would be cut off."
            )
        base = choose_base("count-base", named=reader.base)
        limit = st.select_slider("The most tokens of a row", sorted({*LENGTHS, reader.max_length}), reader.max_length, key="count-limit")
        st.button(
            "Count again" if summary else "Count",
            key="count-tokens",
            icon=":material/straighten:",
            disabled=is_busy or base is None,
            on_click=begin,
            args=(project, "tokens", {"base": base, "max_length": limit}, "Count tokens"),
        )
        if is_busy:
            st.caption("Rows are being looked at already: the progress stands at the top of this page.")
        else:
            st.caption(f"Counting takes about {duration(max(count_seconds(project), _START_SECONDS))}; you can go on working meanwhile.")
