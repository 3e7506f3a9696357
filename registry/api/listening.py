"""The listening socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

_REFUSED_AT_ONCE = 8


class Listening(socket.socket):
    """A listening socket that closes connections of sources that are cut off as soon as they are taken.

    A transport, a task and a protocol for each would make them ten times as expensive.

    Attributes:
        is_refused: tells so of an address.
        on_refused: told of an address whose connection is about to be closed.
    """

    is_refused: Callable[[str], bool] | None = None
    on_refused: Callable[[str], object] | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """Take a connection.

        Raises:
            BlockingIOError: there is none, or there were only such as are refused.
        """
        for _ in range(_REFUSED_AT_ONCE):
            connection, address = super().accept()
            if self.is_refused is None or not self.is_refused(address[0]):
                return connection, address
            if self.on_refused is not None:
                self.on_refused(address[0])  # first: whoever sees the connection closed comes again at once
            connection.close()
        raise BlockingIOError
