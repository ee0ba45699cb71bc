"""Commands about rows set aside and saved mappings. Like `pipelines.commands`: each returns what it found, as JSON and in words."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import WorkbenchError

if TYPE_CHECKING:
    from pipelines.commands import Answer
    from pipelines.sources.mappings import SavedMapping
    from pipelines.store.project import Project

_SHOWN = 100
"""Characters of a row shown in a list."""


def reading_of(options: argparse.Namespace, project: Project) -> dict[str, Any]:
    """The format, mapping and roles that a command's options say: those of --mapping, corrected by --format, --map and --role."""
    from pipelines.sources.mappings import SavedMapping, mapping_named

    fields = [field for field, _ in options.map]
    if twice := next((field for field in fields if fields.count(field) > 1), None):
        raise WorkbenchError(f"--map names a column for {twice} more than once. A field has one column; a background text goes to context.")
    saved = mapping_named(project, options.mapping) if options.mapping else SavedMapping("")
    told = {"mapping": {**saved.mapping, **dict(options.map)}, "roles": {**saved.roles, **dict(options.role)}}
    return {"format": options.format if options.format != "auto" else saved.format, **told}


def save_reading(options: argparse.Namespace, project: Project, reading: dict[str, Any], source: str) -> None:
    """Saves what an import was told under the name of --save-mapping, with the columns of the source."""
    from pipelines.sources.ingest import preview
    from pipelines.sources.mappings import SavedMapping, save_mapping

    seen = preview(source, **reading, rows=1)
    save_mapping(project, SavedMapping(options.save_mapping, columns=tuple(seen.columns), **reading))


def list_mappings(options: argparse.Namespace) -> Answer:
    """The saved mappings, after one was deleted if asked."""
    from pipelines.sources.mappings import delete_mapping, saved_mappings
    from pipelines.store.project import Project

    project = Project.open(options.project)
    if options.delete:
        delete_mapping(project, options.delete)
    known = saved_mappings(project)
    words = "No mapping is saved yet. Save one with: winnow import FILE --map FIELD=COLUMN --save-mapping NAME"
    return {"mappings": [asdict(mapping) for mapping in known]}, "\n".join(map(_described, known)) or words


def _described(mapping: SavedMapping) -> str:
    fields = [f"{field} from column {column}" for field, column in mapping.mapping.items()]
    roles = [f"{name} is {role}" for name, role in mapping.roles.items()]
    return f"{mapping.name:<24} {mapping.format:<20} {'; '.join(fields + roles)}"


def show_quarantine(options: argparse.Namespace) -> Answer:
    """What was set aside and waits: counts by file and reason, or single rows; mends one, or tries all again."""
    from pipelines.store.project import Project

    project = Project.open(options.project)
    sources = [s for s in project.sources() if s["rejected"] and options.source in (None, s["id"])]
    if options.source is not None and not sources:
        raise WorkbenchError(f"Import {options.source} has set no row aside, or is not there. `winnow quarantine` lists those that have.")
    if options.mend:
        return _mend(options, project)
    if options.retry:
        return _retry(options, project)
    if options.rows:
        return _rows(sources, project, options.limit)
    return _groups(sources, project)


def _groups(sources: list[dict[str, Any]], project: Project) -> Answer:
    from pipelines.sources.quarantine_index import QuarantineIndex

    shown, lines = [], []
    for source in sources:
        groups = QuarantineIndex(project, source).groups()
        waiting = source["rejected"] - source["mended"]
        shown.append(
            {key: source[key] for key in ("id", "name", "rejected", "mended")} | {"waiting": waiting, "groups": list(map(asdict, groups))}
        )
        lines.append(
            f"Import {source['id']}, {source['name']}: {source['rejected']:,} set aside, {source['mended']:,} mended, {waiting:,} waiting"
        )
        lines += [f"  {group.rows:>9,}  {group.file}: {group.reason}" for group in groups]
    return {"imports": shown}, "\n".join(lines) or "No row is set aside."


def _rows(sources: list[dict[str, Any]], project: Project, limit: int) -> Answer:
    from pipelines.sources.quarantine_index import QuarantineIndex

    shown: list[dict[str, Any]] = []
    for source in sources:
        page = QuarantineIndex(project, source).page(limit=max(limit - len(shown), 0))
        shown += [{"import": source["id"]} | asdict(entry) for entry in page]
    words = [
        f"{r['import']}:{r['line']}  {r['file']} row {r['row']}: {r['reason']}\n    {' '.join(r['raw'].split())[:_SHOWN]}" for r in shown
    ]
    return {"rows": shown}, "\n".join(words) or "No row is set aside."


def _mend(options: argparse.Namespace, project: Project) -> Answer:
    from pipelines.sources.mending import mend

    place, file = options.mend
    number, colon, line = place.partition(":")
    if not (colon and number.isdecimal() and line.isdecimal()):
        raise WorkbenchError(f'"{place}" is no place of a row. Write it as `winnow quarantine --rows` shows it, such as 1:4.')
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbenchError(f"Cannot read {file}: {error}. Name a file with the text of the row, in UTF-8.") from error
    found = mend(project, int(number), int(line), text.rstrip("\r\n"), by=f"human:{options.by}")
    became = f"{found['new']} new" if found["new"] else "a repeat of a row that is there already"
    return found, f"Read as {found['format']}: {became}."


def _retry(options: argparse.Namespace, project: Project) -> Answer:
    from pipelines.commands import work

    sources = None if options.source is None else [options.source]
    config = {"sources": sources, "by": f"human:{options.by}"} | reading_of(options, project)
    found = work(project, "mend", config, "Try the rows set aside again")
    words = (
        f"Tried {found['tried']:,} rows: {found['mended']:,} could be read ({found['records']:,} new, {found['duplicate_rows']:,} merged), "
        f"{found['waiting']:,} go on waiting."
    )
    return found, words
