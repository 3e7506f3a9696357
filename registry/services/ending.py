"""Whether this process is ending: what watchers and new requests are told while those at work are still answered."""

from __future__ import annotations


class Ending:
    """Goes from serving to announced to refusing, and never back. Safe in any thread and in a signal handler."""

    def __init__(self) -> None:
        self._is_announced = False
        self._is_refusing = False

    @property
    def is_announced(self) -> bool:
        """Whether the end was announced: whoever shares out requests is to send no more."""
        return self._is_announced

    @property
    def is_refusing(self) -> bool:
        """Whether new requests are refused."""
        return self._is_refusing

    def announce(self) -> None:
        """Let watchers know that the end comes."""
        self._is_announced = True

    def refuse(self) -> None:
        """Take no new request."""
        self._is_announced = True
        self._is_refusing = True
