"""Explore: a map, a search and a table over the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from pipelines.curation.queue import Queue
from pipelines.curation.saved_selection import save_selection
from pipelines.store.project import Project
from workbench import pages, queries
from workbench.bulk import bulk_buttons, bulk_history
from workbench.frame import head, project_with_rows
from workbench.job_progress import begin
from workbench.queue_fields import queue_fields, queue_of_url
from workbench.row_map import row_map
from workbench.row_table import row_table
from workbench.words import count

PAGE_ROWS = 50
IDS_IN_URL = 40
"""A selection of up to so many rows is named in the link itself; a larger one is saved in the project under a short name."""


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Explore")
    if project is None:
        return
    with st.container(key="wide-page"):
        head(
            "Explore",
            "Search, filter, or draw round a group on the map; then look at the rows, review them, or decide about all of them at once.",
        )
        queue = queue_of_url()
        queue_fields(project, queue)
        is_filtered = replace(queue, order="worst", seed=0) != Queue(state="all")
        selected = _map(project, queue, is_filtered=is_filtered)
        bulk_history(project, newest_only=True)
        if selected:
            _selection(project, selected)
        else:
            _filtered(project, queue)


def _map(project: Project, queue: Queue, *, is_filtered: bool) -> list[str]:
    if (project.features_folder / "map.parquet").is_file():
        return row_map(project, queue, is_filtered=is_filtered)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown("**There is no map yet.** A scan groups similar rows and draws them.", width="stretch")
        st.button("Scan", icon=":material/search_check:", on_click=begin, args=(project, "scan", {}, "Scan"))
    return []


def _selection(project: Project, ids: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{count(len(ids), 'row')} selected on the map", anchor=False, width="stretch")
        _actions(project, ids, "selection")
    _paged(
        project, len(ids), lambda first: queries.rows_by_id(str(project.folder), project.revision, tuple(ids[first : first + PAGE_ROWS]))
    )


def _filtered(project: Project, queue: Queue) -> None:
    root, revision = str(project.folder), project.revision
    rows = queries.matches(root, revision, queue)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(count(rows, "row"), anchor=False, width="stretch")
        if rows:
            if st.button("Review these rows", type="primary", icon=":material/rate_review:", key="review-filter"):
                pages.go("review", project, **queue.to_query())
            bulk_buttons(project, rows, lambda: queries.matching_ids(root, revision, queue), "filter")
    if not rows:
        st.markdown("No row fits this filter. Take out a word or choose another state.")
        return
    _paged(project, rows, lambda first: queries.row_page(root, revision, queue, PAGE_ROWS, first))


def _paged(project: Project, rows: int, frame_from: Callable[[int], pd.DataFrame]) -> None:
    pages_needed = -(-rows // PAGE_ROWS)
    slot = st.container()
    number = st.pagination(pages_needed, key=f"page-of-{rows}") if pages_needed > 1 else 1
    with slot:
        ticked = row_table(frame_from((number - 1) * PAGE_ROWS), "explore")
    if ticked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{count(len(ticked), 'row')} ticked**", width="content")
            _actions(project, ticked, "ticked")


def _actions(project: Project, ids: Sequence[str], key: str) -> None:
    if st.button("Review selection", type="primary", icon=":material/rate_review:", key=f"{key}-review"):
        chosen = (
            Queue(ids=tuple(ids), state="all") if len(ids) <= IDS_IN_URL else Queue(selection=save_selection(project, ids), state="all")
        )
        pages.go("review", project, **chosen.to_query())
    bulk_buttons(project, len(ids), lambda: ids, key)
