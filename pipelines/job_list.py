"""Job list: which jobs a project has had. The story of each is in its folder (`pipelines.jobs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project


def add_job(project: Project, kind: str, config: dict[str, Any], title: str, *, folder: Path | None = None) -> Path:
    """The folder of a new job, prepared and listed but not started. The config gets the project's path.

    `folder` is for jobs with a place of their own, such as runs.
    """
    folder = folder or project.jobs_folder / jobs.new_id(kind)
    jobs.prepare(folder, kind, {"project": str(project.folder)} | config, title)
    list_job(project, folder, kind, title)
    return folder


def list_job(project: Project, folder: Path, kind: str, title: str) -> None:
    """Adds a prepared folder to the list; listing it twice changes nothing."""
    place = folder.resolve().relative_to(project.folder).as_posix()
    with project.database.write() as connection:
        if connection.execute(sa.select(db.jobs.c.id).where(db.jobs.c.id == folder.name)).first() is None:
            connection.execute(sa.insert(db.jobs).values(id=folder.name, kind=kind, title=title, folder=place, at=db.now()))


def start_job(project: Project, kind: str, config: dict[str, Any], title: str, *, folder: Path | None = None) -> Path:
    """Starts a job of the project in a process of its own. Returns its folder."""
    folder = add_job(project, kind, config, title, folder=folder)
    jobs.start(folder)
    return folder


def list_jobs(project: Project, *, kind: str | None = None, limit: int | None = None) -> list[jobs.JobView]:
    """The project's jobs as they stand now, newest first. A job whose folder was deleted is shown as lost."""
    select = sa.select(db.jobs).order_by(db.jobs.c.at.desc(), db.jobs.c.id.desc()).limit(limit)
    if kind is not None:
        select = select.where(db.jobs.c.kind == kind)
    with project.database.read() as connection:
        rows = connection.execute(select).mappings().all()
    return [_view(project, dict(row)) for row in rows]


def find_job(project: Project, id: str) -> jobs.JobView:
    """The job with an id. Raises WorkbenchError when the project has none of that id."""
    with project.database.read() as connection:
        row = connection.execute(sa.select(db.jobs).where(db.jobs.c.id == id)).mappings().first()
    if row is None:
        raise WorkbenchError(f"There is no job {id} in {project.folder}. `winnow jobs` lists them.")
    return _view(project, dict(row))


def _view(project: Project, row: dict[str, Any]) -> jobs.JobView:
    folder = project.folder / row["folder"]
    try:
        return jobs.view(folder)
    except FileNotFoundError:
        gone = "Its folder was deleted, so nothing more is known about it."
        return jobs.JobView(id=row["id"], kind=row["kind"], title=row["title"], folder=folder, state="lost", message=gone)
