"""Serve: the workbench as a local web server."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import WorkbenchError

_LOCAL = ("localhost", "127.0.0.1")
_EVERYWHERE = ("0.0.0.0", "::", "")


def serve(project: Path, *, port: int = 8501, address: str = "127.0.0.1", hosts: Sequence[str] = (), open_browser: bool = True) -> None:
    """Runs the app until it is stopped. Raises WorkbenchError when the port is taken.

    The app shows the given project and the others beside it. A browser that asks for another host name than localhost, the address,
    this machine's own name (unless only this machine is served) or one of `hosts` is turned away: that stops a web page elsewhere from
    reaching the app under a name of its own (DNS rebinding).
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
    print(f"Winnow is on http://{_shown_name(address)}:{port} (stop it with Ctrl-C)")
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"))
    command = [
        sys.executable, "-m", "streamlit", "run", str(app),
        f"--server.port={port}", f"--server.address={address}",
        f"--server.headless={'false' if open_browser and has_screen else 'true'}",
        *(f"--server.allowedHosts={name}" for name in allowed_hosts(address, hosts)),
    ]  # fmt: skip
    environment = os.environ | {"WINNOW_HOME": str(folder.parent), "WINNOW_PROJECT": str(folder)}
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # this process becomes the server: whoever ends it ends the server
    subprocess.run(command, env=environment, check=False)


def allowed_hosts(address: str, hosts: Sequence[str] = ()) -> list[str]:
    """The host names a browser may reach the app by, in lower case, each once."""
    own = () if _is_loopback(address) else (address, socket.gethostname(), socket.getfqdn(), *_own_addresses())
    return list(dict.fromkeys(name.lower() for name in (*_LOCAL, address, *own, *hosts) if name not in _EVERYWHERE))


def _is_loopback(address: str) -> bool:
    return address in ("localhost", "::1") or address.startswith("127.")


def _own_addresses() -> list[str]:
    """The network addresses of this machine."""
    import psutil

    of_all = (address for addresses in psutil.net_if_addrs().values() for address in addresses)
    return sorted({a.address.partition("%")[0] for a in of_all if a.family in (socket.AF_INET, socket.AF_INET6)})


def _shown_name(address: str) -> str:
    if address in _EVERYWHERE:
        return socket.gethostname()
    return "localhost" if address == "127.0.0.1" else address
