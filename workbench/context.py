"""Context: which project is looked at, from the environment and the URL. User input never names a folder outside the root."""

from __future__ import annotations

import os
import re
from pathlib import Path

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.store.project import Project

DEFAULT_HOME = "data/projects"
_NAME = re.compile(r"\w[\w .-]{0,63}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def served_folder() -> Path | None:
    """The one project folder of $WINNOW_PROJECT: the only one there is, or with $WINNOW_HOME the one shown first."""
    folder = os.environ.get("WINNOW_PROJECT")
    return Path(folder).expanduser().resolve() if folder else None


def projects_root() -> Path | None:
    """The folder whose children are the projects: $WINNOW_HOME, or data/projects; None when one project alone is served."""
    home = os.environ.get("WINNOW_HOME")
    if home is None and served_folder() is not None:
        return None
    return Path(home or DEFAULT_HOME).expanduser().resolve()


def project_names() -> list[str]:
    """Names of the projects that can be opened, in alphabetical order."""
    root, served = projects_root(), served_folder()
    found = (
        {child.name for child in root.iterdir() if Project(child).exists and _is_inside(child, root)} if root and root.is_dir() else set()
    )
    if served and Project(served).exists:
        found.add(served.name)
    return sorted(found, key=str.casefold)


def project_named(name: str) -> Project | None:
    """The project of that name, or None when there is none."""
    if name not in project_names():
        return None
    served = served_folder()
    if served and served.name == name:
        return Project.open(served)
    root = projects_root()
    return Project.open(root / name) if root else None


def create_project(name: str) -> Project:
    """A new, empty project under the root. Raises WorkbenchError when the name cannot be used or is taken."""
    root, served = projects_root(), served_folder()
    name = name.strip()
    if root is None:
        if served is None or served.name != name:
            raise WorkbenchError("This server shows one project only. Start it with winnow serve to have several.")
        return Project.create(served)
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise WorkbenchError("Use letters, digits, spaces, dots, dashes and underscores for the name, and begin with a letter or digit.")
    folder = root / name
    if not _is_inside(folder, root):
        raise WorkbenchError("A project lives directly in the projects folder. Choose another name.")
    if Project(folder).exists:
        raise WorkbenchError(f'There is a project named "{name}" already. Open it, or choose another name.')
    return Project.create(folder)


def _is_inside(folder: Path, root: Path) -> bool:
    return folder.resolve().parent == root.resolve()


def current_project() -> Project | None:
    """The project of this visit: ?project=NAME, else the one looked at last, else the one served, else the only one there is."""
    names = project_names()
    served = served_folder()
    wishes = [st.query_params.get("project"), st.session_state.get("project"), served.name if served else None]
    name = next((wish for wish in wishes if wish in names), names[0] if len(names) == 1 else None)
    if name is None:
        return None
    remember(name)
    return project_named(name)


def remember(name: str) -> None:
    """Makes a project the one of this visit, and says so in the URL so that a link shows a colleague the same."""
    if st.session_state.get("project") != name:
        st.session_state["project"] = name
    if st.query_params.get("project") != name:
        st.query_params["project"] = name


def open_project(name: str) -> None:
    """Opens another project; what the URL said about the one before is forgotten."""
    st.session_state["project"] = name
    st.query_params.from_dict({"project": name})


def reviewer() -> str:
    """Who decides or mends: the signed-in person, or the one at this machine."""
    email = st.user.get("email") if st.user.get("is_logged_in") else None
    return f"human:{email}" if email else "human:local"


def is_local() -> bool:
    """Whether the person at the browser sits at this machine, so that a typed path is their own.

    False when $WINNOW_LOCAL_FILES is 0, when the server listens to others, or when a proxy has passed the request on.
    """
    if os.environ.get("WINNOW_LOCAL_FILES", "1") == "0" or st.get_option("server.address") not in _LOOPBACK:
        return False
    headers = st.context.headers
    if any(name in headers for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via")):
        return False
    host = headers.get("Host", "")
    return host.rsplit(":", 1)[0] in _LOOPBACK or host in _LOOPBACK
