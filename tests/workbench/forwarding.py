"""A proxy in front of a server: hands each connection on, and says so in its first request as proxies do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

FORWARDED = b"X-Forwarded-For: 203.0.113.7\r\n"


@contextmanager
def proxy_to(port: int) -> Iterator[int]:
    """The port of a proxy on this machine for the server at `port`, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listening, port), daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def _serve(listening: socket.socket, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_connect, args=(client, port), daemon=True).start()


def _connect(client: socket.socket, port: int) -> None:
    with suppress(OSError):
        server = socket.create_connection(("127.0.0.1", port))
        request = b""
        while b"\r\n" not in request:
            part = client.recv(65536)
            if not part:
                return
            request += part
        first, rest = request.split(b"\r\n", 1)
        server.sendall(first + b"\r\n" + FORWARDED + rest)
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
