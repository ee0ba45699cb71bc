"""Rule editor: the project's rules.yaml as text, with its earlier versions."""

from __future__ import annotations

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.rules.rule_file import earlier_versions, rules_text, save_rules, version_text
from pipelines.store.project import Project
from workbench.words import escaped, when

_EXAMPLE = """rules:
  - id: no-slang
    title: No slang
    severity: warning
    forbid: [gonna, wanna]
    tests:
      pass: ["We will call you."]
      fail: ["We're gonna call you."]
"""
MOST_CHARACTERS = 200_000
_OPEN = "rules-text-open"


def open_editor() -> None:
    """Shows the text when the page is drawn next."""
    st.session_state[_OPEN] = True


def rule_editor(project: Project, *, is_open: bool = False) -> None:
    """Draws the text, what is wrong with it, and how to bring an earlier one back."""
    text = rules_text(project)
    is_open = is_open or st.session_state.pop(_OPEN, False)
    with st.expander("The rules as text", icon=":material/code:", expanded=is_open, key="rules-text"):
        st.caption("The file rules.yaml of the project. JSON Schema, patterns, formulas, reading level and examples are written here.")
        edited = st.text_area(
            "rules.yaml", value=text or _EXAMPLE, height=420, key=f"rules-{content_hash(text)}", label_visibility="collapsed",
            max_chars=MOST_CHARACTERS,
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if st.button("Save the rules", type="primary", key="rules-save", icon=":material/save:"):
                _save(project, edited or "")
            _earlier(project)


def _save(project: Project, text: str) -> None:
    try:
        save_rules(project, text)
    except WorkbenchError as error:
        st.error(f"{escaped(error)} Nothing was saved.", icon=":material/error:")
        return
    st.toast("The rules are saved.", icon=":material/check:")
    st.rerun()


def _earlier(project: Project) -> None:
    versions = {version.name: when(version.at) for version in earlier_versions(project)}
    if not versions:
        return
    with st.popover("Earlier versions", icon=":material/history:"):
        for name, at in list(versions.items())[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"Until {at}", width="stretch")
                st.button("Bring back", key=f"rules-back-{name}", type="tertiary", on_click=_bring_back, args=(project, name))


def _bring_back(project: Project, name: str) -> None:
    save_rules(project, version_text(project, name))
    st.toast("The earlier rules are back; those just replaced are kept too.")
