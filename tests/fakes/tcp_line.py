"""A line to a TCP server that is slow, silent, or cut at the worst moment."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import Enum, auto
from typing import Self


class Fault(Enum):
    """What becomes of the next request."""

    NONE = auto()
    CUT_BEFORE = auto()  # the request is lost
    CUT_AFTER = auto()  # the server has done it; the answer is lost
    SILENCE = auto()  # and so on: nothing is passed on until ``fault`` is changed
    CUT_ALWAYS = auto()


class TcpLine:
    """Listens on a port of this machine and passes on what it gets."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.fault = Fault.NONE
        self.delay_seconds = 0.0
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._listening, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in [self._listening, *self._open]:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.socket()
            self._open += [client, server]
            with suppress(OSError):
                server.connect(("127.0.0.1", self._port))
            self._threads += [
                threading.Thread(target=self._pass_on, args=(client, server, True)),
                threading.Thread(target=self._pass_on, args=(server, client, False)),
            ]
            for thread in self._threads[-2:]:
                thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_request and self.fault in (Fault.CUT_BEFORE, Fault.CUT_ALWAYS):
                    break
                if not is_request and self.fault is Fault.CUT_AFTER:
                    break
                if self.fault is Fault.SILENCE:
                    continue
                time.sleep(self.delay_seconds)
                target.sendall(data)
        if self.fault is not Fault.CUT_ALWAYS:
            self.fault = Fault.NONE if self.fault is not Fault.SILENCE else self.fault
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
