"""Stands between a client and a server on this machine: accepts, connects on, and ends with everything it opened."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Self


class Relay(ABC):
    """A listener with two threads a connection; what they pass on is for the kind of relay to say."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @abstractmethod
    def connect(self) -> socket.socket:
        """Return a connection to the server behind; one that is not there ends the client's."""

    @abstractmethod
    def pair(self, client: socket.socket, server: socket.socket) -> tuple[threading.Thread, threading.Thread]:
        """Return the threads that pass on what the client and the server say."""

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        hang_up(self._listening, *self._open)
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
            server = self.connect()
            self._open += [client, server]
            threads = self.pair(client, server)
            self._threads += threads
            for thread in threads:
                thread.start()


def hang_up(*connections: socket.socket) -> None:
    """End connections in both directions; those that are ended already stay so."""
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
