"""Row table: rows of the project as a table whose selection is by id, never by place."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pipelines.records import content_hash
from workbench.words import VERDICT_WORDS

_COLUMNS = {
    "row": st.column_config.NumberColumn(
        "Row", help="Running number over the project, in the order of import", format="localized", width=70
    ),
    "prompt": st.column_config.TextColumn("Question", width="large"),
    "answer": st.column_config.TextColumn("Answer", width="large"),
    "cluster": st.column_config.TextColumn("Topic", width="small"),
    "issues": st.column_config.NumberColumn("Issues", width=70),
    "verdict": st.column_config.TextColumn("Decision", width=110),
}


def row_table(frame: pd.DataFrame, key: str) -> list[str]:
    """Draws `queries.rows_by_id` and returns the ids of the rows the visitor ticked."""
    shown = frame.drop(columns="id").assign(verdict=[VERDICT_WORDS[v if isinstance(v, str) else None] for v in frame["verdict"]])
    # Streamlit keeps a selection by place: with the shown ids in the key, other rows begin unticked.
    of_rows = content_hash(frame["id"].tolist())
    chosen = st.dataframe(
        shown, key=f"{key}-{of_rows}", hide_index=True, column_config=_COLUMNS, on_select="rerun", selection_mode="multi-row"
    )
    return frame["id"].iloc[chosen["selection"]["rows"]].tolist()
