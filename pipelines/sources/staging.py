"""Staging: an import is prepared beside the project's files and moved in at once, so that nobody ever sees half of one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout

from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project
from pipelines.store.tables import write_text

_ROWS_AT_ONCE = 1_000


class Staging:
    """The folder of the import that is going on, and the import's number in the project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder / "importing"
        self._undo_unfinished()
        self.number = self._next_number()
        self.folder.mkdir()

    @property
    def records_folder(self) -> Path:
        """Where the parts of records wait."""
        return self.folder / "records"

    @property
    def source_rows_folder(self) -> Path:
        """Where the parts of source rows wait."""
        return self.folder / "source_rows"

    def commit(self, original: Path, sha256: str, quarantine: Path, described: dict[str, Any]) -> None:
        """Moves everything in, and writes the row of the sources table last."""
        project = self.project
        kept = _kept_before(project.sources_folder / sha256) or project.sources_folder / sha256 / original.name
        moves = [] if kept.exists() else [(original, kept)]
        if quarantine.exists():
            moves.append((quarantine, project.quarantine_folder / quarantine.name))
        self._move_in(moves)
        with project.database.write() as connection:
            row = described | {"id": self.number, "sha256": sha256, "kept": kept.relative_to(project.folder).as_posix(), "at": db.now()}
            connection.execute(sa.insert(db.sources).values(row))

    def commit_mended(self, rows: list[dict[str, Any]]) -> None:
        """Moves the records of mended rows in, and writes the rows of the table `mended` last, all in one transaction."""
        self._move_in([])
        with self.project.database.write() as connection:
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                some = [row | {"import": self.number, "at": db.now()} for row in rows[start : start + _ROWS_AT_ONCE]]
                connection.execute(sa.insert(db.mended), some)

    def _move_in(self, moves: list[tuple[Path, Path]]) -> None:
        """Moves some files, and the parts that were written, into the project.

        The list of what is moved is written first: an import that dies in between is undone by the next one.
        """
        project = self.project
        moves += [(path, project.source_rows_folder / path.name) for path in sorted(self.source_rows_folder.glob("*.parquet"))]
        moves += [(path, project.records_folder / path.name) for path in sorted(self.records_folder.glob("*.parquet"))]
        targets = [target.relative_to(project.folder).as_posix() for _, target in moves]
        write_text(json.dumps({"number": self.number, "moved": targets}), self._journal)
        for path, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        for folder in {target.parent for _, target in moves}:
            _sync(folder)

    @property
    def _journal(self) -> Path:
        return self.folder / "moving.json"

    def _undo_unfinished(self) -> None:
        """Takes back what an import left that was killed, unless all but its tidying up was done."""
        if not self.folder.exists():
            return
        if self._journal.exists():
            moving = json.loads(self._journal.read_text("utf-8"))
            if moving["number"] not in self._committed():
                for name in moving["moved"]:
                    _remove(self.project.folder / name)
        shutil.rmtree(self.folder)

    def _committed(self) -> set[int]:
        """The numbers of all imports, and of all times that rows were mended."""
        with self.project.database.read() as connection:
            numbers = sa.union(sa.select(db.sources.c.id), sa.select(db.mended.c["import"]))
            return set(connection.execute(numbers).scalars())

    def _next_number(self) -> int:
        parts = [int(path.name.split("-")[0]) for path in self.project.record_parts if path.name.split("-")[0].isdigit()]
        return max([0, *self._committed(), *parts]) + 1


@contextmanager
def staging(project: Project) -> Iterator[Staging]:
    """The staging folder of an import, gone afterwards whatever happens. Raises WorkbenchError while another import is going on."""
    lock = FileLock(project.folder / ".import.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WorkbenchError("Another import is going on in this project. Wait until it is done.") from None
    try:
        folder = Staging(project)
        try:
            yield folder
        finally:
            folder._undo_unfinished()
    finally:
        lock.release()


def _kept_before(folder: Path) -> Path | None:
    return next(iter(sorted(folder.iterdir())), None) if folder.is_dir() else None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.parent.name == "sources" and path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _sync(folder: Path) -> None:
    """Makes renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
