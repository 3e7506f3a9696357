"""The end of a connection whose client was quicker."""

from __future__ import annotations

from typing import Any

from registry.api.connections import Connections, GuardedProtocol


class Gone:
    """A transport of a client that has reset its connection."""

    is_aborted = False

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        raise OSError

    def abort(self) -> None:
        self.is_aborted = True


def test_a_client_that_is_gone_is_let_go_without_a_fault() -> None:
    loop: Any = None
    serving: Any = None
    protocol: Any = GuardedProtocol(Connections(None, 1), serving, loop)
    protocol.transport = Gone()
    protocol._linger()
    assert protocol.transport.is_aborted
