"""Report: what is in a project, what is wrong with it, and what to do first. For people, as one page to read or pass on."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from datetime import datetime
from typing import Any, Literal, get_args

import duckdb

from pipelines import __version__
from pipelines.curation.decisions import connect
from pipelines.curation.issue_index import add_issue_index, count_issues, issue_examples, measured_counts
from pipelines.curation.issues import SEVERITY_WEIGHT, cluster_names
from pipelines.curation.percent import percent
from pipelines.curation.profile import ageing_facts, profile, topics
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.curation.token_summary import token_sentences, token_summary
from pipelines.errors import WorkbenchError
from pipelines.store.database import now
from pipelines.store.project import Project

ReportFormat = Literal["html", "md", "json"]
SEVERITY_WORDS = {"error": "Serious", "warning": "Worth a look", "info": "For your information"}
READY_RULE = (
    "A row is ready when a person kept it, or when nobody decided and no finding of the kinds “serious” or “worth a look” is on it. "
    "Dropped rows do not count."
)
PAYOFF_RULE = "Order: undecided rows times the weight of the finding (serious 100, worth a look 10)."
_NEXT_STEPS = 5
_TOPIC_BARS = 24


def report(project: Project, recipe: Recipe | None = None) -> dict[str, Any]:
    """Everything the report page, its file and its JSON show, as JSON values. Counts of rows are of different records.

    ready + to look at + dropped = records.
    """
    recipe, tokens = recipe or load_recipe(project), token_summary(project)
    with connect(project) as connection:
        add_issue_index(connection, project, recipe)
        connection.execute(
            f"CREATE TEMP TABLE flagged AS SELECT DISTINCT i.id FROM issue_index i WHERE i.weight >= {SEVERITY_WEIGHT['warning']}"
        )
        totals = _totals(connection, project)
        checks = _checks(connection, project, recipe)
        ready = _readiness(connection, totals, checks)
        return {
            "project": project.name,
            "created_at": now(),
            "winnow": __version__,
            "totals": totals,
            "readiness": ready,
            "next_steps": _next_steps(checks),
            "checks": checks,
            "not_run": [{"check": c["check"], "title": c["title"]} for c in checks if not c["measured"]],
            "distributions": profile(project) + ([tokens["lengths"]] if tokens else []),
            "topics": topics(connection, cluster_names(project)),
            "facts": ageing_facts(project),
            "tokens": tokens and {**tokens, "sentences": token_sentences(tokens)},
            "decisions": _decisions(connection),
            "sources": [
                {key: s[key] for key in ("name", "format", "rows_read", "records", "duplicate_rows", "rejected", "at")}
                for s in project.standing_sources()
            ],
        }


def _totals(connection: duckdb.DuckDBPyConnection, project: Project) -> dict[str, int]:
    sources = project.standing_sources()
    summed = {key: sum(s[key] for s in sources) for key in ("rows_read", "duplicate_rows", "rejected")}
    return {"sources": len(sources), "records": connection.execute("SELECT count(*) FROM records").fetchall()[0][0]} | summed


def _checks(connection: duckdb.DuckDBPyConnection, project: Project, recipe: Recipe) -> list[dict[str, Any]]:
    """Every enabled check, the severest and most frequent first."""
    measured, counted, examples = measured_counts(project, recipe), count_issues(connection), issue_examples(project, recipe)
    shown = sorted({example["record"] for of_check in examples.values() for example in of_check})
    verdict_by_id = dict(
        connection.execute("SELECT record, verdict FROM verdicts WHERE list_contains($shown, record)", {"shown": shown}).fetchall()
    )
    found = []
    for check in recipe.enabled.values():
        flagged, undecided = counted.get(check.name, (0, 0))
        first, _, rest = check.description.partition("\n\n")
        found.append(
            {
                "check": check.name,
                "title": check.title,
                "summary": " ".join(first.split()),
                "effect": check.effect,
                "advice": " ".join(rest.partition("\n\n")[0].split()),
                "severity": check.severity,
                "severity_words": SEVERITY_WORDS[check.severity],
                "group": check.group,
                "unit": check.unit,
                "threshold": recipe.threshold(check),
                "direction": check.direction,
                "flagged": flagged,
                "undecided": undecided,
                "measured": measured.get(check.name, 0),
                "payoff": undecided * SEVERITY_WEIGHT[check.severity],
                "examples": [one | {"verdict": verdict_by_id.get(one["record"])} for one in examples.get(check.name, [])],
            }
        )
    return sorted(found, key=lambda c: (-SEVERITY_WEIGHT[c["severity"]], -c["flagged"], c["check"]))


def _readiness(connection: duckdb.DuckDBPyConnection, totals: dict[str, int], checks: list[dict[str, Any]]) -> dict[str, Any]:
    dropped, ready = connection.execute(
        """SELECT count(*) FILTER (v.verdict = 'drop'),
                  count(*) FILTER (v.verdict = 'keep' OR (v.record IS NULL AND f.id IS NULL))
           FROM records r LEFT JOIN verdicts v ON v.record = r.id LEFT JOIN flagged f ON f.id = r.id"""
    ).fetchall()[0]
    staying = totals["records"] - dropped
    is_checked = any(c["measured"] for c in checks)
    # A check measures what it applies to, so only a check that measured something can tell that rows came in later.
    return {
        "ready": ready,
        "to_look_at": staying - ready,
        "dropped": dropped,
        "share": ready / staying if staying else None,
        "is_checked": is_checked,
        "sentence": _sentence(ready, staying, is_checked),
        "rule": READY_RULE,
    }


def _sentence(ready: int, staying: int, is_checked: bool) -> str:
    if not staying:
        return "There are no rows to train on. Add data, or undo some of the decisions to drop."
    if not is_checked:
        return f"The {staying:,} rows have not been checked yet. Scan the project to see what is in the way."
    left = staying - ready
    if not left:
        return f"All {staying:,} rows are ready to train on. Freeze a snapshot next."
    rows = "row needs" if left == 1 else "rows need"
    return f"{ready:,} of {staying:,} rows are ready to train on; {left:,} {rows} a look."


def _next_steps(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings whose review pays off most."""
    worth = sorted((c for c in checks if c["undecided"] and c["severity"] != "info"), key=lambda c: (-c["payoff"], c["check"]))
    return [
        {key: c[key] for key in ("check", "title", "summary", "effect", "advice", "severity", "severity_words", "undecided", "payoff")}
        for c in worth[:_NEXT_STEPS]
    ]


def _decisions(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    keep, drop, flag, edited, people, records = connection.execute(
        """SELECT count(*) FILTER (v.verdict = 'keep'), count(*) FILTER (v.verdict = 'drop'), count(*) FILTER (v.verdict = 'flag'),
                  (SELECT count(*) FROM edits e WHERE e.record IN (SELECT id FROM records)),
                  count(DISTINCT v.decided_by) FILTER (v.decided_by NOT LIKE 'rule:%'), count(*)
           FROM records r LEFT JOIN verdicts v ON v.record = r.id"""
    ).fetchall()[0]
    return {"keep": keep, "drop": drop, "flag": flag, "edited": edited, "undecided": records - keep - drop - flag, "people": people}


def render_report(report: dict[str, Any], format: ReportFormat = "html") -> str:
    """The report as one self-contained HTML page, as Markdown, or as JSON. Raises WorkbenchError on another format.

    Text from the data is escaped everywhere; the page loads nothing from elsewhere.
    """
    if format == "json":
        return json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    if format not in get_args(ReportFormat):
        raise WorkbenchError(f'A report cannot be written as "{format}". Use one of {", ".join(get_args(ReportFormat))}.')
    return (
        _templates()
        .get_template(f"report.{format}.jinja")
        .render(report, payoff_rule=PAYOFF_RULE, topic_bars=_topic_bars(report["topics"]))
    )


def _topic_bars(topics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The largest topics, and one bar for the rest."""
    bars = [{"label": t["name"], "count": t["size"], "flagged": t["flagged"]} for t in topics[:_TOPIC_BARS]]
    if rest := topics[_TOPIC_BARS:]:
        bars.append({"label": f"{len(rest):,} others", "count": sum(t["size"] for t in rest), "flagged": sum(t["flagged"] for t in rest)})
    return bars


@functools.cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("pipelines.curation", "."),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "count": "{:,}".format,
        "percent": percent,
        "number": "{:,.4g}".format,
        "fitted": fitted,
        "columns": columns,
        "moment": lambda at: f"{datetime.fromisoformat(at):%d %B %Y, %H:%M} UTC",
        "markdown": markdown_text,
    }
    return templates


def columns(text: str) -> int:
    """How wide a text is when set in characters of one width; those of Chinese, Japanese and Korean take two columns."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fitted(text: str, most_columns: int) -> str:
    """The text on one line in at most so many columns. A cut is shown by an ellipsis."""
    line = " ".join(text.split())
    if columns(line) <= most_columns:
        return line
    while columns(line) > most_columns - 1:
        line = line[:-1]
    return line.rstrip() + "…"


_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|!~&$]|:(?=//)|(?<=www)\.")


def markdown_text(text: object) -> str:
    """Text from outside as Markdown that shows just that text, on one line that it does not begin, also inside a table."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(str(text).split()))
