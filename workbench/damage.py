"""Damage: what is shown when a project's files cannot be read."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import sqlalchemy as sa
import streamlit as st

UNREADABLE = (sa.exc.DatabaseError, duckdb.Error, pa.ArrowException, json.JSONDecodeError, OSError)
"""What the storage layer raises when a project's files are damaged or gone."""


def unreadable(error: Exception) -> None:
    """Says that the project's files cannot be read, and which next steps there are."""
    st.error("**This project cannot be read.** One of its files is damaged or missing.", icon=":material/error:")
    st.markdown(
        "Files under `measurements` and `features` can be deleted; the next scan makes them again. "
        "`project.db`, `records` and `sources` cannot be made again: restore them from a backup."
    )
    with st.expander("What the storage said"):
        st.code(f"{type(error).__name__}: {error}", language=None, wrap_lines=True)
