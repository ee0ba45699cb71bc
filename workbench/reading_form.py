"""Reading form: the visitor says what the columns and roles of a source are, or takes a saved mapping that says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.sources.mappings import SavedMapping, delete_mapping, fitting_mappings, save_mapping
from pipelines.sources.rereading import Reading
from pipelines.store.project import Project
from workbench.role_form import role_form
from workbench.words import escaped

FORMAT_WORDS = {
    "openai": "Conversations with roles (OpenAI, Anthropic)",
    "sharegpt": "Conversations with speakers (ShareGPT)",
    "alpaca": "Instruction, input and output (Alpaca)",
    "qa": "Question and answer",
    "prompt_completion": "Prompt and completion",
    "preference": "Pairs of a better and a worse answer",
    "ranked_preference": "Several answers with scores, ranks or a choice",
    "unpaired_preference": "Answers marked as wanted or not wanted",
    "classification": "Texts with a label",
    "context_qa": "Questions with the text they are answered from",
    "nested_qa": "Passages with several questions each (SQuAD)",
    "alternating": "Lists of texts, user and assistant in turn (UltraChat)",
    "message_tree": "Trees of messages and replies (OpenAssistant)",
    "rendered": "Conversations written out as one text (a chat template)",
    "self_instruct": "Tasks with several examples each (self-instruct)",
}
_NOT_USED = "(not in this file)"
_NO_MAPPING = "None: recognise it from the rows"
_SAID = "reading-said"
"""Where a callback leaves its sentence: one that a fragment's callback draws itself would take the place of the page's style."""

Look = Callable[[Reading], Any]
"""What the rows would become under a reading: a `pipelines.sources.preview.Preview`. Raises WorkbenchError."""


def reading_form(project: Project, columns: Sequence[str], look: Look, key: str) -> tuple[Reading, Any]:
    """Draws the form. Returns what the visitor says and what becomes of the rows under it; None for a reading that does not fit.

    `key` begins the keys of all its widgets, so that another source begins anew.
    """
    if said := st.session_state.pop(_SAID, ""):
        st.toast(said)
    saved = _saved_mapping(project, columns, key)
    asked = _format(look, saved, key)
    try:
        first = look(Reading(asked, saved.mapping, {}))
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
        return Reading(asked), None
    if not first.format and first.guess and asked == "auto":
        saved = replace(saved, format=first.guess.format, mapping=first.guess.mapping)
        st.info(
            f"These columns have names of their own. They look like **{FORMAT_WORDS[saved.format].lower()}**: "
            "check below which column is what, and how the first rows read.",
            icon=":material/help:",
        )
        first = look(Reading(saved.format, saved.mapping, {}))
    if not first.format:
        return Reading(asked), first
    mapping = dict(saved.mapping) | _columns(first, f"{key}-{saved.name}")
    roles = _roles(first.unknown_roles, saved, f"{key}-{saved.name}")
    told = Reading(first.format if mapping else asked, mapping, roles)
    try:
        seen = look(told)
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
        return told, None
    _keep(project, told, columns, saved, key)
    return told, seen


def _saved_mapping(project: Project, columns: Sequence[str], key: str) -> SavedMapping:
    fitting = {mapping.name: mapping for mapping in fitting_mappings(project, columns)}
    if not fitting:
        return SavedMapping("")
    first = next(iter(fitting.values()))
    names = [_NO_MAPPING, *fitting]
    chosen = st.selectbox(
        "Saved mapping",
        names,
        index=1 if set(first.columns) == set(columns) else 0,
        key=f"{key}-saved",
        help="A file with these columns was read this way before.",
    )
    return fitting.get(chosen or "", SavedMapping(""))


def _format(look: Look, saved: SavedMapping, key: str) -> str:
    recognised = ""
    if saved.format == "auto":
        try:
            recognised = FORMAT_WORDS.get(look(Reading("auto", saved.mapping, {})).format, "")
        except WorkbenchError:
            recognised = ""
    words = {"auto": f"Recognised: {recognised}" if recognised else "Recognise it from the rows"} | FORMAT_WORDS
    options = list(words)
    asked = st.selectbox(
        "How the rows are read",
        options,
        index=options.index(saved.format),
        key=f"{key}-{saved.name}-format",
        format_func=lambda name: words[name],
    )
    return asked or "auto"


def _columns(seen: Any, key: str) -> dict[str, str]:
    """The columns the visitor chose where they differ from those recognised."""
    st.markdown("**Which column is what**")
    corrections = {}
    places = st.columns(min(max(len(seen.fields), 1), 4))
    for i, field in enumerate(seen.fields):
        found = seen.mapping.get(field)
        options = seen.columns if found else [_NOT_USED, *seen.columns]
        with places[i % len(places)]:
            column = st.selectbox(
                field.replace("_", " ").capitalize(),
                options,
                index=options.index(found) if found in options else 0,
                key=f"{key}-{seen.format}-{field}",
            )
        if column not in (found, _NOT_USED, None):
            corrections[field] = str(column)
    return corrections


def _roles(unknown: Sequence[str], saved: SavedMapping, key: str) -> dict[str, str]:
    """What the visitor says about roles that are not known."""
    if not unknown:
        return dict(saved.roles)
    st.markdown("**Who speaks.** These roles are not known. Say what each is: a row with a role that is not known cannot be trained.")
    return {**saved.roles, **role_form({name: name for name in unknown}, saved.roles, key)}


def _keep(project: Project, told: Reading, columns: Sequence[str], saved: SavedMapping, key: str) -> None:
    if not (told.mapping or told.roles):
        return
    with st.container(horizontal=True):
        with st.popover("Save this mapping", icon=":material/bookmark_add:", key=f"{key}-keep"):
            name = st.text_input("Name", value=saved.name, max_chars=64, key=f"{key}-{saved.name}-name", placeholder="Support exports")
            st.caption("It is offered when a file with the same columns comes, and used by `winnow import FILE --mapping NAME`.")
            st.button(
                "Save", key=f"{key}-save", type="primary", on_click=_save, args=(project, f"{key}-{saved.name}-name", told, tuple(columns)),
                disabled=not (name or "").strip(),
            )  # fmt: skip
        if saved.name:
            st.button("Delete this mapping", key=f"{key}-delete", type="tertiary", on_click=_delete, args=(project, saved.name))


def _save(project: Project, name_key: str, told: Reading, columns: tuple[str, ...]) -> None:
    name = str(st.session_state.get(name_key) or "").strip()
    try:
        save_mapping(project, SavedMapping(name, told.format, dict(told.mapping or {}), dict(told.roles or {}), columns))
    except WorkbenchError as error:
        st.session_state[_SAID] = escaped(error)
        return
    st.session_state[_SAID] = f"Saved as {escaped(name)}."


def _delete(project: Project, name: str) -> None:
    try:
        delete_mapping(project, name)
    except WorkbenchError as error:
        st.session_state[_SAID] = escaped(error)
