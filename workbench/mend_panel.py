"""Mend panel: one row that was set aside, with the place of the fault, to be edited and brought in."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.records import Record
from pipelines.sources.fault import find_fault
from pipelines.sources.mending import mend
from pipelines.sources.quarantine_index import Entry
from pipelines.sources.rereading import Attempt, Rereader
from pipelines.sources.strict_json import BadJson, parse_json
from pipelines.store.project import Project
from workbench.context import reviewer
from workbench.excerpt import ROLE_WORDS
from workbench.reading_form import FORMAT_WORDS
from workbench.words import escaped, shortened

_AROUND = 160
"""Characters shown before and behind the fault."""
_SHOWN_TURNS = 6
CHANGED = "quarantine-changed"
"""Where a callback leaves the sentence to show once the whole page is drawn anew."""


def mend_panel(project: Project, source: dict[str, Any], entry: Entry) -> None:
    """Draws the row. What is typed is tried at once; only the button changes anything."""
    key = f"mend-{source['id']}-{entry.line}"
    with st.container(border=True, key="mend"):
        st.markdown(f"**{escaped(entry.file)}{f', row {entry.row:,}' if entry.row else ''}**")
        if entry.row == 0 or entry.is_cut:
            _fault(entry.raw, entry.reason)
            st.caption(Rereader(project, source).attempt(entry).reason)
            return
        text = st.text_area(
            "The row. Change it and press Ctrl+Enter to see how it would be read.", entry.raw.rstrip("\r\n"), key=key, height=220
        )
        text = text if text is not None else ""
        attempt = Rereader(project, source).attempt(entry, text)
        if attempt.reason:
            _fault(text, attempt.reason)
        else:
            _read_as(attempt)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Bring it in", type="primary", icon=":material/download:", key=f"{key}-import", disabled=bool(attempt.reason),
                on_click=_mend, args=(project, source["id"], entry.line, key),
            )  # fmt: skip
            st.button(
                "Put the original back",
                key=f"{key}-back",
                type="tertiary",
                on_click=_put,
                args=(key, entry.raw),
                disabled=text == entry.raw,
            )
            spread = _laid_out(text)
            if spread != text:
                st.button("Lay it out in lines", key=f"{key}-lines", type="tertiary", on_click=_put, args=(key, spread))


def _fault(text: str, reason: str) -> None:
    """Why the row cannot be read, with the words around the place of the fault."""
    st.markdown(f":red[:material/error:] {escaped(reason)}")
    fault = find_fault(text, reason)
    if fault is None:
        return
    start, end = max(fault.start - _AROUND, 0), min(fault.end, fault.start + 2 * _AROUND)
    before = ("…" if start else "") + text[start : fault.start]
    found = text[fault.start : end] or "⌃"
    after = text[end : end + _AROUND] + ("…" if len(text) > end + _AROUND else "")
    st.html(f'<pre class="fault">{escape(before)}<mark>{escape(found)}</mark>{escape(after)}</pre>')


def _read_as(attempt: Attempt) -> None:
    form = attempt.records[0][0]
    st.markdown(f":green[:material/check_circle:] It would be read as: **{FORMAT_WORDS.get(form, form)}**")
    for _, record in attempt.records:
        st.html(_record_html(record))


def _record_html(record: Record) -> str:
    turns = [(ROLE_WORDS.get(turn.role, turn.role), turn.content or turn.tool_calls or "") for turn in record.conversation]
    turns += [("Worse answer", turn.content) for turn in record.rejected]
    lines = "".join(f"<dt>{escape(role)}</dt><dd>{escape(shortened(said, 300))}</dd>" for role, said in turns[:_SHOWN_TURNS])
    more = f"<dt></dt><dd>and {len(turns) - _SHOWN_TURNS:,} more turns</dd>" if len(turns) > _SHOWN_TURNS else ""
    return f'<div class="pair"><dl>{lines}{more}</dl></div>'


def _mend(project: Project, source: int, line: int, key: str) -> None:
    try:
        found = mend(project, source, line, str(st.session_state.get(key) or ""), by=reviewer())
    except WorkbenchError as error:
        st.session_state[CHANGED] = escaped(error)
        return
    st.session_state[CHANGED] = "Brought in." if found["new"] else "Brought in: it repeats a row that is there already."


def _put(key: str, text: str) -> None:
    st.session_state[key] = text


def _laid_out(text: str) -> str:
    """A row in JSON with a line for each part, to be read and edited by a person; any other text as it is."""
    try:
        value = parse_json(text)
    except BadJson:
        return text
    return json.dumps(value, ensure_ascii=False, indent=2)
