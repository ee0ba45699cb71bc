"""Table: an evaluation as text for a terminal or a report."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pipelines.evaluation.intervals import FEWEST_PAIRS, Estimate

_HEAD = ("score", "base model", "after training", "change", "")
_RULE_HEAD = ("rule", "rows brought in", "rows trained on", "base model", "after training", "change", "")
OUTDATED = "This run was trained further after this evaluation: evaluate again."
_RULES = "How often the project's rules are broken, of the rows and answers they apply to:"


def render_table(evaluation: dict[str, Any], style: Literal["plain", "markdown"] = "plain") -> str:
    """The scores before and after with their 95 % intervals, and in words what they show."""
    draw = _markdown if style == "markdown" else _columns
    table = draw([_HEAD, *(_row(evaluation, name) for name in evaluation["metrics"])])
    rules = [_RULES, draw([_RULE_HEAD, *map(_rule_row, evaluation["rules"])])] if evaluation.get("rules") else []
    outdated = [OUTDATED] if evaluation.get("is_outdated") else []
    return "\n\n".join([headline(evaluation), *outdated, table, *rules, *_remarks(evaluation)]) + "\n"


def headline(evaluation: dict[str, Any]) -> str:
    """What an evaluation shows, in one or two sentences."""
    counts = Counter(evaluation["verdicts"].values())
    told = [f"{counts[word]} of {len(evaluation['verdicts'])} scores are {word}" for word in ("better", "worse") if counts[word]]
    shown = ", ".join(told) if told else "no difference shown in any score"
    n = evaluation["n"]
    return f"{evaluation['run']} on {n:,} {'row' if n == 1 else 'rows'} of {evaluation['on_name']}, none of them seen in training: {shown}."


def _row(evaluation: dict[str, Any], name: str) -> tuple[str, ...]:
    metric = evaluation["metrics"][name]
    before, after, difference = (Estimate.from_json(evaluation[part][name]) for part in ("before", "after", "difference"))
    title = metric["title"] + (" (lower is better)" if metric["direction"] == "lower" else "")
    is_share = metric["is_share"]
    return (
        title,
        shown_estimate(before, is_share),
        shown_estimate(after, is_share),
        shown_estimate(difference, is_share, signed=True),
        evaluation["verdicts"][name],
    )


def _rule_row(found: dict[str, Any]) -> tuple[str, ...]:
    shares = (shown_estimate(Estimate.from_json(found[part]), True) for part in ("raw", "curated", "before", "after"))
    return found["title"], *shares, shown_estimate(Estimate.from_json(found["difference"]), True, signed=True), found["verdict"]


def shown_estimate(estimate: Estimate, is_share: bool, *, signed: bool = False) -> str:
    """An estimate with its interval: 35 % (26 to 45), or 1.52 (1.40 to 1.64) for what is no share; a change with its sign, in points."""
    if estimate.mean is None:
        return "not measured"
    mean = _number(estimate.mean, is_share, signed) + ("" if not is_share else " points" if signed else " %")
    if estimate.low is None or estimate.high is None:
        return f"{mean} (no interval)"
    return f"{mean} ({_number(estimate.low, is_share, signed)} to {_number(estimate.high, is_share, signed)})"


def _number(value: float, is_share: bool, signed: bool) -> str:
    digits = 0 if is_share else 2
    scaled = round(value * 100 if is_share else value, digits) + 0.0  # no "-0"
    return f"{scaled:+.{digits}f}" if signed and scaled else f"{scaled:.{digits}f}"


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _markdown(rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _remarks(evaluation: dict[str, Any]) -> list[str]:
    left_out = [f"{count:,} {reason}" for reason, count in evaluation["excluded"].items()]
    if evaluation["not_drawn"]:
        left_out.append(f"{evaluation['not_drawn']:,} not drawn")
    remarks = [
        "In brackets: the 95 % interval. A difference is shown only when the interval of the change does not contain 0 "
        f"and at least {FEWEST_PAIRS} rows were compared. "
        f"Of {len(evaluation['verdicts'])} scores, about one in twenty would seem to differ by chance alone."
    ]
    if left_out:
        remarks.append(f"Left out of {evaluation['rows']:,} rows: {', '.join(left_out)}.")
    return [*remarks, *evaluation["notes"]]
