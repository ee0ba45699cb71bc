"""Mapping: how the columns and roles of a source are to be read, saved in the project under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.sources.recognise import check_format, check_roles
from pipelines.store.project import Project

_KEY = "mappings"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A way to read sources that come again and again."""

    name: str
    format: str = "auto"
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The column of each field that the format would not find by itself."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What each unknown role is."""
    columns: tuple[str, ...] = ()
    """The columns of the source it was made for, so that it is offered when a source with the same ones comes."""

    def fits(self, columns: Sequence[str]) -> bool:
        """Whether a source with these columns can be read so: it has those of the source the mapping was made for."""
        return bool(self.columns) and set(self.columns) <= set(columns)


def saved_mappings(project: Project) -> list[SavedMapping]:
    """Every saved mapping, in alphabetical order."""
    stored: dict[str, dict[str, Any]] = project.setting(_KEY, {})
    found = [SavedMapping(**{**one, "columns": tuple(one["columns"])}) for one in stored.values()]
    return sorted(found, key=lambda mapping: mapping.name.casefold())


def save_mapping(project: Project, mapping: SavedMapping) -> None:
    """Saves a mapping under its name; one of the same name is replaced. Raises WorkbenchError for a name or a role that cannot be."""
    name = mapping.name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise WorkbenchError(f"A mapping needs a name of 1 to {_LONGEST_NAME} characters on one line.")
    check_format(mapping.format)
    check_roles(mapping.roles)
    stored = project.setting(_KEY, {})
    project.set_setting(_KEY, stored | {name: asdict(mapping) | {"name": name, "columns": list(mapping.columns)}})


def delete_mapping(project: Project, name: str) -> None:
    """Deletes a mapping. Raises WorkbenchError when there is none of that name."""
    mapping_named(project, name)
    project.set_setting(_KEY, {other: one for other, one in project.setting(_KEY, {}).items() if other != name})


def mapping_named(project: Project, name: str) -> SavedMapping:
    """The mapping of a name. Raises WorkbenchError when there is none."""
    known = saved_mappings(project)
    found = next((mapping for mapping in known if mapping.name == name), None)
    if found is None:
        listed = f"The saved mappings are: {', '.join(m.name for m in known)}." if known else "None is saved in this project yet."
        raise WorkbenchError(f'There is no mapping "{name}". {listed}')
    return found


def fitting_mappings(project: Project, columns: Sequence[str]) -> list[SavedMapping]:
    """The saved mappings for a source with these columns, those made for exactly the same ones first."""
    fitting = [mapping for mapping in saved_mappings(project) if mapping.fits(columns)]
    return sorted(fitting, key=lambda mapping: len(set(columns) - set(mapping.columns)))
