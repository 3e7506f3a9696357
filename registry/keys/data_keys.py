"""Data keys: one per person, so that one person can be erased alone."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NoReturn

from registry.crypto.data_key import KEY_BYTES, DataKey
from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.domain.ids import PersonId, RegistryId
from registry.keys.erased import ErasedList
from registry.keys.ports import KeyProvider, Unopened, WrappedHead, WrappedKey

DEFAULT_MAX_KEYS = 20_000
DEFAULT_MAX_SECONDS = 300.0

_CONTEXT = b"registry/data-key/v1\0"


@dataclass(frozen=True, slots=True)
class _Cached:
    wrapped: WrappedKey
    key: DataKey
    expires_at: float


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How many opened data keys are kept, and how long after unwrapping (not after the last use), in seconds."""

    max_keys: int = DEFAULT_MAX_KEYS
    max_seconds: float = DEFAULT_MAX_SECONDS


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """How the cache stands: keys asked for, keys that the provider opened, keys kept now."""

    uses: int
    unwraps: int
    kept: int


def context_of(registry: RegistryId, owner: PersonId) -> bytes:
    """Return what a stored key is bound to: the registry, and the person or thing whose it is."""
    named = registry.encode()
    return b"".join((_CONTEXT, len(named).to_bytes(4, "big"), named, owner.encode()))


class DataKeys:
    """Makes and opens the data keys of one registry's people. Safe to share between threads."""

    def __init__(
        self,
        provider: KeyProvider,
        registry: RegistryId,
        *,
        limits: CacheLimits | None = None,
        erased: ErasedList | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the provider that holds the key-encryption key.

        Args:
            provider: wraps and unwraps.
            registry: bound into every wrapped key.
            limits: of the cache of opened keys.
            erased: whose keys are not opened, whatever is stored of them; None where keys are not people's.
            monotonic: seconds that never go backwards.
        """
        self._provider = provider
        self._registry = registry
        self._limits = limits or CacheLimits()
        self._erased = erased
        self._monotonic = monotonic
        self._lock = Lock()
        self._cache: OrderedDict[PersonId, _Cached] = OrderedDict()
        self._forgotten = 0
        self._uses = 0
        self._unwraps = 0

    def new_key(self, person: PersonId) -> tuple[DataKey, WrappedKey]:
        """Make a person's data key.

        Not cached: an import of many people must not push the keys in use out of the cache.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        raw = random_bytes(KEY_BYTES)
        return DataKey(raw), self._provider.wrap(self._context(person), raw)

    def new_keys(self, persons: Iterable[PersonId]) -> tuple[tuple[DataKey, WrappedKey], ...]:
        """Make several people's data keys in as few calls of the provider as it needs; not cached either.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        made = [(self._context(person), random_bytes(KEY_BYTES)) for person in persons]
        wrapped = self._provider.wrap_many(made)
        return tuple((DataKey(raw), each) for (_, raw), each in zip(made, wrapped, strict=True))

    def prepare(self, wanted: Iterable[tuple[PersonId, WrappedKey]]) -> None:
        """Open several people's keys into the cache, in as few calls of the provider as it needs.

        Never fails: what cannot be opened is told by ``open_key``, for that person alone.
        """
        with self._lock:
            missing = {person: key for person, key in wanted if self._fresh(person, key) is None}
            forgotten = self._forgotten
        try:
            missing = {person: key for person, key in missing.items() if not self._is_erased(person)}
            if not missing:
                return
            opened = self._provider.unwrap_many([(self._context(person), key) for person, key in missing.items()])
        except KeyUnavailable:
            return
        keys = {
            person: DataKey(raw)
            for person, raw in zip(missing, opened, strict=True)
            if isinstance(raw, bytes) and len(raw) == KEY_BYTES
        }
        with self._lock:
            self._unwraps += len(keys)
            if forgotten == self._forgotten:
                for person, key in keys.items():
                    self._keep(person, missing[person], key)

    def open_key(self, person: PersonId, wrapped: WrappedKey) -> DataKey:
        """Open a person's data key as stored.

        A key comes from the cache only if the very same wrapped bytes were opened before.

        Raises:
            EnvelopeRejected: the wrapped key is changed or another person's.
            KeyUnavailable: the provider cannot be used now, or no longer holds that key id; or the person was erased.
        """
        with self._lock:
            self._uses += 1
            found = self._fresh(person, wrapped)
            forgotten = self._forgotten
        if found is not None:
            return found
        if self._erased is not None:
            self._erased.demand_kept(person)
        raw = self._provider.unwrap(self._context(person), wrapped)  # outside the lock: it may be far away
        if len(raw) != KEY_BYTES:
            raise EnvelopeRejected("a wrapped key does not open")
        key = DataKey(raw)
        with self._lock:
            self._unwraps += 1
            if forgotten == self._forgotten:  # else this person may have been erased in between
                self._keep(person, wrapped, key)
        return key

    def wrapped_anew(self, items: Sequence[tuple[PersonId, WrappedKey]]) -> tuple[WrappedKey | Unopened, ...]:
        """Wrap stored keys under the current key-encryption key, in as few calls of the provider as it needs.

        Nothing is cached, and no key leaves here unwrapped.

        Returns:
            For each, in order, the key as it is to be stored, or why the stored one does not open.

        Raises:
            KeyUnavailable: the provider cannot be used now; none was wrapped.
        """
        owners = [self._context(person) for person, _ in items]
        opened = self._provider.unwrap_many(list(zip(owners, (key for _, key in items), strict=True)))
        sound = [(owner, raw) for owner, raw in zip(owners, opened, strict=True) if isinstance(raw, bytes)]
        wrapped = iter(self._provider.wrap_many(sound))
        return tuple(next(wrapped) if isinstance(raw, bytes) else raw for raw in opened)

    def generation(self) -> WrappedHead:
        """Return how every key begins that is wrapped now; see ``KeyProvider``."""
        return self._provider.generation()

    def figures(self) -> KeyFigures:
        """Return how the cache stands."""
        with self._lock:
            return KeyFigures(self._uses, self._unwraps, len(self._cache))

    def forget(self, person: PersonId) -> None:
        """Drop a person's opened key from this process, also one that is being opened right now."""
        with self._lock:
            self._forgotten += 1
            self._cache.pop(person, None)

    def forget_all(self) -> None:
        """Drop every opened key from this process."""
        with self._lock:
            self._forgotten += 1
            self._cache.clear()

    def _fresh(self, person: PersonId, wrapped: WrappedKey) -> DataKey | None:
        cached = self._cache.get(person)
        if cached is None or cached.wrapped != wrapped:
            return None
        if self._monotonic() >= cached.expires_at:
            del self._cache[person]
            return None
        self._cache.move_to_end(person)
        return cached.key

    def _keep(self, person: PersonId, wrapped: WrappedKey, key: DataKey) -> None:
        self._cache[person] = _Cached(wrapped, key, self._monotonic() + self._limits.max_seconds)
        self._cache.move_to_end(person)
        while len(self._cache) > self._limits.max_keys:
            self._cache.popitem(last=False)

    def _is_erased(self, person: PersonId) -> bool:
        return self._erased is not None and self._erased.covers(person)

    def _context(self, person: PersonId) -> bytes:
        return context_of(self._registry, person)

    def __repr__(self) -> str:
        return f"DataKeys({self._registry})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
