"""Curate: what is left out, what is kept, and the snapshots made of it."""

from __future__ import annotations

import streamlit as st

from pipelines.curation.recipe import Recipe, load_recipe, save_recipe, strict_recipe
from pipelines.curation.snapshot import list_snapshots
from pipelines.store.project import Project
from workbench import pages, queries
from workbench.bulk import bulk_history
from workbench.frame import head, project_with_rows
from workbench.funnel import funnel_html
from workbench.job_progress import begin, job_panel, latest_job
from workbench.recipe_form import recipe_form
from workbench.snapshot_card import snapshot_card
from workbench.words import count


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Curate")
    if project is None:
        return
    head(
        "Curate", "Decide what is left out and freeze the rest. A snapshot never changes, so that a model can always be traced to its rows."
    )
    recipe = load_recipe(project)
    counts = queries.funnel(str(project.folder), project.revision, recipe.to_json())
    job = latest_job(project, "snapshot")
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        st.subheader("The recipe", anchor=False)
        recipe_form(project, recipe)
    with right:
        st.subheader("What it keeps", anchor=False)
        st.html(funnel_html(counts))
        _footnotes(project, counts)
        _with_findings(project, recipe, counts["kept"])
        _freeze(project, recipe, counts["kept"], is_busy=job is not None and not job.is_finished)
        if job is not None:
            job_panel(job)
    _snapshots(project)


def _footnotes(project: Project, counts: dict[str, int]) -> None:
    notes = []
    if counts["edited"]:
        notes.append(f"{count(counts['edited'], 'kept row')} with edited text.")
    if counts["spared"]:
        notes.append(f"{count(counts['spared'], 'row')} kept although a repeat, because the row repeated is left out for another reason.")
    if queries.unscanned_rows(str(project.folder), project.revision, rules=False):
        notes.append("Some rows have not been scanned yet, so no check can leave them out.")
    elif queries.unscanned_rows(str(project.folder), project.revision):
        notes.append("A rule has not looked at all rows yet: run it on the page Rules.")
    if notes:
        st.caption(" ".join(notes))


def _with_findings(project: Project, recipe: Recipe, kept: int) -> None:
    """How many of the kept rows the report does not call ready, and the button that leaves them out too."""
    if recipe.undecided == "drop" or not kept:
        return
    strict = strict_recipe(recipe)
    more = kept - queries.funnel(str(project.folder), project.revision, strict.to_json())["kept"]
    if more <= 0:
        return
    with st.container(border=True, key="with-findings"):
        st.markdown(
            f"**{count(more, 'row')}** of these {kept:,} {'has' if more == 1 else 'have'} a finding that nobody has decided about. "
            "The report does not count them as ready."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            pages.link("report", "See the findings", project)
            st.button("Leave them out", key="strict", on_click=save_recipe, args=(project, strict))


def _freeze(project: Project, recipe: Recipe, kept: int, *, is_busy: bool) -> None:
    first = not any(project.snapshots_folder.glob("[!.]*/manifest.json"))
    st.button(
        f"Freeze snapshot of {count(kept, 'row')}",
        type="primary" if first or not is_busy else "secondary",
        icon=":material/ac_unit:",
        disabled=is_busy or kept == 0,
        key="freeze",
        on_click=begin,
        args=(project, "snapshot", {"recipe": recipe.to_json()}, "Freeze snapshot"),
    )
    if kept == 0:
        st.markdown("The recipe leaves nothing to train on. Take a check off the list, or keep some rows in the review.")
        pages.link("review", "Review rows", project)


def _snapshots(project: Project) -> None:
    snapshots = list_snapshots(project)[::-1]
    if snapshots:
        st.subheader("Snapshots", anchor=False)
    for manifest in snapshots:
        snapshot_card(project, manifest, is_newest=False)
    with st.expander("Decisions about many rows at once", icon=":material/history:"):
        bulk_history(project, limit=50)
        st.caption("Single decisions are undone on the page Review.")
