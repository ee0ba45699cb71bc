"""Commands: what each word of the command line does.

Each takes the parsed options and returns what it found, as JSON and in words. Imports happen inside, so that `winnow --help` is instant.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import WorkbenchError

if TYPE_CHECKING:
    from pipelines.store.project import Project
    from pipelines.training.config import RunConfig

Answer = tuple[Any, str] | None
"""What a command found, as JSON and in words; None when it has written its own output."""


def _open(options: argparse.Namespace) -> Project:
    from pipelines.store.project import Project

    return Project.open(options.project)


def work(project: Project, kind: str, config: dict[str, Any], title: str, folder: Path | None = None) -> dict[str, Any]:
    """Does a job in this process, listed among the project's jobs, with progress on stderr."""
    from pipelines import jobs
    from pipelines.job_list import add_job
    from pipelines.progress import ProgressLine
    from pipelines.worker import work_of

    folder = folder or add_job(project, kind, config, title)
    with ProgressLine(title) as line:
        return jobs.run(folder, work_of(kind), line.show)


_NOTES_SHOWN = 10


def _rows(number: int, noun: str = "row") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def import_rows(options: argparse.Namespace) -> Answer:
    """Brings rows into the project, or previews them."""
    from pipelines.quarantine_commands import reading_of, save_reading
    from pipelines.store.project import Project

    reading = reading_of(options, Project.open(options.project) if options.mapping else Project(options.project))
    if options.preview:
        from dataclasses import asdict

        from pipelines.sources.ingest import preview

        seen = preview(options.source, **reading)
        shown = {
            "format": seen.format,
            "mapping": seen.mapping,
            "columns": seen.columns,
            "rows": seen.rows,
            "rejected": [asdict(r) for r in seen.rejected],
            "unknown_roles": seen.unknown_roles,
            "guess": asdict(seen.guess) if seen.guess else None,
        }
        if not seen.format:
            hint = (
                f"Its columns look like {seen.guess.format}: add {seen.guess.in_words()}"
                if seen.guess
                else "Say which column is what with --map."
            )
            return shown, f"{options.source} fits no known format. Its columns: {', '.join(seen.columns)}.\n{hint}"
        fields = "\n".join(f"  {field:<12} from column {column}" for field, column in seen.mapping.items())
        words = f"{options.source} looks like {seen.format}.\n{fields}\nFirst rows that cannot be read: {len(seen.rejected)}"
        roles = "".join(f'\nThe role "{role}" is not known. Say what it is: --role "{role}=user"' for role in seen.unknown_roles)
        return shown, words + roles
    project = Project.create(options.project)
    source = str(Path(options.source).expanduser().resolve()) if Path(options.source).expanduser().exists() else options.source
    if options.save_mapping:
        save_reading(options, project, reading, source)
    found = work(project, "import", {"source": source} | reading, f"Import {Path(options.source).name}")
    words = (
        f"Read {found['rows_read']:,} rows as {found['format']}: {found['records']:,} new, {found['duplicate_rows']:,} merged because they "
        f"repeat another row, {found['rejected']:,} set aside."
    )
    words += "".join(f"\nNote: {note}." for note in (note.rstrip(".") for note in found["notes"][:_NOTES_SHOWN]))
    if len(found["notes"]) > _NOTES_SHOWN:
        words += f"\nand {len(found['notes']) - _NOTES_SHOWN:,} more notes; --json shows them all."
    if found["rejected"]:
        words += f"\nThe rows set aside, by reason: winnow --project {options.project} quarantine"
    return found, f"{words}\nNext: winnow --project {options.project} scan"


def scan_rows(options: argparse.Namespace) -> Answer:
    """Scans the project."""
    found = work(_open(options), "scan", {"checks": options.checks, "without": options.without, "encoder": options.encoder}, "Scan")
    flagged = sorted(((c["flagged"], name) for name, c in found["checks"].items() if c["flagged"]), reverse=True)
    lines = [f"Scanned {found['records']:,} rows in {found['seconds']:.1f} s."] + [f"  {n:>7,}  {name}" for n, name in flagged]
    return found, "\n".join([*lines, f"Next: winnow --project {options.project} report"])


def count_tokens(options: argparse.Namespace) -> Answer:
    """Counts the tokens of every row for a base model."""
    from pipelines.curation.token_summary import count_seconds, token_sentences
    from pipelines.store.project import Project
    from pipelines.tokens.token_checks import Reader, reader_of

    project = Project.open(options.project)
    known = reader_of(project) or Reader()
    asked = {"base": options.base or known.base, "max_length": options.max_length or known.max_length}
    if not project.is_empty:
        print(f"Counting tokens for {asked['base']}: about {count_seconds(project):,.0f} s.", file=sys.stderr)
    found = work(project, "tokens", asked, "Count tokens")
    hint = ["See them: winnow issues --check over_length"] if found["over"] else []
    return found, "\n".join([*token_sentences(found), *hint])


def measure_difficulty(options: argparse.Namespace) -> Answer:
    """Measures how hard answers are for a base model, on a sample of rows."""
    from pipelines.store.project import Project
    from pipelines.tokens.difficulty_check import UNHELPFUL_QUESTION, Difficulty, difficulty_of

    project = Project.open(options.project)
    known = difficulty_of(project) or Difficulty()
    asked = {"base": options.base or known.base, "rows": options.rows or known.rows}
    found = work(project, "difficulty", asked, "Measure difficulty")
    if not found["measured"]:
        return found, "No row could be measured: the model cannot read them, or they have no answer."
    words = (
        f"{found['measured']:,} rows measured; the question makes half of the answers at least {1 - found['median']:.0%} easier to guess. "
        f"In {found['unhelpful']:,} rows it does not help: winnow issues --check {UNHELPFUL_QUESTION}"
    )
    return found, words


def list_checks(options: argparse.Namespace) -> Answer:
    """Every check."""
    from pipelines.checks import all_checks

    names = ("name", "title", "group", "severity", "unit", "threshold", "direction", "description")
    shown = [{name: getattr(check, name) for name in names} for check in all_checks().values()]
    return {"checks": shown}, "\n".join(f"{c['name']:<24} {c['severity']:<8} {c['title']}" for c in shown)


def list_issues(options: argparse.Namespace) -> Answer:
    """Rows with issues."""
    from pipelines.curation.issues import issues

    found = issues(_open(options), options.check, limit=options.limit)

    def line(issue: dict[str, Any]) -> str:
        where = ", ".join(f"{s['file']}:{s['row']}" for s in issue["sources"])
        note = next((e["note"] for e in issue["evidence"] if e.get("note")), "")
        return f"{issue['record']}  {where}  {issue['check']} {issue['score']:.3g}  {note}"

    return {"issues": found}, "\n".join(map(line, found)) or "No issues."


def write_report(options: argparse.Namespace) -> Answer:
    """The quality report, to a file or to stdout."""
    from pipelines.curation.report import render_report, report
    from pipelines.store.tables import write_text

    found = report(_open(options))
    text = render_report(found, "json" if options.json and not options.output else options.format)
    if options.output:
        try:
            write_text(text, options.output)
        except OSError as error:
            raise WorkbenchError(f"Cannot write {options.output}: {error.strerror}. Name another file with -o.") from error
        return {"file": str(options.output)}, f"Wrote {options.output}"
    print(text)
    return None


def decide_row(options: argparse.Namespace) -> Answer:
    """One decision about one row."""
    from pipelines.curation.decisions import Decision, decide
    from pipelines.store.query import has_record

    project = _open(options)
    if not has_record(project, options.record):
        raise WorkbenchError(f"This project has no row {options.record}. `winnow issues` and the app show the ids.")
    decision = Decision(options.record, options.verdict, reason=options.reason, decided_by=f"human:{options.by}")
    seq = decide(project, [decision])[decision.client_id]
    return {"seq": seq, "record": options.record, "verdict": options.verdict}, f"Decision {seq}: {options.verdict} {options.record}"


def fix_rows(options: argparse.Namespace) -> Answer:
    """An automatic fix, or the list of them."""
    from pipelines.checks.unknown_role import USUAL_ROLE
    from pipelines.curation.fixes import UNKNOWN_ROLE, fixable_checks, preview_fix, unknown_roles

    if options.check is None:
        has_project = (Path(options.project) / "project.db").is_file()
        fixes = {name: check.fix for name, check in fixable_checks(_open(options) if has_project else None).items()}
        shown = [{"check": name, "title": fix.title, "description": fix.description} for name, fix in fixes.items() if fix]
        return {"fixes": shown}, "\n".join(f"{f['check']:<24} {f['title']}" for f in shown)
    project = _open(options)
    roles = {**USUAL_ROLE, **dict(options.role)} if options.role else None
    if options.preview:
        seen = preview_fix(project, options.check, roles=roles)
        found_in = _rows(seen["rows"], "undecided row")
        lines = [f"{seen['title']}: mends {seen['fixable']:,} of {_rows(seen['tried'])} tried; found in {found_in}."]
        if seen["rows"] and not seen["fixable"]:
            lines.append(f"What is left needs a person: winnow --project {options.project} serve, page Review.")
        if options.check == UNKNOWN_ROLE:
            lines += [f'The role "{role}" is in {_rows(rows)}.' for role, rows in unknown_roles(project).items()]
        for example in seen["examples"]:
            lines += ["", example["record"]] + [f"- {c['before']}\n+ {c['after']}" for c in example["changes"]]
        return seen, "\n".join(lines)
    config = {"check": options.check} if roles is None else {"check": options.check, "roles": roles}
    found = work(project, "fix", config, f"Fix {options.check}")
    words = f"Mended {found['fixed']:,} of {_rows(found['rows'], 'undecided row')}; {_rows(found['left'])} left for a person."
    if options.check == UNKNOWN_ROLE and found["left"]:
        words += "".join(f'\nSay what the role "{role}" is: --role "{role}=user"' for role in unknown_roles(project))
    if found["batch"]:
        words += f"\nTake it back: winnow --project {options.project} undo --batch {found['batch']}"
    return found, words


def undo_decision(options: argparse.Namespace) -> Answer:
    """Takes one decision back, or a batch."""
    from pipelines.curation.decisions import undo

    if (options.seq is None) == (options.batch is None):
        raise WorkbenchError("Name one decision, winnow undo SEQ, or a batch of them, winnow undo --batch BATCH.")
    undone = undo(_open(options), seq=options.seq, batch=options.batch)
    if options.batch:
        return {"undone": undone}, f"Taken back: {_rows(undone, 'decision')}."
    words = "is taken back" if undone else "had been taken back already"
    return {"undone": undone}, f"Decision {options.seq} {words}."


def list_decisions(options: argparse.Namespace) -> Answer:
    """The event log."""
    from pipelines.curation.decisions import log

    found = log(_open(options), record=options.record)
    lines = [f"{e['seq']:>6}  {e['at']}  {e['decided_by']}  {e['verdict']:<7} {e['record']}  {e['reason']}".rstrip() for e in found]
    return {"decisions": found}, "\n".join(lines) or "No decisions yet."


def freeze_snapshot(options: argparse.Namespace) -> Answer:
    """Freezes the project's recipe into splits."""
    from dataclasses import replace

    from pipelines.curation.recipe import load_recipe

    project = _open(options)
    recipe = load_recipe(project)
    recipe = replace(recipe, split=options.split) if options.split else recipe
    recipe = replace(recipe, seed=options.seed) if options.seed is not None else recipe
    found = work(project, "snapshot", {"recipe": recipe.to_json()}, "Freeze snapshot")
    dropped = "\n".join(f"  {n:>7,}  {reason}" for reason, n in sorted(found["dropped"].items(), key=lambda item: -item[1]))
    words = f"Snapshot {found['id']}: {found['train']:,} rows to train, {found['validation']:,} to validate, {found['test']:,} to test."
    if dropped:
        words += f"\nLeft out:\n{dropped}"
    words += "".join(f"\nNote: {warning}" for warning in found["warnings"])
    return found, f"{words}\nNext: winnow --project {options.project} train {found['id']}"


def list_all_snapshots(options: argparse.Namespace) -> Answer:
    """Every snapshot."""
    from pipelines.curation.snapshot import list_snapshots

    found = list_snapshots(_open(options))
    lines = [f"{s['id']}  train {s['train']:,}  validation {s['validation']:,}  test {s['test']:,}" for s in found]
    return {"snapshots": found}, "\n".join(lines) or "No snapshots yet."


def train_adapter(options: argparse.Namespace) -> Answer:
    """Trains, or goes on with a run."""
    from pipelines.job_list import find_job
    from pipelines.training.run import prepare_run

    project = _open(options)
    if bool(options.snapshot) == bool(options.resume):
        raise WorkbenchError("Name a snapshot to train on, winnow train SNAPSHOT, or a run to go on with, winnow train --resume RUN.")
    folder = find_job(project, options.resume).folder if options.resume else prepare_run(project, _run_config(project, options))
    found = work(project, "train", {}, "Train", folder)
    ledger = found["ledger"]
    words = (
        f"Run {found['run']}: {found['status']} after {found['steps']} steps, {found['tokens']:,} tokens, {found['seconds']:.0f} s.\n"
        f"Rows: {ledger['rows_in']:,} in = {ledger['trained']:,} trained + {ledger['dropped']:,} dropped; "
        f"{ledger['truncated']:,} of them shortened.\n"
        f"Adapter: {found['adapter']}\nNext: winnow --project {options.project} evaluate {found['run']}"
    )
    return found, words


def _run_config(project: Project, options: argparse.Namespace) -> RunConfig:
    """The settings that suit the snapshot and this machine, with what the user asked for in their place."""
    from dataclasses import replace

    from pipelines.curation.snapshot import load_snapshot
    from pipelines.models import BASE_MODEL
    from pipelines.training.config import default_config
    from pipelines.training.device import best_device

    snapshot = load_snapshot(project, options.snapshot)
    suited = default_config(snapshot["id"], snapshot["train"], best_device().kind, base=options.base or BASE_MODEL).config
    wanted = {name: getattr(options, name) for name in ("learning_rate", "lora_r", "max_length", "seed")}
    chosen: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if options.lora_r is not None:
        chosen["lora_alpha"] = 2 * options.lora_r
    if options.steps is not None:
        chosen |= {"steps": options.steps, "epochs": None}
    if options.batch_size is not None:
        together = next((n for n in range(suited.batch_size, 0, -1) if options.batch_size % n == 0), 1)
        chosen |= {"batch_size": together, "gradient_accumulation": options.batch_size // together}
    return replace(suited, **chosen)


def evaluate_run(options: argparse.Namespace) -> Answer:
    """Before and after."""
    from pipelines.evaluation.compare import render_table

    on = str(Path(options.on).expanduser().resolve()) if options.on else None
    found = work(_open(options), "evaluate", {"run": options.run, "on": on, "limit": options.limit}, f"Evaluate {options.run}")
    return found, render_table(found)


def export_splits(options: argparse.Namespace) -> Answer:
    """A snapshot in another tool's format."""
    from pipelines.curation.export import export_snapshot

    found = export_snapshot(_open(options), options.snapshot, options.to, options.output, split=options.split)
    words = f"Wrote {_rows(found['rows'])} to {options.output}."
    if found["left_out"]:
        reasons = "; ".join(f"{reason} ({rows:,})" for reason, rows in found["reasons"].items())
        words += f"\n{_rows(found['left_out'])} left out: {reasons}\nThe list: {found['listed_in']}"
    return found, words


def show_jobs(options: argparse.Namespace) -> Answer:
    """The jobs, after a cancel or resume."""
    from pipelines import jobs
    from pipelines.job_list import find_job, list_jobs

    project = _open(options)
    if options.cancel:
        jobs.cancel(find_job(project, options.cancel).folder)
    if options.resume:
        jobs.start(find_job(project, options.resume).folder)
    views = list_jobs(project)
    shown = [{"id": v.id, "kind": v.kind, "title": v.title, "state": v.state, "fraction": v.fraction, "message": v.message} for v in views]
    return {"jobs": shown}, "\n".join(f"{j['id']}  {j['state']:<9} {j['fraction']:>4.0%}  {j['message']}" for j in shown) or "No jobs yet."


def serve_app(options: argparse.Namespace) -> Answer:
    """The app, until it is stopped."""
    from pipelines.serve import serve

    serve(Path(options.project), port=options.port, address=options.address, hosts=options.host, open_browser=not options.no_browser)
    return None


def prepare_models(options: argparse.Namespace) -> Answer:
    """Prepares the shipped models."""
    from pipelines import models

    found = {"base": models.base_model(), "encoder": models.encoder()}
    return found, f"Base model: {found['base']}\nSentence encoder: {found['encoder']}"
