"""Quarantine: the rows that were set aside, by file and reason; one is mended, or all are tried again."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.sources.quarantine_index import Entry, Group, QuarantineIndex, mended_rows
from pipelines.store.project import Project
from workbench.mend_panel import CHANGED, mend_panel
from workbench.reading_form import FORMAT_WORDS
from workbench.retry_form import retry_form
from workbench.words import count, escaped, shortened, when

PAGE_ROWS = 50
SHOWN_MENDED = 100


def quarantine(project: Project) -> None:
    """Draws what waits, and what became of what waits no longer. Nothing without either."""
    said = st.session_state.pop(CHANGED, "")
    if said:
        st.toast(said, icon=":material/check_circle:")
    sources = [source for source in project.sources() if source["rejected"]]
    if not sources:
        return
    waiting = sum(source["rejected"] - source["mended"] for source in sources)
    st.subheader("Set aside", anchor=False)
    if waiting:
        st.markdown(
            f"{count(waiting, 'row')} could not be read. Open a reason to see its rows and mend one, "
            "or say how they are to be read and try all again. Every line is kept as it came."
        )
    else:
        st.markdown(":green[:material/check_circle:] All rows that were set aside have been brought in.")
    _waiting(project, [source for source in sources if source["rejected"] > source["mended"]])
    for source in sources:
        if source["mended"]:
            _mended(project, source)


@st.fragment
def _waiting(project: Project, sources: list[dict[str, Any]]) -> None:
    """The list of reasons; under it the rows of the one that is chosen."""
    found: list[tuple[dict[str, Any], Group]] = []
    for source in sources:
        try:
            found += [(source, group) for group in _groups(str(project.folder), source["id"], source["mended"])]
        except WorkbenchError as error:
            st.warning(escaped(error), icon=":material/report:")
    if not found:
        return
    found.sort(key=lambda one: -one[1].rows)
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "Rows": [group.rows for _, group in found],
                "File": [_place(source, group) for source, group in found],
                "Why they cannot be read": [group.reason for _, group in found],
            }
        ),
        key=f"reasons-{content_hash([[source['id'], group.file, group.kind] for source, group in found])}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height="auto" if len(found) < 10 else 380,
        column_config={
            "Rows": st.column_config.NumberColumn(format="localized", width=90),
            "File": st.column_config.TextColumn(width=180),
            "Why they cannot be read": st.column_config.TextColumn(width=900),
        },
    )
    opened = [found[place] for place in chosen["selection"]["rows"]]
    for source, group in opened:
        _rows(project, source, group)
    retry_form(project, sources, first=opened[0][0]["id"] if opened else found[0][0]["id"])
    if CHANGED in st.session_state:
        st.rerun()  # the whole page, whose counts have changed


def _place(source: dict[str, Any], group: Group) -> str:
    return group.file if group.file == source["name"] else f"{source['name']}: {group.file}"


@st.cache_data(show_spinner="Sorting the rows by reason", max_entries=16)
def _groups(root: str, number: int, mended: int) -> list[Group]:
    """The reasons of one import; `mended` says how many of its rows wait no longer, so that the list is made anew when one is mended."""
    project = Project(root)
    return QuarantineIndex(project, next(source for source in project.sources() if source["id"] == number)).groups()


def _rows(project: Project, source: dict[str, Any], group: Group) -> None:
    key = content_hash([source["id"], group.file, group.kind])[:12]
    pages = -(-group.rows // PAGE_ROWS)
    page = st.pagination(pages, key=f"page-{key}") if pages > 1 else 1
    first = PAGE_ROWS * (min(page, pages) - 1)
    entries = QuarantineIndex(project, source).page(group, offset=first, limit=PAGE_ROWS)
    with st.container(horizontal=True, vertical_alignment="center"):
        where = f"Rows {first + 1:,} to {first + len(entries):,} of {group.rows:,}. " if pages > 1 else ""
        st.caption(f"{where}Tick a row to mend it.", width="stretch")
        _download(project, source)
    entry = _chosen(entries, key)
    if entry is not None:
        mend_panel(project, source, entry)


def _chosen(entries: list[Entry], key: str) -> Entry | None:
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "Row": [entry.row or None for entry in entries],
                "Why": [entry.reason for entry in entries],
                "As found": [shortened(entry.raw, 300) for entry in entries],
            }
        ),
        key=f"rows-{key}-{content_hash([entry.line for entry in entries])}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height="auto" if len(entries) < 10 else 380,
        column_config={
            "Row": st.column_config.NumberColumn(format="localized", width=80),
            "Why": st.column_config.TextColumn(width=360),
            "As found": st.column_config.TextColumn(width=700),
        },
    )
    return next((entries[place] for place in chosen["selection"]["rows"]), None)


def _download(project: Project, source: dict[str, Any]) -> None:
    path = (project.folder / source["quarantine"]).resolve()
    st.download_button(
        "Download all that was set aside",
        data=lambda: path.open("rb"),
        file_name=f"{source['name'].rsplit('.', 1)[0]}-set-aside.jsonl",
        mime="application/jsonl",
        icon=":material/download:",
        type="tertiary",
        key=f"quarantine-file-{source['id']}",
        on_click="ignore",
    )


def _mended(project: Project, source: dict[str, Any]) -> None:
    with st.expander(
        f"{count(source['mended'], 'row')} of “{escaped(source['name'])}” mended", icon=":material/healing:", key=f"mended-{source['id']}"
    ):
        rows = mended_rows(project, source["id"], limit=SHOWN_MENDED)
        try:
            raws = QuarantineIndex(project, source).texts([row["line"] for row in rows])
        except WorkbenchError:
            raws = {}
        by = {row["mended_by"] for row in rows}
        columns: dict[str, list[Any]] = {
            "As it came": [shortened(raws.get(row["line"], ""), 200) for row in rows],
            "As it was mended": ["read as it came" if row["text"] is None else shortened(row["text"], 200) for row in rows],
            "Read as": [FORMAT_WORDS.get(row["format"], row["format"]) for row in rows],
            "Became": [count(row["new"], "new row") if row["new"] else "a repeat" for row in rows],
            "By": [row["mended_by"].removeprefix("human:") for row in rows],
            "When": [when(row["at"]) for row in rows],
        }
        if by == {"human:local"}:
            del columns["By"]
        st.dataframe(pd.DataFrame(columns), hide_index=True)
        if source["mended"] > len(rows):
            st.caption(f"The latest {len(rows):,} of {source['mended']:,}.")
