"""Evaluation panel: before and after with their intervals, what the difference shows, and the answers themselves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import streamlit as st

from pipelines.evaluation.intervals import FEWEST_PAIRS, Estimate
from pipelines.evaluation.table import OUTDATED, shown_estimate
from workbench import charts
from workbench.answer_pairs import answer_pairs
from workbench.words import count, escaped

_VERDICT_WORDS = {"better": "Better", "worse": "Worse", "no difference shown": "No difference shown"}


def evaluation_panel(found: dict[str, Any]) -> None:
    """Draws what `pipelines.evaluation.compare.read_evaluation` gives."""
    if found["is_outdated"]:
        st.warning(OUTDATED, icon=":material/history:")
    with st.container(key="headline"):
        st.markdown(headline(found))
    names = list(found["metrics"])
    charts.dot_and_whisker(_points(found, [n for n in names if found["metrics"][n]["is_share"]]))
    st.caption(
        "The dot is what was measured; the true value can well lie anywhere on its line (95 % interval). "
        f"Both models got the same questions. On fewer than {FEWEST_PAIRS} rows no change is claimed."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Measure": [found["metrics"][n]["title"] for n in names],
                "Before": [_shown(found, "before", n) for n in names],
                "After": [_shown(found, "after", n) for n in names],
                "Change": [_shown(found, "difference", n, signed=True) for n in names],
                "What it shows": [_VERDICT_WORDS.get(found["verdicts"][n], found["verdicts"][n]) for n in names],
                "Rows": [found["difference"][n]["n"] for n in names],
                "Better is": [found["metrics"][n]["direction"] for n in names],
                "How it is measured": [found["metrics"][n]["description"] for n in names],
            }
        ),
        hide_index=True, height="content", column_config={"How it is measured": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    _rules(found["rules"])
    _notes(found)
    answer_pairs(found)


def headline(found: dict[str, Any]) -> str:
    """The outcome in a sentence or two, as Markdown. It says "no difference shown" rather than "the same"."""
    tally = Counter(found["verdicts"].values())
    rows = count(found["n"], "test row") if found["on"] is None else f"{count(found['n'], 'row')} of {escaped(found['on_name'])}"
    parts = [f"{words} on {tally[verdict]}" for verdict, words in (("better", "better"), ("worse", "worse")) if tally[verdict]]
    shown = f"the tuned model is **{' and '.join(parts)}** of {len(found['verdicts'])} measures" if parts else "**no difference is shown**"
    left = f"; on {tally['no difference shown']} no difference is shown" if parts and tally["no difference shown"] else ""
    return f"On {rows}, {shown}{left}."


def _points(found: dict[str, Any], names: list[str]) -> pd.DataFrame:
    rows = []
    for name in names:
        for which, side in (("Before", "before"), ("After", "after")):
            value = found[side][name]
            if value["mean"] is not None:
                low, high = (value["mean"] if value[end] is None else value[end] for end in ("low", "high"))
                rows.append({"measure": found["metrics"][name]["title"], "which": which, "value": value["mean"], "low": low, "high": high})
    return pd.DataFrame(rows, columns=["measure", "which", "value", "low", "high"])


def _shown(found: dict[str, Any], side: str, name: str, *, signed: bool = False) -> str:
    return shown_estimate(Estimate.from_json(found[side][name]), found["metrics"][name]["is_share"], signed=signed)


def _rules(rules: list[dict[str, Any]]) -> None:
    if not rules:
        return
    st.subheader("Your rules", anchor=False)
    st.caption("How often each rule is broken, of the rows and answers it applies to, with the 95 % interval. Rules as they were then.")
    columns = {"Rows brought in": "raw", "Rows trained on": "curated", "Base model": "before", "Tuned model": "after"}
    shown = {title: [shown_estimate(Estimate.from_json(rule[part]), True) for rule in rules] for title, part in columns.items()}
    st.dataframe(
        pd.DataFrame(
            {
                "Rule": [rule["title"] for rule in rules],
                **shown,
                "Change": [shown_estimate(Estimate.from_json(rule["difference"]), True, signed=True) for rule in rules],
                "What it shows": [_VERDICT_WORDS.get(rule["verdict"], rule["verdict"]) for rule in rules],
            }
        ),
        hide_index=True, height="content",
    )  # fmt: skip


def _notes(found: dict[str, Any]) -> None:
    left_out = [f"{n:,} {escaped(reason)}" for reason, n in found["excluded"].items() if n]
    if left_out:
        st.caption(f"Left out of {found['rows']:,} rows: {', '.join(left_out)}.")
    if found["not_drawn"]:
        st.caption(f"{found['not_drawn']:,} more rows were not asked: {found['n']:,} were drawn by chance.")
    for note in found["notes"]:
        st.caption(escaped(note))
