"""Rule list: each rule of a project, how many rows break it, and whether it does what its examples say."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pipelines.curation.recipe import load_recipe
from pipelines.errors import WorkbenchError
from pipelines.rules.rule import Rule
from pipelines.rules.rule_file import remove_rule
from pipelines.rules.rule_run import try_examples
from pipelines.store.project import Project
from workbench import pages, queries
from workbench.fix_dialog import fix_button
from workbench.rule_editor import open_editor
from workbench.words import SEVERITY_WORDS, count, escaped, share

_ABOUT = {
    "answer": "the answer",
    "answers": "every answer",
    "prompt": "the question",
    "system": "the instructions",
    "turns": "all that is said",
}


def unmeasured_rules(project: Project, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that have not looked at every part of the rows."""
    parts = [part.name for part in project.record_parts]
    folders = {rule.id: project.measurements_folder / rule.as_check().key for rule in rules}
    return [rule for rule in rules if not all((folders[rule.id] / part).is_file() for part in parts)]


def rule_list(project: Project, rules: Sequence[Rule]) -> None:
    """Draws the rules in the order of the file."""
    table = queries.issue_table(str(project.folder), project.revision)
    found = {} if table.empty else table.set_index("check")[["flagged", "undecided", "measured"]].to_dict("index")
    disabled = load_recipe(project).disabled
    for rule in rules:
        with st.container(border=True, key=f"rule-{rule.id}"):
            left, right = st.columns([3, 1.25], gap="large")
            with left.container(gap="xsmall"):
                st.markdown(f"**{escaped(rule.title)}**")
                st.caption(f"{SEVERITY_WORDS[rule.severity]} · about {_ABOUT[rule.on]} · `{rule.id}`")
                if rule.message:
                    st.markdown(escaped(rule.message))
                _examples(rule)
            with right.container(gap="xsmall"):
                _count(project, rule, found.get(rule.name, {}), is_off=rule.name in disabled)
                with st.container(horizontal=True):
                    st.button("Change", key=f"change-{rule.id}", type="tertiary", icon=":material/edit:", on_click=open_editor)
                    st.button(
                        "Remove",
                        key=f"remove-{rule.id}",
                        type="tertiary",
                        icon=":material/delete:",
                        on_click=_remove,
                        args=(project, rule),
                    )


def _remove(project: Project, rule: Rule) -> None:
    try:
        remove_rule(project, rule.id)
    except WorkbenchError as error:
        st.toast(escaped(error), icon=":material/error:")
        return
    st.toast(f"“{escaped(rule.title)}” is removed. The rules before it are among the earlier versions.", icon=":material/check:")


def _count(project: Project, rule: Rule, found: dict[str, int], *, is_off: bool) -> None:
    measured = found.get("measured", 0)
    if is_off:
        st.caption("Switched off on the Report page.")
    elif not measured:
        st.caption("It has not looked at a row yet, or applies to none.")
    else:
        st.markdown(f"**{found['flagged']:,}** of {count(measured, 'row')} break it ({share(found['flagged'], measured) or '0 %'})")
        if found["undecided"]:
            pages.link("review", f"Review {found['undecided']:,}", project, check=rule.name)
            fix_button(project, rule.name, found["undecided"])


def _examples(rule: Rule) -> None:
    verdicts = try_examples([rule])
    wrong = [verdict for verdict in verdicts if not verdict.is_right]
    for verdict in wrong:
        ends = f"should pass, but: {verdict.breaches[0]}" if verdict.should_pass else "should break the rule, and does not"
        st.markdown(f":red[:material/close:] “{escaped(verdict.text[:120])}” {escaped(ends)}")
    if verdicts and not wrong:
        st.caption(f":green[:material/check:] {count(len(verdicts), 'example')} came out right.")
