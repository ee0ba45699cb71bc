"""Fixes: a check's automatic fix over all its rows that nobody has decided about: looked at first, applied, taken back as one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipelines.checks import Check, Evidence, all_checks
from pipelines.checks.unknown_role import naming_roles
from pipelines.curation.decisions import Decision, connect, write_fixes
from pipelines.curation.issues import add_issue_view, require_check
from pipelines.curation.mended_rows import measure_mended
from pipelines.curation.mending import Mended, mend
from pipelines.curation.recipe import load_recipe
from pipelines.curation.selection import edited_record
from pipelines.errors import WorkbenchError
from pipelines.records import Record
from pipelines.rules.rule_file import known_checks
from pipelines.sources.recognise import check_roles
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record

Emit = Callable[..., None]

BATCH_ROWS = 2_000
EXAMPLES = 20
UNKNOWN_ROLE = "unknown_role"
MOST_TRIED = 500
"""Rows a preview tries the fix on; with more it draws so many by chance and says so."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row with the finding, as it reads now."""

    id: str
    record: Record
    evidence: tuple[Evidence, ...]
    edit_seq: int | None
    """Number of the edit or fix that made its text; None for the text as imported."""


def fixable_checks(project: Project | None = None) -> dict[str, Check]:
    """The checks, and the rules of a project, that have an automatic fix, by name."""
    known = known_checks(project) if project else all_checks()
    return {name: check for name, check in known.items() if check.fix is not None}


def unknown_roles(project: Project) -> dict[str, int]:
    """The roles that no chat template knows, and in how many undecided rows each is, the most frequent first.

    Raises WorkbenchError when the check unknown_role has not run.
    """
    _check(project, UNKNOWN_ROLE)
    with connect(project) as connection:
        add_issue_view(connection, load_recipe(project))
        found = connection.execute(
            """SELECT role, count(DISTINCT id) AS rows FROM (
                 SELECT i.id, unnest(json_extract_string(i.evidence, '$[*].detail')) AS role
                 FROM issues i LEFT JOIN verdicts v ON v.record = i.id WHERE i.check = $check AND v.record IS NULL)
               GROUP BY role ORDER BY rows DESC, role""",
            {"check": UNKNOWN_ROLE},
        ).fetchall()
    return {role or "": rows for role, rows in found}


def preview_fix(
    project: Project, name: str, *, roles: Mapping[str, str] | None = None, examples: int = EXAMPLES, seed: int = 0
) -> dict[str, Any]:
    """What a fix would do: {"check", "title", "description", "rows", "tried", "fixable", "examples"}.

    `rows` are the undecided rows with the finding. The fix was tried on `tried` of them, drawn by chance where there are more than
    500, and mends `fixable` of those. `examples` are mended rows drawn by chance: {"record", "changes": [{"turn", "before", "after"}]}.
    `roles` says what unknown roles are, for the fix of unknown_role: the others stay; None for the usual ones. Raises WorkbenchError
    when the check has no fix or has not run, and for roles that cannot be.
    """
    check = _check(project, name, roles)
    label = check.fix
    rows = 0
    chooser = random.Random(seed)
    drawn: list[_Candidate] = []
    for candidates in _candidates(project, check):
        for candidate in candidates:  # reservoir sampling (Vitter 1985, algorithm R): every row with the same chance, in one pass
            rows += 1
            if len(drawn) < MOST_TRIED:
                drawn.append(candidate)
            elif (place := chooser.randrange(rows)) < MOST_TRIED:
                drawn[place] = candidate
    mended = [(candidate.id, found) for candidate, found in zip(drawn, _mended(check, drawn), strict=True) if found]
    shown = chooser.sample(mended, min(examples, len(mended)))
    return {
        "check": name,
        "title": label.title if label else "",
        "description": label.description if label else "",
        "rows": rows,
        "tried": len(drawn),
        "fixable": len(mended),
        "examples": [{"record": id, "changes": _changes(found)} for id, found in shown],
    }


def apply_fix(project: Project, name: str, *, roles: Mapping[str, str] | None = None, emit: Emit = lambda **_: None) -> dict[str, Any]:
    """Mends every undecided row that the fix can mend: {"check", "rows", "fixed", "left", "batch"}; rows = fixed + left.

    The rows stay undecided and are measured again, so that what else is wrong with them still shows. A row that another fix or a person
    changes while this one works is read again: it is mended as it reads then, and left alone once a person has decided about it.
    `batch` takes all of it back (`decisions.undo`); None when no row was mended. `roles` and the errors raised are those of `preview_fix`.
    """
    check = _check(project, name, roles)
    batch, rows, fixed = uuid4().hex, 0, 0
    for candidates in _candidates(project, check):
        while candidates:
            mended = [(c, found) for c, found in zip(candidates, _mended(check, candidates), strict=True) if found]
            changed = _write(project, check, batch, mended)
            rows, fixed = rows + len(candidates) - len(changed), fixed + len(mended) - len(changed)
            candidates = [c for some in _candidates(project, check, changed) for c in some] if changed else []
        emit(message=f"{fixed:,} of {rows:,} rows mended", rows=rows)
    return {"check": name, "rows": rows, "fixed": fixed, "left": rows - fixed, "batch": batch if fixed else None}


def fix_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The job "fix": config {"project", "check", "roles" (optional)}."""
    return apply_fix(Project.open(config["project"]), config["check"], roles=config.get("roles"), emit=emit)


def _write(project: Project, check: Check, batch: str, mended: list[tuple[_Candidate, Mended]]) -> set[str]:
    """The measurements of the mended rows first, then the decisions: a fix that counts has been measured.

    Returns the ids of the rows that had changed since they were read; they are not written.
    """
    records = [edited_record(candidate.record, found.edit) for candidate, found in mended]
    measure_mended(project, records)
    title = check.fix.title if check.fix else ""
    by = f"rule:{check.key}"
    fixes = [
        Decision(candidate.id, "fix", reason=title, edit=found.edit, edited_id=record.id, batch=batch, decided_by=by)
        for (candidate, found), record in zip(mended, records, strict=True)
    ]
    return write_fixes(project, fixes, {candidate.id: candidate.edit_seq for candidate, _ in mended})


def _check(project: Project, name: str, roles: Mapping[str, str] | None = None) -> Check:
    require_check(project, name, load_recipe(project))
    if name not in (known := fixable_checks(project)):
        raise WorkbenchError(f"Only a person can mend what {name} finds. These checks have a fix: {', '.join(known)}.")
    if roles is None:
        return known[name]
    if name != UNKNOWN_ROLE:
        raise WorkbenchError(f"Roles can be said for the check {UNKNOWN_ROLE} alone, not for {name}.")
    return naming_roles(known[name], check_roles(roles))


def _mended(check: Check, candidates: list[_Candidate]) -> list[Mended | None]:
    return mend(check, [c.record for c in candidates], [c.evidence for c in candidates])


def _candidates(project: Project, check: Check, ids: Iterable[str] | None = None) -> Iterator[list[_Candidate]]:
    """The undecided rows with the finding, in import order, some at a time: of some ids, None for all. As they were when it began."""
    among = "" if ids is None else "AND r.id IN (SELECT unnest($ids::VARCHAR[]))"
    with connect(project) as connection:
        add_issue_view(connection, load_recipe(project))
        reader = connection.sql(
            f"""SELECT r.*, i.evidence, e.edit, e.seq AS edit_seq FROM issues i JOIN records r ON r.id = i.id
               LEFT JOIN edits e ON e.record = r.id LEFT JOIN verdicts v ON v.record = r.id
               WHERE i.check = $check AND v.record IS NULL {among} ORDER BY r.position""",
            params={"check": check.name} | ({} if ids is None else {"ids": sorted(ids)}),
        ).to_arrow_reader(BATCH_ROWS)
        for batch in reader:
            yield [_candidate(row) for row in batch.to_pylist()]


def _candidate(row: dict[str, Any]) -> _Candidate:
    record = row_to_record(row)
    if row["edit"]:
        record = edited_record(record, json.loads(row["edit"]))
    return _Candidate(row["id"], record, tuple(Evidence(**found) for found in json.loads(row["evidence"] or "[]")), row["edit_seq"])


def _changes(found: Mended) -> list[dict[str, Any]]:
    return [{"turn": turn, "before": before, "after": after} for turn, before, after in found.changes]
