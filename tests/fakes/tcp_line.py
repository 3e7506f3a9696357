"""A line to a TCP server that is slow, silent, or cut at the worst moment."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import Enum, auto

from tests.fakes.relay import Relay, hang_up


class Fault(Enum):
    """What becomes of the next request."""

    NONE = auto()
    CUT_BEFORE = auto()  # the request is lost
    CUT_AFTER = auto()  # the server has done it; the answer is lost
    SILENCE = auto()  # and so on: nothing is passed on until ``fault`` is changed
    CUT_ALWAYS = auto()
    GARBAGE = auto()  # and so on: ``garbage`` is said in the server's place


class TcpLine(Relay):
    """Listens on a port of this machine and passes on what it gets."""

    def __init__(self, port: int) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        super().__init__(listening)
        self._server_port = port
        self.port = listening.getsockname()[1]
        self.fault = Fault.NONE
        self.delay_seconds = 0.0
        self.garbage = b""
        self.connections = 0

    def connect(self) -> socket.socket:
        self.connections += 1
        server = socket.socket()
        with suppress(OSError):
            server.connect(("127.0.0.1", self._server_port))
        return server

    def pair(self, client: socket.socket, server: socket.socket) -> tuple[threading.Thread, threading.Thread]:
        return (
            threading.Thread(target=self._pass_on, args=(client, server, True)),
            threading.Thread(target=self._pass_on, args=(server, client, False)),
        )

    def _pass_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_request and self.fault is Fault.CUT_ALWAYS:
                    break
                if self.fault is (Fault.CUT_BEFORE if is_request else Fault.CUT_AFTER):
                    self.fault = Fault.NONE  # of the next one only
                    break
                if self.fault is Fault.SILENCE:
                    continue
                if self.fault is Fault.GARBAGE and not is_request:
                    target.sendall(self.garbage)
                    break
                time.sleep(self.delay_seconds)
                target.sendall(data)
        hang_up(source, target)
