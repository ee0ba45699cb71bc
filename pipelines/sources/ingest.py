"""Import: a source becomes records of the project, with the place of every row and the reason for every rejection."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.jobs import Emit
from pipelines.sources.archive import Opened
from pipelines.sources.convert import Converter
from pipelines.sources.guess import guess_columns
from pipelines.sources.hub import download
from pipelines.sources.locate import Source, hub_id, locate
from pipelines.sources.original import copy_source
from pipelines.sources.parts import Parts
from pipelines.sources.preview import Preview, preview
from pipelines.sources.quarantine import Quarantine
from pipelines.sources.read import FileRows
from pipelines.sources.recognise import Recognition, check_format, check_mapping, check_roles, left_out_notes, recognise
from pipelines.sources.rows import RawRow, Rejection
from pipelines.sources.sample import take_sample
from pipelines.sources.staging import Staging, staging
from pipelines.sources.trees import TreeRows, are_messages
from pipelines.store.project import Project
from pipelines.store.tables import write_text

__all__ = ["ImportReport", "Preview", "import_job", "import_source", "preview"]

_COPYING = 0.1
"""Share of the progress bar for copying the original; reading takes the rest."""
_ROWS_BETWEEN_LOOKS = 256
_SECONDS_BETWEEN_REPORTS = 0.2


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came in. rows_read = records + duplicate_rows + rejected, always."""

    format: str
    """The format of most records."""
    rows_read: int
    records: int
    """New in the project."""
    duplicate_rows: int
    """Rows equal to a record that the project or this source already had: merged, their place is kept."""
    rejected: int
    quarantine: str
    """Path of the file with the rejected rows; empty when there are none."""
    formats: dict[str, int] = field(default_factory=dict)
    """Rows by format, most first."""
    notes: list[str] = field(default_factory=list)
    """What else the user should know: encodings, endings that mislead, files that were not read."""


def import_source(
    project: Project,
    source: str | Path,
    *,
    format: str = "auto",
    mapping: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    emit: Emit = lambda **_: None,
) -> ImportReport:
    """Imports a file, a folder, a saved data set or one of the hub. All of it comes in or, when it fails or is stopped, nothing.

    `mapping` gives the column of a field, `roles` what an unknown role of the source is. Raises WorkbenchError when there is nothing
    to read, no format fits or the mapping names what there is not.
    """
    check_format(format)
    known_roles = check_roles(roles or {})
    with staging(project) as folder:
        name = hub_id(source)
        if name:
            download(name, folder.folder / "hub" / name.replace("/", "--"), lambda rows: emit(message=f"Downloading {name}: {rows:,} rows"))
            located = replace(locate(folder.folder / "hub" / name.replace("/", "--")), name=name)
        else:
            located = locate(source, without=project.folder)

        def copied(done: int) -> None:
            emit(fraction=_COPYING * done / max(located.size, 1), message=f"Copying {located.name}")

        kept, sha256 = copy_source(located, folder.folder / "original", copied)
        return _Import(project, folder, kept, sha256, format, dict(mapping or {}), known_roles, emit).run()


def import_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The job "import": config {"project", "source", "format", "mapping", "roles"}. Returns the ImportReport as a dict.

    A job that is resumed after its import was complete only gives the report again.
    """
    finished = folder / "report.json"
    if finished.exists():
        return dict(json.loads(finished.read_text("utf-8")))
    project = Project.create(config["project"])
    report = asdict(
        import_source(
            project,
            config["source"],
            format=config.get("format") or "auto",
            mapping=config.get("mapping"),
            roles=config.get("roles"),
            emit=emit,
        )
    )
    write_text(json.dumps(report, ensure_ascii=False), finished)
    return report


class _Import:
    """One import: plans all files, reads them, and moves the result in."""

    def __init__(
        self,
        project: Project,
        folder: Staging,
        source: Source,
        sha256: str,
        format: str,
        mapping: dict[str, str],
        roles: dict[str, str],
        emit: Emit,
    ) -> None:
        self.project, self.folder, self.source, self.sha256 = project, folder, source, sha256
        self.format, self.mapping, self.roles, self.emit = format, mapping, roles, emit
        self.formats: Counter[str] = Counter()
        self.notes = [f"{name}: not read, its ending is not one of a file with rows" for name in source.not_read] + list(source.left_out)
        self.rows_read = 0
        self.bytes_before = 0
        self.bytes_in_all = source.size
        self.set_aside: list[Rejection] = []
        self.is_single_file = False
        self.reported_at = 0.0

    def run(self) -> ImportReport:
        """Reads everything and commits."""
        quarantine_path = self.folder.folder / f"{self.folder.number:04d}-{self.sha256[:8]}.jsonl"
        parts = Parts(self.project, self.folder, self.sha256)
        with Quarantine(quarantine_path) as quarantine:
            for rows, seen in self._plan(quarantine):
                self._read(rows, seen, parts, quarantine)
                self.notes += [f"{rows.file.name}: {note}" for note in dict.fromkeys(rows.notes)]
                self.bytes_before += rows.file.size
        parts.flush()
        self.emit(fraction=0.99, message="Moving the records in")
        kept_quarantine = self.project.quarantine_folder / quarantine_path.name
        report = ImportReport(
            format=self.formats.most_common(1)[0][0] if self.formats else self.format,
            rows_read=self.rows_read,
            records=parts.records,
            duplicate_rows=parts.duplicate_rows,
            rejected=quarantine.count,
            quarantine=str(kept_quarantine),
            formats=dict(self.formats.most_common()),
            notes=self.notes,
        )
        relative = kept_quarantine.relative_to(self.project.folder).as_posix()
        described = {k: v for k, v in asdict(report).items() if k not in ("formats", "notes")}
        described |= {"name": self.source.name, "mapping": self.mapping, "roles": self.roles, "quarantine": relative}
        self.folder.commit(self.source.root, self.sha256, quarantine_path, described)
        return report

    def _plan(self, quarantine: Quarantine) -> list[tuple[FileRows | TreeRows, Recognition]]:
        """The files that can be read, each with its format. A file that cannot is set aside, unless it is all there is."""
        planned: list[tuple[FileRows | TreeRows, Recognition]] = []
        columns: dict[str, None] = {}
        first: RawRow | None = None
        opened = Opened(self.source, self.folder.folder / "unpacked")
        for file in opened:
            if isinstance(file, Rejection):
                self._set_aside(file, quarantine)
                continue
            if file.size == 0:
                self.notes.append(f"{file.name}: empty, it holds no rows")
                continue
            try:
                rows: FileRows | TreeRows = FileRows(file)
                sample = take_sample(rows).rows
                if are_messages(sample):
                    rows = TreeRows(FileRows(file))
                    sample = take_sample(rows).rows
            except WorkbenchError as error:
                self._set_aside(Rejection(file.name, 0, str(error)), quarantine)
                continue
            values = [row.value for row in sample]
            first = first or next(iter(sample), None)
            has_mapped = any(column in value for column in self.mapping.values() for value in values)
            seen = recognise(values, asked=self.format, mapping=self.mapping if has_mapped else {})
            self.notes += [f"{file.name}: {note}" for note in left_out_notes(seen, values)]
            columns |= dict.fromkeys(seen.columns)
            planned.append((rows, seen))
        self.notes += [f"{name}: not read, its ending is not one of a file with rows" for name in opened.not_read]
        self.bytes_in_all = sum(rows.file.size for rows, _ in planned)
        self.is_single_file = len(planned) == 1 and not quarantine.count
        self._refuse_nothing(planned, quarantine)
        if columns or not quarantine.count:
            check_mapping(self.format, self.mapping, list(columns))
        if first and all(seen.form is None for _, seen in planned):
            (rejection,) = Converter(None).convert(first)[:1]
            guess = guess_columns([row.value for row in take_sample(planned[0][0]).rows])
            hint = f" Its columns look like {guess.format}: try again with {guess.in_words()}" if guess else ""
            raise WorkbenchError(f"No row of {self.source.name} fits a known format. {rejection}{hint}")
        return planned

    def _set_aside(self, rejection: Rejection, quarantine: Quarantine) -> None:
        self.rows_read += 1
        self.set_aside = [*self.set_aside[:1], rejection]
        quarantine.add(rejection)

    def _refuse_nothing(self, planned: Sequence[object], quarantine: Quarantine) -> None:
        """Raises WorkbenchError when the one file, or all that is in the one archive, cannot be read."""
        if planned or len(self.source.files) > 1:
            return
        if self.set_aside:
            rejection = self.set_aside[0]
            more = f" {quarantine.count - 1:,} more of its files cannot be read." if quarantine.count > 1 else ""
            is_named = rejection.reason.startswith(Path(rejection.file).name)
            raise WorkbenchError((rejection.reason if is_named else str(rejection)) + more)
        raise WorkbenchError(f"{self.source.name} holds no rows. Choose another file.")

    def _read(self, rows: FileRows | TreeRows, seen: Recognition, parts: Parts, quarantine: Quarantine) -> None:
        converter = Converter(seen.form, is_asked=self.format != "auto", mapping=self.mapping, roles=self.roles)
        looked = fitting = 0
        try:
            for found in rows:
                looked += 1
                if looked % _ROWS_BETWEEN_LOOKS == 0:
                    self._report(rows)
                if isinstance(found, Rejection):
                    self.rows_read += 1
                    quarantine.add(found)
                    continue
                for one in converter.convert(found):
                    self.rows_read += 1
                    if isinstance(one, Rejection):
                        quarantine.add(one)
                    else:
                        fitting += 1
                        self.formats[one[0]] += 1
                        parts.add(one[1], found)
        except WorkbenchError as error:  # a Parquet file whose first rows could be read when its format was judged, and now cannot
            if self.is_single_file:
                raise
            self._set_aside(Rejection(rows.file.name, 0, str(error)), quarantine)
        header = rows.header if isinstance(rows, FileRows) else []
        if not fitting and (header or not looked):
            problem = "none of its rows fits" if looked else "it holds no rows"
            named = ", ".join(f"“{cell}”" for cell in header)
            rows.notes.append(f"{problem}. Its first row was read as the names of the columns: {named}" if header else problem)

    def _report(self, rows: FileRows | TreeRows) -> None:
        now = time.monotonic()
        if now - self.reported_at < _SECONDS_BETWEEN_REPORTS:
            return
        self.reported_at = now
        share = (self.bytes_before + rows.bytes_done) / max(self.bytes_in_all, 1)
        message = f"Reading {rows.file.name}: {self.rows_read:,} rows"
        self.emit(fraction=_COPYING + (0.98 - _COPYING) * min(share, 1.0), message=message, rows=self.rows_read)
