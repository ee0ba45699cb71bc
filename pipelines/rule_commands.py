"""Rule commands: what a project itself requires, allows and keeps apart (`winnow rules`, `winnow allow`, `winnow held-out`).

Imports happen inside, so that `winnow --help` is instant.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pipelines.errors import WorkbenchError

if TYPE_CHECKING:
    from pipelines.commands import Answer
    from pipelines.rules.rule import Rule
    from pipelines.store.project import Project


def rules(options: argparse.Namespace) -> Answer:
    """Lists the rules, tries them on their examples, or runs them."""
    from pipelines.rules.rule_file import load_rules
    from pipelines.rules.rule_run import chosen_rules
    from pipelines.store.project import Project

    project = Project.open(options.project)
    found = load_rules(project)
    if options.action == "list":
        return _listed(found)
    chosen = chosen_rules(found, options.id)
    return _tested(chosen) if options.action == "test" else _run(project, chosen, options.on)


def allow(options: argparse.Namespace) -> Answer:
    """Lists what may stay in the rows, or changes the list and has the checks of personal data look again."""
    from pipelines.commands import work
    from pipelines.rules.allow_list import allowed, privacy_checks, save_allowed
    from pipelines.store.project import Project

    project = Project.open(options.project)
    entries = allowed(project)
    unknown = [entry for entry in options.remove if entry not in entries]
    if unknown:
        raise WorkbenchError(f'"{unknown[0]}" is not on the list. `winnow allow` shows it.')
    if options.entries or options.remove:
        kept = save_allowed(project, [entry for entry in entries if entry not in options.remove] + options.entries)
        if kept != entries and not project.is_empty:
            work(project, "scan", {"checks": privacy_checks()}, "Look for personal data again")
        entries = kept
    return {"allowed": entries}, "\n".join(entries) or "Nothing is on the list. Add a detail: winnow allow help@firm.com"


def held_out(options: argparse.Namespace) -> Answer:
    """Lists the test sets, forgets one, or adds one and looks for its questions."""
    from dataclasses import asdict

    from pipelines.commands import work
    from pipelines.duplicates.held_out import held_out_sets, remove_held_out
    from pipelines.store.project import Project

    project = Project.open(options.project)
    if options.remove:
        remove_held_out(project, options.remove)
    added = None
    if options.source:
        added = work(project, "held_out", {"source": options.source, "name": options.name}, "Look for test questions")
    sets = held_out_sets(project)
    lines = [f"{one.name:<40} {one.questions:>9,} questions" for one in sets]
    if added:
        lines.append(f"{added['flagged']:,} rows repeat a test question. See them: winnow issues --check held_out_row")
    return (
        {"held_out": [asdict(one) for one in sets], "added": added},
        "\n".join(lines) or "No test set is named. Name one: winnow held-out benchmark.jsonl",
    )


def _listed(found: list[Rule]) -> Answer:
    shown = [{"id": r.id, "title": r.title, "severity": r.severity, "on": r.on, "tests": len(r.examples)} for r in found]
    lines = [f"{r['id']:<28} {r['severity']:<8} {r['title']}" for r in shown]
    return {"rules": shown}, "\n".join(lines) or "No rules yet. Write them in the project's rules.yaml, or in the app on the page Rules."


def _tested(chosen: list[Rule]) -> Answer:
    from pipelines.rules.rule_run import try_examples

    verdicts = try_examples(chosen)
    wrong = [v for v in verdicts if not v.is_right]
    if wrong:
        said = [f'  {v.rule}: "{v.text[:80]}" {_reproach(v.breaches)}' for v in wrong]
        raise WorkbenchError(f"{len(wrong)} of {len(verdicts)} examples came out wrong:\n" + "\n".join(said))
    untested = [rule.id for rule in chosen if not rule.examples]
    words = f"{len(verdicts)} examples of {len(chosen) - len(untested)} rules came out right."
    if untested:
        words += f" Without an example: {', '.join(untested)}."
    return {"examples": len(verdicts), "wrong": 0, "untested": untested}, words


def _reproach(breaches: tuple[str, ...]) -> str:
    return f"should pass, but: {breaches[0]}" if breaches else "should break the rule, and does not"


def _run(project: Project, chosen: list[Rule], on: str | None) -> Answer:
    from pipelines.rules.rule_run import run_on_file

    found = run_on_file(chosen, on) if on else _on_project(project, chosen)
    lines = [f"{r['rule']:<28} {r['broken']:>9,} of {r['applies']:,} rows break it" for r in found]
    return {"rules": found}, "\n".join(lines)


def _on_project(project: Project, chosen: list[Rule]) -> list[dict[str, Any]]:
    """Measures what is not measured yet, and counts."""
    from pipelines.commands import work
    from pipelines.curation.decisions import connect
    from pipelines.curation.issues import issues

    work(project, "scan", {"checks": [rule.name for rule in chosen]}, "Run the rules")
    with connect(project) as connection:
        applies = dict(connection.execute("SELECT m.check, count(m.value) FROM measurements m GROUP BY m.check").fetchall())
        broken = dict(connection.execute("SELECT m.check, count(*) FROM measurements m WHERE m.value > 0 GROUP BY m.check").fetchall())
        rows = connection.execute("SELECT count(*) FROM records").fetchall()[0][0]
    return [
        {
            "rule": rule.id, "title": rule.title, "severity": rule.severity, "rows": rows,
            "applies": applies.get(rule.name, 0), "broken": broken.get(rule.name, 0),
            "examples": [
                {"record": i["record"], **(i["sources"][0] if i["sources"] else {}), "notes": [e.get("note", "") for e in i["evidence"]]}
                for i in issues(project, rule.name, limit=10)
            ],
        }
        for rule in chosen
    ]  # fmt: skip
