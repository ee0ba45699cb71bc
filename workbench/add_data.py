"""Add data: name a source, see how it is read, correct that, import it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.job_list import start_job
from pipelines.sources.rereading import Reading
from pipelines.store.project import Project
from workbench import context, incoming
from workbench.reading_form import FORMAT_WORDS, reading_form
from workbench.words import count, escaped, shortened

_UPLOAD, _PATH = "Upload a file", "Name a file, folder or data set"
PREVIEW_ROWS = 20
_SHOWN = 120
"""Characters of a question or an answer in the table of first rows; the whole text is under "As they are in the file"."""
_FORM = "reading"
"""Beginning of the keys of the form's widgets."""


def add_data(project: Project) -> None:
    """Draws the form. Its source stays in the session until it is imported or another is chosen."""
    source = st.session_state.get(_key(project))
    if source is None:
        _choose(project)
    else:
        _preview(project, source)


def _key(project: Project) -> str:
    return f"source-{project.folder}"


def _choose(project: Project) -> None:
    ways = [_UPLOAD, _PATH] if context.is_local() else [_UPLOAD]
    way = st.segmented_control("Where are the rows?", ways, default=_UPLOAD, required=True, key="source-way") if len(ways) > 1 else _UPLOAD
    if way == _UPLOAD:
        upload = st.file_uploader(
            "A JSONL, JSON, CSV, TSV, Excel or Parquet file, also compressed (gzip, bzip2, xz, Zstandard) or in a ZIP or tar archive",
            type=[
                "jsonl",
                "ndjson",
                "json",
                "csv",
                "tsv",
                "txt",
                "xlsx",
                "xlsm",
                "xls",
                "ods",
                "parquet",
                "gz",
                "bz2",
                "xz",
                "zst",
                "zip",
                "tar",
                "tgz",
            ],
            key="upload",
        )
        if upload is not None:
            with st.spinner("Saving the file in the project"):
                st.session_state[_key(project)] = str(incoming.keep_upload(project, upload.name, upload))
            st.rerun()
        return
    with st.form("path", border=False):
        typed = st.text_input(
            "Path of a file or folder on this machine, or the name of a data set on the Hugging Face hub",
            placeholder="/data/contracts.jsonl or organisation/data-set",
        )
        if st.form_submit_button("Look at it", type="primary") and (typed or "").strip():
            path = Path((typed or "").strip()).expanduser()
            st.session_state[_key(project)] = str(path.resolve()) if path.exists() else (typed or "").strip()
            st.rerun()


@st.cache_data(show_spinner="Looking at the first rows", max_entries=16)
def _seen(source: str, stamp: float, format: str, mapping: dict[str, str], roles: dict[str, str]) -> Any:
    from pipelines.sources.ingest import preview

    return preview(source, format=format, mapping=mapping, roles=roles, rows=PREVIEW_ROWS)


def _stamp(source: str) -> float:
    path = Path(source)
    return path.stat().st_mtime if path.exists() else 0.0


def _preview(project: Project, source: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/draft: **{escaped(Path(source).name)}**", width="stretch")
        st.button("Choose another", on_click=_forget, args=(project, source), type="tertiary", key="another-source")

    def look(told: Reading) -> Any:
        return _seen(source, _stamp(source), told.format, dict(told.mapping or {}), dict(told.roles or {}))

    try:
        columns = look(Reading()).columns
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    told, seen = reading_form(project, columns, look, _FORM)
    if seen is None:
        return
    if not seen.format:
        _no_format(seen)
        return
    _first_rows(seen)
    st.button(
        "Import",
        type="primary",
        icon=":material/download:",
        key="import",
        disabled=not seen.records,
        on_click=_import,
        args=(project, source, told),
    )
    st.caption("The file itself is kept unchanged. Rows that cannot be read are set aside with the reason; none is lost.")


def _no_format(seen: Any) -> None:
    st.warning(
        "The columns of this file are not those of any known format. "
        "Choose above how the rows are to be read, then say which column is what."
    )
    reasons = {FORMAT_WORDS.get(name, name): why for name, why in seen.formats.items()}
    st.dataframe(pd.DataFrame({"Format": list(reasons), "What speaks for or against it": list(reasons.values())}), hide_index=True)


def _first_rows(seen: Any) -> None:
    for note in seen.notes:
        st.caption(escaped(note))
    as_read, as_found = st.tabs(["First rows as Winnow reads them", "As they are in the file"])
    with as_read:
        if seen.records:
            st.dataframe(
                pd.DataFrame(
                    {
                        "Question": [_ends(r.prompt) for r in seen.records],
                        "Answer": [_ends(r.answer) for r in seen.records],
                        "Messages": [len(r.conversation) for r in seen.records],
                    }
                ),
                hide_index=True,
                column_config={
                    "Question": st.column_config.TextColumn(width="large"),
                    "Answer": st.column_config.TextColumn(width="large"),
                },
            )
        for rejection in seen.rejected[:5]:
            found = f" The row: “{shortened(rejection.raw, 80)}”" if rejection.row and rejection.raw.strip() else ""
            st.warning(escaped(shortened(str(rejection), 300) + found), icon=":material/report:")
        if len(seen.rejected) > 5:
            st.caption(f"and {count(len(seen.rejected) - 5, 'more row')} of the first {PREVIEW_ROWS} that cannot be read this way.")
    with as_found:
        st.dataframe(pd.DataFrame([{k: _cell(v) for k, v in row.items()} for row in seen.rows]), hide_index=True)


def _ends(text: str) -> str:
    """A long text by its beginning and its end, where the question after a long background stands."""
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN // 2].rstrip()} … {plain[-_SHOWN // 2 :].lstrip()}"


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _import(project: Project, source: str, told: Reading) -> None:
    config = {"source": source, "format": told.format, "mapping": told.mapping, "roles": told.roles}
    start_job(project, "import", config, f"Import {Path(source).name}")
    _reset(project)


def _forget(project: Project, source: str) -> None:
    incoming.forget(project, Path(source))
    _reset(project)


def _reset(project: Project) -> None:
    for key in [_key(project), "upload", *(k for k in st.session_state if str(k).startswith(f"{_FORM}-"))]:
        st.session_state.pop(key, None)
