"""A key provider in memory, with switches for everything that a far-away one can do wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from registry.crypto.random import random_bytes
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.ports import Opened, WrappedHead, WrappedKey


class MemoryProvider:
    """Keeps its key-encryption key in memory; passes tests/contract/test_key_provider.py.

    Switches: ``fail_next(n)`` makes the next n calls unavailable; ``wrong_version`` makes ``wrap`` answer in a format
    of the future; ``before_call`` is run at the start of every call (latency, or something that happens meanwhile).
    """

    def __init__(self, key_id: str = "memory-1", *, before_call: Callable[[], None] = lambda: None) -> None:
        self._key_id = key_id
        self._kek = random_bytes(32)
        self._failures = 0
        self.before_call = before_call
        self.wrong_version = False
        self.calls: list[str] = []

    def fail_next(self, count: int = 1) -> None:
        self._failures = count

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        self._enter("wrap")
        blob = wrap_key(self._kek, key, context)
        return WrappedKey(self._key_id, b"\xff" + blob[1:] if self.wrong_version else blob)

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        self._enter("unwrap")
        if wrapped.key_id != self._key_id:
            raise KeyUnavailable(f"{wrapped.key_id} is not held here")
        return unwrap_key(self._kek, wrapped.blob, context)

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        self._enter("wrap_many")
        return tuple(WrappedKey(self._key_id, wrap_key(self._kek, key, context)) for context, key in items)

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        self._enter("unwrap_many")
        return tuple(self._opened(context, wrapped) for context, wrapped in items)

    def _opened(self, context: bytes, wrapped: WrappedKey) -> Opened:
        if wrapped.key_id != self._key_id:
            return KeyUnavailable(f"{wrapped.key_id} is not held here")
        try:
            return unwrap_key(self._kek, wrapped.blob, context)
        except EnvelopeRejected as error:
            return error

    def current_key_id(self) -> str:
        return self._key_id

    def generation(self) -> WrappedHead:
        self._enter("generation")
        return WrappedHead(self._key_id)

    def health(self) -> None:
        self._enter("health")

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        self.before_call()
        if self._failures:
            self._failures -= 1
            raise KeyUnavailable(f"{self._key_id} does not answer")
