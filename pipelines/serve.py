"""Serve: the workbench as a local web server."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

from pipelines.errors import WorkbenchError


def serve(project: Path, *, port: int = 8501, address: str = "127.0.0.1", open_browser: bool = True) -> None:
    """Runs the app until it is stopped. Raises WorkbenchError when the port is taken.

    The app shows the given project and the others beside it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise WorkbenchError(
                f"Port {port} on {address} cannot be used ({error.strerror}). Choose another one: winnow serve --port {port + 1}"
            ) from None
    folder = project.expanduser().resolve()
    spec = importlib.util.find_spec("workbench")
    if spec is None or not spec.submodule_search_locations:
        raise WorkbenchError("The package workbench is not installed. Run: pip install -e .")
    app = Path(next(iter(spec.submodule_search_locations))) / "app.py"
    print(f"Winnow is on http://{'localhost' if address == '127.0.0.1' else address}:{port} (stop it with Ctrl-C)")
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"))
    command = [
        sys.executable, "-m", "streamlit", "run", str(app),
        f"--server.port={port}", f"--server.address={address}",
        f"--server.headless={'false' if open_browser and has_screen else 'true'}",
    ]  # fmt: skip
    environment = os.environ | {"WINNOW_HOME": str(folder.parent), "WINNOW_PROJECT": str(folder)}
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # this process becomes the server: whoever ends it ends the server
    subprocess.run(command, env=environment, check=False)
