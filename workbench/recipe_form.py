"""Recipe form: what a snapshot leaves out and how it is split. Every change is saved at once and measures nothing again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pipelines.curation.recipe import Recipe, load_recipe, save_recipe
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from workbench import queries
from workbench.words import escaped, percent

_UNDECIDED = {
    "keep": "Keep them unless a check below finds something in them",
    "drop": "Leave them out: only rows someone kept are trained on",
}
_NO_COLUMN = "(none)"


def recipe_form(project: Project, recipe: Recipe) -> None:
    """Draws the fields with the project's recipe in them."""
    table = queries.issue_table(str(project.folder), project.revision).set_index("check")
    found = [name for name in recipe.enabled if table["flagged"].get(name, 0)]
    for key, value in _values(recipe, found).items():
        st.session_state[f"recipe-{key}"] = value
    st.radio(
        "Rows nobody has decided about",
        list(_UNDECIDED),
        format_func=lambda k: _UNDECIDED[k],
        key="recipe-undecided",
        on_change=_save,
        args=(project, "undecided"),
    )
    st.pills(
        "Findings whose rows are left out, unless someone kept them",
        found,
        selection_mode="multi",
        key="recipe-drop",
        wrap=True,
        format_func=lambda name: f"{recipe.enabled[name].title} ({int(table['flagged'][name]):,})",
        on_change=_save,
        args=(project, "drop", tuple(found)),
        disabled=recipe.undecided == "drop" or not found,
    )
    if not found:
        st.caption("No check has found anything.")
    st.slider(
        "How the kept rows are shared out",
        0,
        100,
        key="recipe-split",
        step=1,
        format="%d %%",
        on_change=_save,
        args=(project, "split"),
        help="Left of the first handle: rows to train on. Between the handles: rows to check progress with. "
        "Right of the second: rows for the final test.",
    )
    train, validation, test = recipe.split
    st.caption(
        f"**{percent(train)}** to train · **{percent(validation)}** to validate while training · **{percent(test)}** for the final test"
    )
    with st.expander("More", type="compact"):
        columns = queries.meta_columns(str(project.folder), project.revision)
        st.selectbox(
            "Keep rows together that share a value in this column",
            [_NO_COLUMN, *columns],
            key="recipe-group_by",
            on_change=_save,
            args=(project, "group_by"),
            help="For example the customer or the document a row came from. "
            "Rows of one customer in both training and test make the test too easy.",
        )
        st.number_input(
            "Seed",
            min_value=0,
            step=1,
            key="recipe-seed",
            on_change=_save,
            args=(project, "seed"),
            help="The same rows, decisions and seed always give the same splits.",
        )


def _values(recipe: Recipe, found: list[str]) -> dict[str, Any]:
    return {
        "undecided": recipe.undecided,
        "drop": [name for name in found if name in recipe.drop],
        "split": (round(100 * recipe.split[0]), round(100 * (recipe.split[0] + recipe.split[1]))),
        "group_by": recipe.group_by or _NO_COLUMN,
        "seed": recipe.seed,
    }


def _save(project: Project, name: str, shown: tuple[str, ...] = ()) -> None:
    value = st.session_state[f"recipe-{name}"]
    recipe = load_recipe(project)
    try:
        if name == "split":
            train, until_test = (round(edge) for edge in value)
            changed = replace(recipe, split=(train / 100, (until_test - train) / 100, (100 - until_test) / 100))
        elif name == "drop":
            unseen = [kept for kept in recipe.drop if kept not in shown]  # without findings now, or switched off
            changed = replace(recipe, drop=tuple(sorted({*value, *unseen})))
        elif name == "group_by":
            changed = replace(recipe, group_by=None if value == _NO_COLUMN else value)
        else:
            changed = replace(recipe, **{name: value})
    except WorkbenchError as error:
        st.toast(escaped(error))
        return
    save_recipe(project, changed)
