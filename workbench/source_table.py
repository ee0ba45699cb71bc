"""Source table: the files brought in, with counts that add up."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pipelines.store.project import Project
from workbench.reading_form import FORMAT_WORDS
from workbench.words import when

_NUMBERS = ("Rows read", "New", "Merged repeats", "Mended", "Set aside")


def source_table(project: Project) -> None:
    """One line per import: rows read = new rows + merged repeats + mended rows + set aside."""
    sources = project.sources()
    if not sources:
        return
    st.subheader("Sources", anchor=False)
    has_mended = any(s["mended"] for s in sources)
    columns = {
        "File": [s["name"] for s in sources],
        "Read as": [FORMAT_WORDS.get(s["format"], s["format"]) for s in sources],
        "Rows read": [s["rows_read"] for s in sources],
        "New": [s["records"] for s in sources],
        "Merged repeats": [s["duplicate_rows"] for s in sources],
        "Mended": [s["mended"] for s in sources],
        "Set aside": [s["rejected"] - s["mended"] for s in sources],
        "Imported": [when(s["at"]) for s in sources],
    }
    if not has_mended:
        del columns["Mended"]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="localized", width="small") for name in _NUMBERS},
    )
    parts = "new + merged repeats + mended + set aside" if has_mended else "new + merged repeats + set aside"
    mended = " A mended row was set aside first and brought in later." if has_mended else ""
    st.caption(f"Rows read = {parts}. A repeat is a row that trains exactly the same text as one already there.{mended}")
