"""Serving: who may reach the app, asked of the real server."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from pipelines.serve import allowed_hosts
from pipelines.store.project import Project


def test_only_this_machine_is_named_when_only_it_is_served():
    assert allowed_hosts("127.0.0.1") == ["localhost", "127.0.0.1"]


def test_a_team_reaches_the_app_by_the_address_the_machine_and_the_names_given():
    names = allowed_hosts("192.0.2.7", ["Winnow.Example.org"])
    assert {"localhost", "192.0.2.7", "winnow.example.org", socket.gethostname().lower()} <= set(names)
    assert "0.0.0.0" not in allowed_hosts("0.0.0.0")


@pytest.fixture
def served(tmp_path):
    """The app on a second loopback address, known as winnow.example.org."""
    project = Project.create(tmp_path / "one")
    address = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipelines.cli", "--project", str(project.folder), "serve", "--no-browser"]
    command += ["--address", address, "--port", str(port), "--host", "winnow.example.org"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        yield address, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def answer_to(address: str, port: int, host: str) -> str:
    """The status line of the app's answer to a browser that opens its connection under a host name."""
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2lubm93LXRlc3Qta2V5IQ==\r\n\r\n"
    )
    for _ in range(300):
        try:
            with socket.create_connection((address, port), timeout=10) as connection:
                connection.sendall(request.encode())
                return connection.recv(200).decode("latin-1").splitlines()[0]
        except (ConnectionError, IndexError):
            time.sleep(0.1)
    raise AssertionError("the app did not start")


def test_a_colleague_gets_in_by_the_names_given_and_a_stranger_s_name_does_not(served):
    address, port = served
    for host in (address, "winnow.example.org", "localhost"):
        assert " 101 " in answer_to(address, port, host)
    assert " 403 " in answer_to(address, port, "elsewhere.example.net")
