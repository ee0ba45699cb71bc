"""Retry form: how the rows set aside are to be read, and how many of the first could then be read."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import streamlit as st

from pipelines.job_list import list_jobs, start_job
from pipelines.records import ROLES
from pipelines.sources.preview import Preview
from pipelines.sources.recognise import recognise
from pipelines.sources.rereading import Reading, Rereader
from pipelines.sources.rows import Rejection
from pipelines.store.project import Project
from workbench.context import reviewer
from workbench.mend_panel import CHANGED
from workbench.reading_form import reading_form
from workbench.words import count, escaped

TRIED_ROWS = 200
"""Waiting rows of an import that the form is tried on."""


def retry_form(project: Project, sources: list[dict[str, Any]], *, first: int) -> None:
    """Draws the form under the list of reasons, folded. `first` is the import to begin with."""
    with st.expander("Try all again, read another way", icon=":material/restart_alt:", key="retry"):
        source = next(source for source in sources if source["id"] == first)
        if len(sources) > 1:
            names = {source["id"]: f"{source['name']} (import {source['id']})" for source in sources}
            order = list(names)
            number = st.selectbox(
                "Of which import", order, index=order.index(first), format_func=lambda number: names[number], key=f"retry-source-{first}"
            )
            source = next(source for source in sources if source["id"] == number)
        values = _values(str(project.folder), source["id"], source["mended"])
        if not values:
            st.markdown("The first rows that wait are too damaged to have columns. Mend them one by one.")
            return
        columns = list(dict.fromkeys(name for value in values for name in value))

        def look(told: Reading) -> Preview:
            return _tried(
                str(project.folder), source["id"], source["mended"], told.format, dict(told.mapping or {}), dict(told.roles or {})
            )

        told, seen = reading_form(project, columns, look, f"retry-{source['id']}")
        if seen is None:
            return
        tried = len(seen.records) + len(seen.rejected)
        st.markdown(f"**{len(seen.records):,} of the first {count(tried, 'row')}** that wait could then be read.")
        for reason in dict.fromkeys(rejection.reason for rejection in seen.rejected[:3]):
            st.caption(f"Not yet: {escaped(reason)}")
        st.button(
            "Try all again", type="primary", icon=":material/restart_alt:", key="retry-all", disabled=not seen.records,
            on_click=_begin, args=(project, source, told),
        )  # fmt: skip


def _begin(project: Project, source: dict[str, Any], told: Reading) -> None:
    config = {"sources": [source["id"]], "by": reviewer()} | asdict(
        replace(told, mapping=dict(told.mapping or {}), roles=dict(told.roles or {}))
    )
    is_busy = any(not job.is_finished for job in list_jobs(project, kind="mend", limit=5))
    if not is_busy:
        start_job(project, "mend", config, f"Try the rows set aside from {source['name']} again")
    st.session_state[CHANGED] = "This is running already." if is_busy else ""


@st.cache_data(show_spinner=False, max_entries=8)
def _values(root: str, number: int, mended: int) -> list[dict[str, Any]]:
    """The first waiting rows of an import that can be read at all."""
    rereader = _rereader(root, number, Reading())
    entries = islice(rereader.index.waiting(), TRIED_ROWS)
    return [value for entry in entries if (value := rereader.value(entry)) is not None]


@st.cache_data(show_spinner="Trying the first rows", max_entries=8)
def _tried(root: str, number: int, mended: int, format: str, mapping: dict[str, str], roles: dict[str, str]) -> Preview:
    """What becomes of the first waiting rows of an import, in the form of a preview."""
    values = _values(root, number, mended)
    rereader = _rereader(root, number, Reading(format, mapping, roles))
    seen = recognise(values, asked=format, mapping=mapping)
    records, rejected = [], []
    for entry in islice(rereader.index.waiting(), TRIED_ROWS):
        attempt = rereader.attempt(entry)
        records += [record for _, record in attempt.records]
        rejected += [Rejection(entry.file, entry.row, attempt.reason)] if attempt.reason else []
    turns = [turn.role for record in records for turn in record.conversation]
    return Preview(
        format=seen.form.name if seen.form else "",
        mapping=seen.mapping,
        columns=list(seen.columns),
        fields=list(seen.form.fields) if seen.form else [],
        rows=values,
        records=records,
        rejected=rejected,
        formats=seen.why,
        unknown_roles=list(dict.fromkeys(role for role in turns if role not in ROLES)),
    )


def _rereader(root: str, number: int, told: Reading) -> Rereader:
    project = Project(root)
    return Rereader(project, next(source for source in project.sources() if source["id"] == number), told)
