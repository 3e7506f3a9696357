"""Stands between the program and PostgreSQL, and cuts a connection at the worst moment.

The answer to a COMMIT may get lost (the server has taken it, the client does not know), or the COMMIT itself, or the
server may fall silent. What is between is real: a Unix socket on each side, bytes passed on.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from tests.fakes.relay import Relay, hang_up

_NAME = ".s.PGSQL.5432"


class Cut(Enum):
    """What to do with the next COMMIT."""

    NOT = auto()
    ANSWER = auto()
    REQUEST = auto()
    SILENCE = auto()


class CuttingProxy(Relay):
    """Listens like a server; ``cut_next`` says what happens to the next COMMIT."""

    def __init__(self, server: Path) -> None:
        self._server = str(server / _NAME)
        self.folder = Path(tempfile.mkdtemp(prefix="registry-cut-"))
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.folder / _NAME))
        listening.listen()
        super().__init__(listening)
        self._cut = Cut.NOT
        self._after = 0
        self._is_at_commit = True
        self._lock = threading.Lock()
        self.cuts = 0

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        shutil.rmtree(self.folder)

    def cut_next(self, what: Cut) -> None:
        with self._lock:
            self._cut, self._after, self._is_at_commit = what, 0, True

    def cut_at(self, message: int, what: Cut) -> None:
        """Cut at a message of the clients', counted from now, whatever it is."""
        with self._lock:
            self._cut, self._after, self._is_at_commit = what, message, False

    def connect(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        return server

    def pair(self, client: socket.socket, server: socket.socket) -> tuple[threading.Thread, threading.Thread]:
        ended = threading.Event(), threading.Event()  # this connection has been cut; has fallen silent
        return (
            threading.Thread(target=self._to_server, args=(client, server, ended)),
            threading.Thread(target=self._to_client, args=(server, client, ended)),
        )

    def _to_server(self, client: socket.socket, server: socket.socket, ended: tuple[threading.Event, ...]) -> None:
        is_cut, is_silent = ended
        while data := _receive(client):
            what = self._take(data)
            if what is Cut.SILENCE:
                is_silent.set()
            elif what is not Cut.NOT:
                is_cut.set()
            if what is Cut.REQUEST:
                break
            if not is_silent.is_set():
                with suppress(OSError):
                    server.sendall(data)
        hang_up(server, client)

    def _to_client(self, server: socket.socket, client: socket.socket, ended: tuple[threading.Event, ...]) -> None:
        is_cut, is_silent = ended
        while data := _receive(server):
            if is_cut.is_set():
                break  # the server has answered; nobody hears it
            if not is_silent.is_set():
                with suppress(OSError):
                    client.sendall(data)
        hang_up(server, client)

    def _take(self, data: bytes) -> Cut:
        with self._lock:
            if self._is_at_commit and b"COMMIT\0" not in data:
                return Cut.NOT
            if self._after > 0:
                self._after -= 1
                return Cut.NOT
            taken, self._cut = self._cut, Cut.NOT
            self.cuts += taken is not Cut.NOT
            return taken


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""
