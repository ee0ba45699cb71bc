"""Role form: the visitor says what roles are that no chat template knows."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from workbench.words import escaped

_CHOICES = {
    "": "Leave it as it is",
    "user": "The user: asks",
    "assistant": "The assistant: answers, and is what the model learns",
    "system": "Instructions",
    "tool": "What a tool answered",
}
_A_LINE = 4


def role_form(labels: Mapping[str, str], said: Mapping[str, str], key: str, *, a_line: int = _A_LINE) -> dict[str, str]:
    """Draws one choice for each role of `labels` (role to the words shown). Returns the roles chosen, by their names in small letters.

    `said` is what is chosen at first. `key` begins the keys of the widgets.
    """
    chosen = {}
    choices = list(_CHOICES)
    places = st.columns(min(len(labels), a_line))
    for i, (name, label) in enumerate(labels.items()):
        plain = name.strip().lower()
        with places[i % len(places)]:
            role = st.selectbox(
                escaped(label),
                choices,
                index=choices.index(said.get(plain, "")),
                key=f"{key}-role-{name}",
                format_func=_CHOICES.__getitem__,
            )
        if role:
            chosen[plain] = role
    return chosen
