"""Project: a folder with everything Winnow knows about one data set."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.errors import WorkbenchError
from pipelines.store import database as db


class Project:
    """A project folder. Cheap to make; opens no file until asked."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().resolve()

    @classmethod
    def create(cls, folder: Path | str) -> Project:
        """The project in a folder, made if it is not there. Raises WorkbenchError if the path is taken by something else."""
        project = cls(folder)
        if project.folder.is_dir() and not project.exists and any(project.folder.iterdir()):
            raise WorkbenchError(f"{project.folder} is not empty and not a Winnow project. Name an empty or new folder with --project.")
        try:
            project.folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise WorkbenchError(
                f"Cannot make the project folder {project.folder}: {error.strerror}. Name another one with --project."
            ) from error
        _ = project.database
        return project

    @classmethod
    def open(cls, folder: Path | str) -> Project:
        """The project in a folder. Raises WorkbenchError when there is none."""
        project = cls(folder)
        if not project.exists:
            raise WorkbenchError(
                f"No Winnow project in {project.folder}. Make one by importing data: winnow --project {project.folder} import FILE"
            )
        return project

    @property
    def exists(self) -> bool:
        """Whether the folder holds a project."""
        return (self.folder / "project.db").is_file()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @functools.cached_property
    def database(self) -> db.Database:
        """The project's database, project.db."""
        return db.Database(f"sqlite:///{self.folder / 'project.db'}")

    # Folders. Everything but sources, quarantine, held_out, snapshots and runs can be deleted and derived again.
    @property
    def sources_folder(self) -> Path:
        """Originals as they came, in one folder per sha256."""
        return self.folder / "sources"

    @property
    def quarantine_folder(self) -> Path:
        """Rejected rows, one JSONL file per import."""
        return self.folder / "quarantine"

    @property
    def records_folder(self) -> Path:
        """Parquet parts of RECORD_SCHEMA; an id is in exactly one part."""
        return self.folder / "records"

    @property
    def source_rows_folder(self) -> Path:
        """Parquet parts of SOURCE_ROW_SCHEMA."""
        return self.folder / "source_rows"

    @property
    def measurements_folder(self) -> Path:
        """One folder per check key, Parquet parts of MEASUREMENT_SCHEMA."""
        return self.folder / "measurements"

    @property
    def features_folder(self) -> Path:
        """Embeddings, pairs, clusters, map."""
        return self.folder / "features"

    @property
    def held_out_folder(self) -> Path:
        """Questions of test sets, one Parquet file for each set."""
        return self.folder / "held_out"

    @property
    def snapshots_folder(self) -> Path:
        """Frozen curated splits."""
        return self.folder / "snapshots"

    @property
    def runs_folder(self) -> Path:
        """One folder per training run."""
        return self.folder / "runs"

    @property
    def jobs_folder(self) -> Path:
        """One folder per job that is not a run."""
        return self.folder / "jobs"

    @property
    def record_parts(self) -> list[Path]:
        """The record files, in import order."""
        return sorted(self.records_folder.glob("*.parquet"))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been imported."""
        return not self.record_parts

    @property
    def records_version(self) -> str:
        """Changes whenever records are added: names and sizes of the parts."""
        return ",".join(f"{p.name}:{p.stat().st_size}" for p in self.record_parts)

    @property
    def revision(self) -> str:
        """Changes with every write that a view could show: records, measurements, features and decisions."""
        with self.database.read() as connection:
            last = connection.execute(sa.select(sa.func.max(db.decisions.c.seq))).scalar() or 0
            recipe = connection.execute(sa.select(db.settings.c.value).where(db.settings.c.key == "recipe")).scalar()
        derived = [
            f"{p.parent.name}/{p.name}:{p.stat().st_mtime_ns}"
            for f in (self.measurements_folder, self.features_folder)
            for p in sorted(f.rglob("*"))
            if p.is_file() and not p.name.startswith(".")
        ]
        from pipelines.records import content_hash

        rules = self.folder / "rules.yaml"
        rules_at = rules.stat().st_mtime_ns if rules.is_file() else 0
        return content_hash([self.records_version, last, recipe, derived, rules_at])

    def setting(self, key: str, default: Any = None) -> Any:
        """A stored setting, or the default."""
        with self.database.read() as connection:
            value = connection.execute(sa.select(db.settings.c.value).where(db.settings.c.key == key)).scalar()
        return default if value is None else value

    def set_setting(self, key: str, value: Any) -> None:
        """Stores a setting (any JSON value)."""
        json.dumps(value)
        with self.database.write() as connection:
            connection.execute(sa.delete(db.settings).where(db.settings.c.key == key))
            connection.execute(sa.insert(db.settings).values(key=key, value=value))

    def sources(self) -> list[dict[str, Any]]:
        """Every import, oldest first: the columns of the sources table, and `mended`: how many of its rejected rows were read later."""
        return [{key: value for key, value in row.items() if key not in _MENDED_AS} for row in self._sources()]

    def standing_sources(self) -> list[dict[str, Any]]:
        """Every import with its counts as they stand now: mended rows are counted as new or as repeats, and no longer as rejected.

        rows_read = records + duplicate_rows + rejected, as in `sources`.
        """
        found = []
        for row in self._sources():
            new, merged = row.pop("mended_new") or 0, row.pop("mended_merged") or 0
            nested = new - (row["mended"] - merged)  # rows behind the first of a mended row that holds several
            row |= {"rows_read": row["rows_read"] + nested, "records": row["records"] + new}
            row |= {"duplicate_rows": row["duplicate_rows"] + merged, "rejected": row["rejected"] - row["mended"]}
            found.append(row)
        return found

    def _sources(self) -> list[dict[str, Any]]:
        mended = db.mended.c
        counts = (sa.func.count(), sa.func.sum(mended.new), sa.func.sum(sa.case((mended.new == 0, 1), else_=0)))
        columns = [
            sa.select(count).where(mended.source == db.sources.c.id).scalar_subquery().label(name)
            for count, name in zip(counts, ("mended", *_MENDED_AS), strict=True)
        ]
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(db.sources, *columns).order_by(db.sources.c.id)).mappings()]


_MENDED_AS = ("mended_new", "mended_merged")
