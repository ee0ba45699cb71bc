"""Incoming: uploaded files on their way into a project, in a folder of the project's own."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

from pipelines import jobs
from pipelines.job_list import list_jobs
from pipelines.store.project import Project

_UNSAFE = re.compile(r"[^\w.()+ -]")
_CHUNK = 4 * 1024 * 1024


def incoming_folder(project: Project) -> Path:
    """Where uploads wait until they are imported; the import keeps its own copy of the original."""
    return project.folder / "incoming"


def keep_upload(project: Project, name: str, upload: BinaryIO, *, folder: Path | None = None) -> Path:
    """Writes an upload into the project piece by piece. The name is the visitor's, the place is ours: `folder`, or the incoming one."""
    safe = _UNSAFE.sub("_", Path(name.replace("\\", "/")).name).strip(" .")[-120:] or "upload"
    place = (folder or incoming_folder(project)) / secrets.token_hex(8)
    place.mkdir(parents=True)
    upload.seek(0)
    with (place / safe).open("wb") as file:
        shutil.copyfileobj(upload, file, _CHUNK)
    return place / safe


def forget(project: Project, file: Path) -> None:
    """Deletes one upload; nothing outside the incoming folder is touched."""
    if file.parent.parent == incoming_folder(project):
        shutil.rmtree(file.parent, ignore_errors=True)


def forget_read(project: Project) -> None:
    """Deletes the uploads that were read to their end; the project keeps the originals of imports under `sources`."""
    folder = incoming_folder(project)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    for job in list_jobs(project, kind="import") + list_jobs(project, kind="held_out"):
        if job.state == "done":
            forget(project, Path(jobs.read_config(job.folder)["source"]))
