"""Snapshot card: one frozen set with its counts, its certificate in words, and its downloads."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import streamlit as st

from pipelines.curation.export import ExportFormat, export_snapshot
from pipelines.store.project import Project
from workbench import pages
from workbench.funnel import funnel_html, reason_words
from workbench.words import count, escaped, percent, when

EXPORT_WORDS: dict[ExportFormat, str] = {
    "openai": "OpenAI messages (JSONL)",
    "sharegpt": "ShareGPT (JSONL)",
    "alpaca": "Alpaca (JSON)",
    "csv": "Table for a spreadsheet (CSV)",
    "parquet": "Parquet",
    "datasets": "Hugging Face data set",
}
_TIE_WORDS = {
    "near_duplicate": "Pairs of rows that are nearly the same",
    "equal_text": "Texts that are the same",
    "equal_prompt": "Questions that are the same",
    "equal_question": "Conversations with the same first question",
    "equal_opening": "Conversations that begin the same",
}


def snapshot_card(project: Project, manifest: dict[str, Any], *, is_newest: bool) -> None:
    """Draws the card; the newest one leads on to training."""
    with st.container(border=True, key=f"snapshot-{manifest['id']}"):
        left, right = st.columns([3, 1.3], gap="large", vertical_alignment="center")
        with left:
            st.markdown(f"**Snapshot {manifest['id'][:8]}** &nbsp; {when(manifest['created_at'])}")
            st.markdown(
                f"**{manifest['train']:,}** rows to train · **{manifest['validation']:,}** to validate · "
                f"**{manifest['test']:,}** to test · "
                f"{sum(manifest['dropped'].values()):,} left out"
            )
            _verdict(manifest)
        with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            _downloads(project, manifest)
            if st.button(
                "Train", key=f"train-{manifest['id']}", icon=":material/model_training:", type="primary" if is_newest else "secondary"
            ):
                pages.go("train", project, snapshot=manifest["id"])
        details = st.expander("Certificate and what was left out", key=f"certificate-{manifest['id']}", on_change="rerun", type="compact")
        if details.open:
            with details:
                _certificate(project, manifest)


def _verdict(manifest: dict[str, Any]) -> None:
    crossing = manifest["groups_crossing"]
    if crossing:
        st.markdown(
            f":orange[:material/warning:] {count(crossing, 'tie')} between rows of different splits: the test may look better than it is."
        )
    else:
        st.markdown(":green[:material/verified:] No row of one split gives away a row of another.")
    for warning in manifest["warnings"]:
        st.caption(escaped(warning))


def _certificate(project: Project, manifest: dict[str, Any]) -> None:
    found = manifest["certificate"]
    st.html(funnel_html(manifest))
    st.markdown(
        f"Copies, near copies and answers to one question were put into the same split: {count(found['groups'], 'group')}, "
        f"the largest of {count(found['largest_group'], 'row')}. "
        f"The finished splits were then searched again."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Searched for": [_TIE_WORDS.get(kind, f"Equal values of {kind.removeprefix('same_')}") for kind in found["crossing"]],
                "Found": [found["compared"][kind] for kind in found["crossing"]],
                "Across splits": list(found["crossing"].values()),
            }
        ),
        hide_index=True,
    )
    asked, reached = found["ratios_asked"], found["ratios_achieved"]
    st.caption("Asked for and reached: " + ", ".join(f"{name} {percent(asked[name])} / {100 * reached[name]:.1f} %" for name in asked))
    if manifest["dropped"]:
        st.caption("Left out: " + ", ".join(f"{escaped(reason_words(r))} {n:,}" for r, n in manifest["dropped"].items()))
    st.caption(f"Full name: {manifest['id']}. Files: {escaped(project.snapshots_folder / manifest['id'])}")


def _downloads(project: Project, manifest: dict[str, Any]) -> None:
    id = manifest["id"]
    with st.popover("Export", icon=":material/download:", key=f"export-{id}"):
        for format, words in EXPORT_WORDS.items():
            st.download_button(
                words,
                data=functools.partial(_archive, project, id, format),
                file_name=f"{project.name}-{id[:8]}-{format}.zip",
                mime="application/zip",
                key=f"export-{id}-{format}",
                on_click="ignore",
                width="stretch",
            )
        st.caption("Each is a zip file with the three splits and a description.")


def _archive(project: Project, id: str, format: ExportFormat) -> BinaryIO:
    """The exported snapshot as a zip file that deletes itself when it is closed."""
    archive = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the caller reads and closes it; Streamlit takes no buffered one
    with tempfile.TemporaryDirectory(prefix="winnow-export-") as folder:
        export_snapshot(project, id, format, Path(folder) / "export")
        packed = shutil.make_archive(str(Path(folder) / "packed"), "zip", Path(folder) / "export")
        with open(packed, "rb") as file:
            shutil.copyfileobj(file, archive)
    archive.seek(0)
    return archive
