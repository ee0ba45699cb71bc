"""Base form: the model to start from, by name."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from pipelines.models import BASE_MODEL
from workbench import context

LENGTHS = [256, 512, 1024, 2048, 4096, 8192]
"""Usual limits for a row, in tokens."""
_SHIPPED = "SmolLM2-135M-Instruct (comes with Winnow, small enough for a laptop)"
_OTHER = "Another model"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def choose_base(key: str = "base", *, named: str = BASE_MODEL) -> str | None:
    """Draws the choice, at first of the model `named`. Returns its name, or None while there is none. `key` tells two forms apart."""
    choice = st.selectbox("Model to start from", [_SHIPPED, _OTHER], index=int(named != BASE_MODEL), key=f"{key}-choice")
    if choice == _SHIPPED:
        return BASE_MODEL
    local = context.is_local()
    typed = (
        st.text_input(
            "Name on the Hugging Face hub, or a folder on this machine" if local else "Name on the Hugging Face hub",
            value="" if named == BASE_MODEL else named,
            placeholder="Qwen/Qwen3-0.6B",
            key=f"{key}-name",
        )
        or ""
    ).strip()
    if not typed:
        return None
    is_folder = Path(typed).expanduser().is_dir()
    if (local and is_folder) or (_HUB_ID.fullmatch(typed) and not is_folder):
        return typed
    st.error(
        "This is not the name of a model on the hub" + (" and not a folder on this machine." if local else ", such as Qwen/Qwen3-0.6B.")
    )
    return None
