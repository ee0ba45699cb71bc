"""Check panel: one kind of finding on the report: what it is, how many rows, examples, and where the line is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pipelines.curation.recipe import load_recipe, save_recipe
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from workbench import charts, pages, queries
from workbench.excerpt import excerpt_html
from workbench.fix_dialog import fix_button
from workbench.words import count, escaped, share


def check_panel(project: Project, check: dict[str, Any], rows: int) -> None:
    """Draws one entry of the report's checks."""
    name = check["check"]
    with st.container(border=True, key=f"check-{name}"):
        left, right = st.columns([3, 1.25], gap="large")
        with left.container(gap="xsmall"):
            st.markdown(f"**{escaped(check['title'])}**")
            st.markdown(escaped(check["effect"] or check["summary"]))
        with right.container(gap="xsmall"):
            st.markdown(f"**{check['flagged']:,}** of {rows:,} rows ({share(check['flagged'], rows)})")
            st.progress(check["flagged"] / max(rows, 1))
            if check["undecided"]:
                pages.link("review", f"Review {_these(check['undecided'])}", project, check=name)
                fix_button(project, name, check["undecided"])
            else:
                st.caption("All of them are decided.")
        with left:
            details = st.expander("Examples, and where the line is drawn", key=f"details-{name}", on_change="rerun", type="compact")
        if details.open:
            with details:
                _details(project, check)


def _these(rows: int) -> str:
    return "this row" if rows == 1 else f"these {rows:,} rows"


def _details(project: Project, check: dict[str, Any]) -> None:
    st.caption(escaped(f"What is measured: {check['summary']} {check['advice'].removeprefix(check['effect'])}"))
    examples, line = st.columns([3, 2], gap="large")
    with examples:
        for example in check["examples"]:
            st.html(excerpt_html(example))
    with line:
        threshold_control(project, check)


def threshold_control(project: Project, check: dict[str, Any]) -> None:
    """A slider for the threshold with the count it gives. Only the recipe is written; nothing is measured again."""
    name, threshold = check["check"], float(check["threshold"])
    above = check["direction"] == "above"
    found = queries.value_range(str(project.folder), project.revision, name)
    low, high = min(found["low"], threshold), max(found["high"], threshold)
    st.markdown(f"A row is found when its value is **{'above' if above else 'below'}** the line.")
    charts.value_bars(found["bars"], threshold, unit=check["unit"], above=above)
    if low < high:
        step = max(1.0, round((high - low) / 500)) if found["whole"] else (high - low) / 200
        st.slider(
            f"The line, in {check['unit']}", low, high, threshold, step=step, key=f"threshold-{name}",
            format="%d" if found["whole"] and step >= 1 else "%.3g", on_change=_move_line, args=(project, name),
        )  # fmt: skip
    st.markdown(f"**{count(check['flagged'], 'row')}** of {found['rows']:,} measured.")
    with st.container(horizontal=True):
        st.button(
            "Back to the usual line",
            key=f"usual-{name}",
            on_click=_usual_line,
            args=(project, name),
            type="tertiary",
            icon=":material/undo:",
        )
        st.button(
            "Do not look for this",
            key=f"off-{name}",
            on_click=switch_check,
            args=(project, name, False),
            type="tertiary",
            icon=":material/visibility_off:",
        )


def _move_line(project: Project, name: str) -> None:
    recipe = load_recipe(project)
    save_recipe(project, replace(recipe, thresholds=recipe.thresholds | {name: float(st.session_state[f"threshold-{name}"])}))


def _usual_line(project: Project, name: str) -> None:
    recipe = load_recipe(project)
    save_recipe(project, replace(recipe, thresholds={k: v for k, v in recipe.thresholds.items() if k != name}))
    st.session_state.pop(f"threshold-{name}", None)


def switch_check(project: Project, name: str, on: bool) -> None:
    """Has a check raise issues or not; a button's callback."""
    recipe = load_recipe(project)
    others = tuple(n for n in recipe.disabled if n != name)
    try:
        save_recipe(project, replace(recipe, disabled=others if on else (*others, name)))
    except WorkbenchError as error:
        st.toast(escaped(error))
