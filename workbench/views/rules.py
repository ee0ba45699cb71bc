"""Rules: what every row and every answer of a model must keep to."""

from __future__ import annotations

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.rules.rule import Rule
from pipelines.rules.rule_file import load_rules
from pipelines.store.project import Project
from workbench import context
from workbench.frame import empty_state, head
from workbench.job_progress import begin, job_panel, latest_job
from workbench.rule_editor import rule_editor
from workbench.rule_form import rule_form
from workbench.rule_list import rule_list, unmeasured_rules
from workbench.words import count, escaped


def page() -> None:
    """Draws the page."""
    project = context.current_project()
    if project is None:
        head("Rules")
        empty_state("No project is open", "Rules belong to a project.", "data", "Open or create a project")
        return
    head(
        "Rules",
        "What your field requires of every answer. A rule finds the rows that break it, and later counts how often the model breaks it, "
        "before and after training.",
    )
    try:
        rules = load_rules(project)
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
        rule_editor(project, is_open=True)
        return
    job = latest_job(project, "scan")
    for shown in (job, latest_job(project, "fix")):
        if shown is not None:
            job_panel(shown)
    if project.is_empty:
        st.caption("Bring in a file first to see which rows break a rule; rules can be written before.")
    if rules:
        _run(project, rules, is_busy=job is not None and not job.is_finished)
        rule_list(project, rules)
    else:
        st.markdown("There are no rules yet. Write the first one here; it can be changed or taken back at any time.")
    with st.expander("Add a rule", icon=":material/add:", expanded=not rules, key="rule-add"):
        rule_form(project)
    rule_editor(project)


def _run(project: Project, rules: list[Rule], *, is_busy: bool) -> None:
    waiting = unmeasured_rules(project, rules)
    if not waiting or project.is_empty or is_busy:
        return
    with st.container(border=True, key="next-step", horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{count(len(waiting), 'rule')}** {'has' if len(waiting) == 1 else 'have'} not looked at all rows yet.", width="stretch"
        )
        st.button(
            "Run the rules", type="primary", icon=":material/play_arrow:", key="run-rules",
            on_click=begin, args=(project, "scan", {"checks": [rule.name for rule in waiting]}, "Run the rules"),
        )  # fmt: skip
