"""Source table: the files brought in, with counts that add up, and the rows that were set aside."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pipelines.store.project import Project
from workbench.add_data import FORMAT_WORDS
from workbench.words import count, escaped, shortened, when

SHOWN_REJECTIONS = 500
"""Rows of the quarantine shown on the page; the download holds all."""


def source_table(project: Project) -> None:
    """One line per import: rows read = new rows + merged repeats + set aside."""
    sources = project.sources()
    if not sources:
        return
    st.subheader("Sources", anchor=False)
    st.dataframe(
        pd.DataFrame(
            {
                "File": [s["name"] for s in sources],
                "Read as": [FORMAT_WORDS.get(s["format"], s["format"]) for s in sources],
                "Rows read": [s["rows_read"] for s in sources],
                "New": [s["records"] for s in sources],
                "Merged repeats": [s["duplicate_rows"] for s in sources],
                "Set aside": [s["rejected"] for s in sources],
                "Imported": [when(s["at"]) for s in sources],
            }
        ),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized", width="small")
            for name in ("Rows read", "New", "Merged repeats", "Set aside")
        },
    )
    st.caption("Rows read = new + merged repeats + set aside. A repeat is a row that trains exactly the same text as one already there.")
    for source in sources:
        if source["rejected"]:
            _quarantine(project, source)


def _quarantine(project: Project, source: dict[str, Any]) -> None:
    path = (project.folder / source["quarantine"]).resolve()
    with st.expander(
        f"{count(source['rejected'], 'row')} of {escaped(source['name'])} set aside",
        icon=":material/report:",
        key=f"quarantine-{source['id']}",
    ):
        if not path.is_relative_to(project.folder) or not path.is_file():
            st.warning("The file with these rows is no longer in the project's quarantine folder.")
            return
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in islice(lines, SHOWN_REJECTIONS)]
        st.dataframe(
            pd.DataFrame(
                {
                    "File": [r["file"] for r in rows],
                    "Row": [r["row"] for r in rows],
                    "Why": [r["reason"] for r in rows],
                    "As found": [shortened(str(r["raw"]), 300) for r in rows],
                }
            ),
            hide_index=True,
            column_config={"Why": st.column_config.TextColumn(width="large"), "As found": st.column_config.TextColumn(width="large")},
        )
        if source["rejected"] > len(rows):
            st.caption(f"The first {len(rows):,} of {source['rejected']:,}. The download holds all.")
        st.download_button(
            "Download these rows",
            data=lambda: path.open("rb"),
            file_name=f"{Path(source['name']).stem}-set-aside.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            key=f"quarantine-file-{source['id']}",
            on_click="ignore",
        )
