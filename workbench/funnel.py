"""Funnel: from all rows to those that are kept, with one bar for each reason a row is left out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from pipelines.checks import all_checks
from pipelines.rules.rule import PREFIX
from pipelines.rules.rule_file import OWN_CHECKS
from workbench.words import share

REASON_WORDS = {
    "decision": "Dropped by a person's decision",
    "undecided": "Nobody decided to keep them",
    **OWN_CHECKS,
    "duplicate_after_edit": "Read the same as another row after an edit",
}


def reason_words(reason: str) -> str:
    """A reason of `dropped` in plain words: a person's, the recipe's, or the title of the check."""
    checks = all_checks()
    if reason in checks:
        return checks[reason].title
    return REASON_WORDS.get(reason) or (f"Rule {reason.removeprefix(PREFIX)}" if reason.startswith(PREFIX) else reason)


def funnel_html(counts: Mapping[str, Any]) -> str:
    """The bars of `selection_counts`, as safe HTML. Each reason's bar begins where the one before it ended."""
    whole = max(counts["records"], 1)
    lines = [_line("All rows", counts["records"], 0.0, counts["records"] / whole, "all", "")]
    at = counts["records"]
    for reason, rows in counts["dropped"].items():
        at -= rows
        lines.append(_line(reason_words(reason), -rows, at / whole, rows / whole, "out", share(rows, counts["records"])))
    lines.append(_line("Kept", counts["kept"], 0.0, counts["kept"] / whole, "kept", share(counts["kept"], counts["records"])))
    return f'<div class="funnel" role="table">{"".join(lines)}</div>'


def _line(label: str, rows: int, start: float, width: float, kind: str, percent: str) -> str:
    number = f"−{-rows:,}" if rows < 0 else f"{rows:,}"
    return (
        f'<div class="line {kind}" role="row"><span class="label" role="rowheader">{escape(label)}</span>'
        f'<span class="track" role="presentation"><i style="left:{100 * start:.3f}%;width:{max(100 * width, 0.3):.3f}%"></i></span>'
        f'<span class="number" role="cell">{number}</span><span class="share" role="cell">{escape(percent)}</span></div>'
    )
