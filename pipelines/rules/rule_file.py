"""Rule file: a project's rules.yaml, with every earlier version of it, and the rules as checks."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.checks import Check, all_checks
from pipelines.duplicates.held_out import HELD_OUT_CHECK, HELD_OUT_TITLE, held_out_checks
from pipelines.errors import WorkbenchError
from pipelines.rules.allow_list import allowed, passing_over
from pipelines.rules.rule import Rule
from pipelines.rules.yaml_reader import read_rules, rule_lines
from pipelines.store.database import now
from pipelines.store.project import Project
from pipelines.store.tables import write_text
from pipelines.tokens.difficulty_check import DIFFICULTY_TITLE, UNHELPFUL_QUESTION, difficulty_checks
from pipelines.tokens.token_checks import TOKEN_TITLES, token_checks

NAME = "rules.yaml"
_HISTORY = "rules.history"
_STAMP = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier text of the file."""

    name: str
    at: str
    """When it was replaced, ISO 8601 in UTC."""


def rules_path(project: Project) -> Path:
    """Where the rules are."""
    return project.folder / NAME


def rules_text(project: Project) -> str:
    """The file as it stands; empty when there is none."""
    path = rules_path(project)
    return _text(path) if path.is_file() else ""


def load_rules(project: Project) -> list[Rule]:
    """The project's rules, in the order of the file. Raises WorkbenchError with the line when the file is not understood."""
    path = rules_path(project)
    if not path.is_file():
        return []
    stat = path.stat()
    return list(_read(str(path), stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(32)
def _read(path: str, modified: int, size: int) -> tuple[Rule, ...]:
    return tuple(read_rules(_text(Path(path))))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WorkbenchError(f"{path} is not UTF-8 (at byte {error.start + 1}). Save it as UTF-8.") from error


def save_rules(project: Project, text: str) -> list[Rule]:
    """Makes a text the project's rules, and keeps the one before. Raises WorkbenchError when it is not understood; then nothing changes."""
    rules = read_rules(text)
    before = rules_text(project)
    if before == text:
        return rules
    if before:
        write_text(before, project.folder / _HISTORY / f"{_STAMP.sub('-', now())}.yaml")
    write_text(text, rules_path(project))
    _forget_replaced(project, rules)
    return rules


def remove_rule(project: Project, id: str) -> list[Rule]:
    """Takes the rule of an id out of the file and returns those left. What else the file says stays as it is.

    Raises WorkbenchError when no lines are this rule's alone, or it is not there.
    """
    text = rules_text(project)
    span = rule_lines(text, id)
    if span is None:
        raise WorkbenchError(f"The rule {id} has no lines of its own in {NAME}. Take it out in the text.")
    lines = text.splitlines(keepends=True)
    rest = "".join(lines[: span.start] + lines[span.stop :])
    return save_rules(project, rest if len(load_rules(project)) > 1 else "rules: []\n")


def earlier_versions(project: Project) -> list[Version]:
    """The texts that were replaced, newest first."""
    files = sorted((project.folder / _HISTORY).glob("*.yaml"), reverse=True)
    return [Version(file.name, _moment(file.stem)) for file in files]


def _moment(stem: str) -> str:
    year, month, day_hour, minute, second, *rest = stem.split("-")
    return f"{year}-{month}-{day_hour[:5]}:{minute}:{second}" + (f".{rest[0]}+00:00" if rest else "+00:00")


def version_text(project: Project, name: str) -> str:
    """An earlier text of the rules. Raises WorkbenchError when there is none of that name."""
    if name not in {version.name for version in earlier_versions(project)}:
        raise WorkbenchError(f"There is no earlier version {name} of the rules.")
    return (project.folder / _HISTORY / name).read_text(encoding="utf-8")


def rule_checks(project: Project) -> dict[str, Check]:
    """The project's rules as checks, by name (rule:<id>); none while the file is not understood.

    What measures or freezes by them asks `load_rules` first, which raises then: no rule is passed over in silence.
    """
    try:
        return {rule.name: rule.as_check() for rule in load_rules(project)}
    except WorkbenchError:
        return {}


OWN_CHECKS = {HELD_OUT_CHECK: HELD_OUT_TITLE, UNHELPFUL_QUESTION: DIFFICULTY_TITLE} | TOKEN_TITLES
"""Titles of the checks that a project has while it names a test set or a model, by name."""


def known_checks(project: Project) -> dict[str, Check]:
    """All that looks at the rows of a project: the checks, without what its allow-list holds; its test sets, its model, and its rules."""
    own = held_out_checks(project) | token_checks(project) | difficulty_checks(project) | rule_checks(project)
    return passing_over(all_checks(), allowed(project)) | own


def _forget_replaced(project: Project, rules: list[Rule]) -> None:
    """Deletes the measurements of rules that are gone or say something else now: they can be measured again."""
    import shutil

    kept = {rule.as_check().key for rule in rules}
    for folder in project.measurements_folder.glob("rule-*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
