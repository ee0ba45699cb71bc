"""Review card: the queue, its keys and its undo, in the browser. See DESIGN.md section 7 for the protocol."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.components.review_card.modules import joined_modules

FOLDER = Path(__file__).parent
STYLES = ("card.css", "buttons.css", "reading.css", "compare.css", "panel.css", "screens.css")


def card_code() -> str:
    """The JavaScript of the card, with its style sheet as a text inside."""
    css = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in STYLES)
    return joined_modules(FOLDER, "engine.js", {"style.js": f"export const CARD_CSS = {json.dumps(css)};\n"})


@functools.cache
def _engine() -> Callable[..., Any]:
    import streamlit as st

    return st.components.v2.component("winnow_review_engine", js=card_code())


@functools.cache
def _door() -> Callable[..., Any]:
    import streamlit as st

    return st.components.v2.component("winnow_review_card", js=joined_modules(FOLDER, "door.js"))


def mount_engine() -> None:
    """Puts the code of the card on the page. Once a page, outside any fragment: it is what brings a fragment back after a restart."""
    _engine()(key="winnow_review_engine", on_woken_change=_nothing)


def mount_card(answer: Mapping[str, Any], *, key: str) -> Any:
    """The card with an answer for it (see workbench.review_session). Returns what it said last, or None."""
    return _door()(key=key, data=dict(answer), on_outbox_change=_nothing).outbox


@functools.cache
def _carrier() -> Callable[..., Any]:
    import streamlit as st

    return st.components.v2.component("winnow_review_carrier", js=joined_modules(FOLDER, "carrier.js"))


def mount_carrier(answer: Mapping[str, Any], *, key: str) -> Any:
    """Puts on a page without a card what brings unconfirmed decisions home. Returns what it said last, or None."""
    return _carrier()(key=key, data=dict(answer), on_outbox_change=_nothing).outbox


def _nothing() -> None:
    """Streamlit keeps a component's state only when somebody listens to it."""
