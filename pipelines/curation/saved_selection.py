"""Saved selection: any number of records under a short name, so that a URL can hold them."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.store.project import Project


def save_selection(project: Project, ids: Sequence[str]) -> str:
    """Keeps a selection in the project. Returns its name; the same records always have the same one."""
    chosen = sorted(set(ids))
    name = content_hash(chosen)[:16]
    if project.setting(_key(name)) is None:
        project.set_setting(_key(name), chosen)
    return name


def load_selection(project: Project, name: str) -> list[str]:
    """The ids of a saved selection. Raises WorkbenchError when the project has none of that name."""
    ids = project.setting(_key(name))
    if ids is None:
        raise WorkbenchError(f'This project has no saved selection "{name}". Make the selection again on the page Explore.')
    return list(ids)


def _key(name: str) -> str:
    return f"selection:{name}"
