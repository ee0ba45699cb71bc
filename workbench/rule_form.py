"""Rule form: the usual kinds of rules for people who do not write YAML. What it makes is added to the file like any other rule."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.rules.rule import NUMBER
from pipelines.rules.rule_file import load_rules, rules_text, save_rules
from pipelines.rules.text_pattern import of_examples
from pipelines.store.project import Project
from workbench.words import SEVERITY_WORDS, escaped

_KINDS = {
    "forbid": "These words must not be said",
    "require": "This must be said",
    "glossary": "Say this instead of that",
    "numbers": "These numbers must not be learned (patients, contracts, cases)",
    "words": "So many words, no more or less",
    "labels": "The answer is one of these",
}
_HELP = {
    "forbid": "One word or phrase a line.",
    "require": "One phrase a line; all of them must be there. For a disclaimer, write it as it must read.",
    "glossary": "One a line, such as: mailbox = mail account, inbox",
    "labels": "One label a line.",
    "numbers": "One example a line, such as MRN-0012345. Digits stand for any digits, letters for themselves.",
}


def rule_form(project: Project) -> None:
    """Draws the form."""
    new = content_hash(rules_text(project))[:8]  # in every key: the fields are empty again once a rule is added
    kind = st.selectbox("What does it ask for?", list(_KINDS), format_func=lambda k: _KINDS[k], key=f"rule-kind-{new}") or "forbid"
    with st.form(f"rule-form-{new}", border=False, enter_to_submit=False):
        title = st.text_input(
            "Name of the rule", key=f"rule-title-{new}", max_chars=100, placeholder="Patient numbers" if kind == "numbers" else "No slang"
        )
        demand = _demand(kind, new)
        left, right = st.columns(2, gap="large")
        with left:
            severity = st.radio(
                "How serious is it?", list(SEVERITY_WORDS), index=1, format_func=lambda s: SEVERITY_WORDS[s], key=f"rule-severity-{new}",
                help="Rows that break a serious rule are left out of a snapshot unless someone keeps them.",
            )  # fmt: skip
        with right:
            when = st.text_input(
                "Only when the question contains (optional)",
                key=f"rule-when-{new}",
                help="A word, or several with | between them: dose|tablet",
            )
        if st.form_submit_button("Add the rule", type="primary"):
            _add(project, title, kind, demand, severity or "warning", when)


def _demand(kind: str, new: str) -> Any:
    if kind == "words":
        least, most = st.columns(2)
        with least:
            low = int(st.number_input("At least", 0, 100_000, 0, key=f"rule-least-{new}"))
        with most:
            high = int(st.number_input("At most", 1, 100_000, 120, key=f"rule-most-{new}"))
        return {"min": low, "max": high}
    lines = [line.strip() for line in st.text_area(_HELP[kind], key=f"rule-lines-{kind}-{new}", height=110).splitlines() if line.strip()]
    if kind != "glossary":
        return lines
    pairs = [line.partition("=") for line in lines]
    return [{"use": use.strip(), "instead_of": [term.strip() for term in terms.split(",") if term.strip()]} for use, _, terms in pairs]


def _add(project: Project, title: str, kind: str, demand: Any, severity: str, when: str) -> None:
    import yaml

    if not title.strip() or not demand:
        st.error("Give the rule a name and say what it asks for.")
        return
    asks = _numbers(demand) if kind == "numbers" else {kind: demand}
    rule: dict[str, Any] = {"id": _free_id(project, title), "title": title.strip(), "severity": severity, **asks}
    if when.strip():
        rule["when"] = {"prompt_matches": f"(?i){when.strip()}"}
    text = rules_text(project).rstrip()
    added = yaml.safe_dump([rule], allow_unicode=True, sort_keys=False, width=10_000)
    body = "\n".join(f"  {line}" for line in added.splitlines())
    begun = "rules:" if not text or re.fullmatch(r"rules:\s*(\[\])?", text) else text
    try:
        save_rules(project, f"{begun}\n{body}\n")
    except WorkbenchError as error:
        st.error(escaped(error))
        return
    st.rerun()


def _numbers(examples: list[str]) -> dict[str, Any]:
    """A rule about numbers of the project's own, wherever they are said, and what takes their place."""
    letters = re.match(r"[^\d\s]*", examples[0])
    return {"on": "turns", "forbid_pattern": of_examples(examples), "replace": f"{letters.group() if letters else ''}{NUMBER}"}


def _free_id(project: Project, title: str) -> str:
    """An id made of the title's words that no rule has yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:48] or "rule"
    taken = {rule.id for rule in load_rules(project)}
    return next(id for n in range(1, len(taken) + 2) if (id := plain if n == 1 else f"{plain}-{n}") not in taken)
