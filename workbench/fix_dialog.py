"""Fix dialog: what an automatic fix would change, on real rows, before it is applied to all of a finding."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import streamlit as st

from pipelines.checks.unknown_role import USUAL_ROLE
from pipelines.curation.fixes import UNKNOWN_ROLE, preview_fix, unknown_roles
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project
from workbench.excerpt import ROLE_WORDS
from workbench.job_progress import begin
from workbench.role_form import role_form
from workbench.word_changes import word_changes
from workbench.words import count, escaped

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_AROUND = 90
"""Characters shown before and after what changes."""
_MOST_ROLES = 12
_LONGEST = 20_000
"""Characters of a text that are compared word by word; of a longer one those from shortly before the first change."""
_CONTEXT = 1_000


def fix_button(project: Project, name: str, rows: int) -> None:
    """A button that opens the dialog, for a check that has a fix."""
    check = known_checks(project).get(name)
    fix = check.fix if check else None
    if fix and rows and st.button(fix.title, key=f"fix-{name}", icon=":material/auto_fix_high:", type="tertiary"):
        _dialog(project, name)


@st.dialog("Mend rows", width="medium")
def _dialog(project: Project, name: str) -> None:
    what = st.empty()
    roles = _roles(project) if name == UNKNOWN_ROLE else None
    with st.spinner("Trying it on the rows", show_time=True):
        seen = preview_fix(project, name, roles=roles)
    what.markdown(f"**{escaped(seen['title'])}.** {escaped(seen['description'])}")
    st.markdown(_reach(seen, roles))
    if not seen["fixable"]:
        return
    config = {"check": name} if roles is None else {"check": name, "roles": roles}
    st.button(
        f"Mend {'them' if seen['fixable'] > 1 else 'it'}", type="primary", key="fix-apply", icon=":material/auto_fix_high:",
        on_click=begin, args=(project, "fix", config, seen["title"]),
    )  # fmt: skip
    st.caption("The rows stay undecided and can still be reviewed. Everything can be taken back at once, and the originals are kept.")
    if len(seen["examples"]) < seen["fixable"]:
        st.caption(f"{len(seen['examples'])} of them, drawn by chance:")
    with st.container(height=420, border=False):
        for example in seen["examples"]:
            st.html("".join(change_html(change) for change in example["changes"]))
    if st.session_state.get("fix-apply"):
        st.rerun()  # closes the dialog; the page shows the progress


def _roles(project: Project) -> dict[str, str]:
    """What the visitor says about the roles that the rows still have."""
    found = unknown_roles(project)
    labels = {role: f"{role}, in {count(rows, 'row')}" for role, rows in list(found.items())[:_MOST_ROLES]}
    if len(found) > _MOST_ROLES:
        st.caption(f"The {_MOST_ROLES} most frequent of {len(found):,} roles. The others come once these are named.")
    return role_form(labels, USUAL_ROLE, "fix", a_line=2) if labels else {}


def _reach(seen: dict[str, Any], roles: dict[str, str] | None) -> str:
    rows, tried, fixable = seen["rows"], seen["tried"], seen["fixable"]
    if not rows:
        return "No undecided row has this finding any more."
    if not fixable and roles is not None:
        return "It mends no row yet: say above what each of its roles is."
    if tried < rows:
        return f"Of {count(tried, 'row')} drawn by chance from {rows:,} undecided ones it mends **{fixable:,}**. The others need a person."
    if not fixable:
        return f"It can mend none of the {count(rows, 'undecided row')}: they need a person."
    left = "" if fixable == rows else " The others need a person."
    return f"It mends **{fixable:,}** of {count(rows, 'undecided row')}.{left}"


def change_html(change: dict[str, Any]) -> str:
    """One changed turn as safe HTML: what goes is struck through, what comes is underlined, the rest is cut to the words around."""
    before, after = change["before"], change["after"]
    role = ROLE_WORDS.get((before or after).partition(":")[0], "")
    if before and after and before.partition(": ")[0] == after.partition(": ")[0]:  # the same speaker says something else
        before, after = before.partition(": ")[2], after.partition(": ")[2]
    return f'<article class="excerpt change"><p class="where">{escape(role)}</p><p class="words">{_marked(before, after)}</p></article>'


def _marked(before: str, after: str) -> str:
    start = 0
    if is_cut := max(len(before), len(after)) > _LONGEST:
        same = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
        start = max(0, same - _CONTEXT)
        is_cut = max(len(before), len(after)) > start + _LONGEST
    old, new = (_WORD.findall(text[start : start + _LONGEST]) for text in (before, after))
    changes = word_changes(old, new)
    if is_cut and changes[-1][0] != "equal" and sum(kind != "equal" for kind, *_ in changes) > 1:
        changes.pop()  # where the pieces end, not what the fix did
    parts = []
    for kind, i, j, k, end in changes:
        gone, come = "".join(old[i:j]), "".join(new[k:end])
        if kind == "equal":
            parts.append(escape(_cut(gone, is_first=i == 0, is_last=j == len(old))))
        else:
            parts.append((f"<del>{_visible(gone)}</del>" if gone else "") + (f"<ins>{_visible(come)}</ins>" if come else ""))
    marked = "".join(parts)
    return f"{marked}…" if is_cut and not marked.endswith("…") else marked


def _visible(text: str) -> str:
    """A changed piece; a line break that comes or goes is shown by its sign."""
    return escape(text).replace("\n", "↵\n")


def _cut(text: str, *, is_first: bool, is_last: bool) -> str:
    """The words next to a change: before the first, after the last, or both ends between two."""
    if (is_first and is_last) or len(text) <= 2 * _AROUND:
        return text[: 2 * _AROUND] + ("…" if len(text) > 2 * _AROUND else "")
    if is_first:
        return "…" + text[-_AROUND:]
    return text[:_AROUND] + ("…" if is_last else " … " + text[-_AROUND:])
