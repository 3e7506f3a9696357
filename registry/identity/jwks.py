"""Issuers' public keys, kept for a while. The hot path reads one reference and takes no lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

import structlog

from registry.domain.errors import KeyUnavailable
from registry.identity.discovery import key_address
from registry.identity.issuers import IssuerSettings, Networks
from registry.identity.key_set import MAX_DOCUMENT_BYTES, KeySet, VerificationKey, read_key_set
from registry.identity.refusals import Refusal, refuse

FRESH_SECONDS = 300
RETRY_SECONDS = 10
STALE_SECONDS = 24 * 3600
WAIT_SECONDS = 2

BACK_OFF_SECONDS = 80  # the longest time between two attempts while the issuer fails


log = structlog.get_logger("registry.identity")


class Fetch(Protocol):
    """Fetches a document; ``jwks_http.HttpFetch`` does."""

    def __call__(self, url: str, networks: Networks = ()) -> bytes:
        """Return the document at an address.

        Raises:
            KeyUnavailable: it cannot be had, or is on a machine that is neither public nor in one of the networks.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Snapshot:
    keys: KeySet
    fetched_at: float


class _Slot:
    """One issuer's keys. ``snapshot`` is replaced as a whole; the rest changes under ``lock`` only."""

    __slots__ = ("attempted_at", "failure", "failures", "lock", "snapshot")

    def __init__(self) -> None:
        self.lock = Lock()
        self.snapshot: _Snapshot | None = None
        self.attempted_at: float | None = None
        self.failure = ""
        self.failures = 0


@dataclass(frozen=True, slots=True)
class KeySetStatus:
    """What an operator wants to know about one issuer's keys.

    Attributes:
        issuer: its name.
        keys: number of usable keys; 0 when none were ever had.
        age_seconds: since the last successful fetch; None when there was none.
        failure: why the last attempt failed, empty when it did not.
    """

    issuer: str
    keys: int
    age_seconds: float | None
    failure: str


class JwksCache:
    """Keys by issuer and ``kid``.

    A set is fresh for 300 s. It is fetched again when it is stale or a token names an unknown key, by one thread
    at a time and at most once in 10 s, whatever arrives; less often while the issuer fails (20, 40, 80 s). When the
    issuer cannot be reached the last set stays in use for 24 h at most.
    """

    def __init__(self, fetch: Fetch, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the means.

        Args:
            fetch: fetches documents.
            monotonic: seconds from any start, never backwards.
        """
        self._fetch = fetch
        self._monotonic = monotonic
        self._slots: dict[str, _Slot] = {}
        self._slots_lock = Lock()

    def find(self, settings: IssuerSettings, key_id: str) -> VerificationKey:
        """Return an issuer's key, fetching the set if need be.

        Raises:
            TokenRefused: ``unknown_key``, or ``keys_unavailable`` when there is no set young enough to go by.
        """
        slot = self._slot(settings)
        held = slot.snapshot
        if held is None or self._age(held) >= FRESH_SECONDS or key_id not in held.keys:
            held = self._refreshed(slot, settings, key_id)
        if held is None or self._age(held) >= STALE_SECONDS:
            refuse(Refusal.KEYS_UNAVAILABLE)
        key = held.keys.get(key_id)
        if key is None:
            refuse(Refusal.UNKNOWN_KEY)
        return key

    def has_keys(self, settings: IssuerSettings) -> bool:
        """Tell whether there are keys to verify an issuer's tokens with, fetching them if there never were any."""
        slot = self._slot(settings)
        held = slot.snapshot
        if held is None or self._age(held) >= STALE_SECONDS:
            held = self._refreshed(slot, settings, "")
        return held is not None and self._age(held) < STALE_SECONDS

    def status(self) -> list[KeySetStatus]:
        """Report on every issuer asked for so far; for health checks and metrics."""
        now = self._monotonic()
        report = []
        for issuer, slot in sorted(self._slots.copy().items()):
            held = slot.snapshot
            age = None if held is None else now - held.fetched_at
            report.append(KeySetStatus(issuer, 0 if held is None else len(held.keys), age, slot.failure))
        return report

    def _slot(self, settings: IssuerSettings) -> _Slot:
        slot = self._slots.get(settings.issuer)
        if slot is None:
            with self._slots_lock:
                slot = self._slots.setdefault(settings.issuer, _Slot())
        return slot

    def _age(self, held: _Snapshot) -> float:
        return self._monotonic() - held.fetched_at

    def _refreshed(self, slot: _Slot, settings: IssuerSettings, key_id: str) -> _Snapshot | None:
        seen = slot.snapshot
        if not slot.lock.acquire(timeout=self._patience(seen, key_id)):
            return slot.snapshot
        try:
            if slot.snapshot is seen and self._may_try(slot):
                self._load(slot, settings)
            return slot.snapshot
        finally:
            slot.lock.release()

    def _patience(self, seen: _Snapshot | None, key_id: str) -> float:
        """Say how many seconds a caller waits for the thread that is fetching.

        Nobody who has a key waits for a newer one. For an unknown key the wait is short: else a flood of made-up
        key names and a slow issuer would hold every worker. Without any keys there is nothing to go on with: -1, no
        limit (the fetch itself has one).
        """
        if seen is None or self._age(seen) >= STALE_SECONDS:
            return -1
        return 0 if key_id in seen.keys else WAIT_SECONDS

    def _may_try(self, slot: _Slot) -> bool:
        wait = min(RETRY_SECONDS << max(0, min(slot.failures, 8) - 1), BACK_OFF_SECONDS)
        return slot.attempted_at is None or self._monotonic() - slot.attempted_at >= wait

    def _load(self, slot: _Slot, settings: IssuerSettings) -> None:
        try:
            document = self._document(settings)
            keys = read_key_set(document, settings.algorithm)
        except KeyUnavailable as failure:
            slot.failure = failure.cause
            slot.failures += 1
            log.warning("the keys of an issuer cannot be had", cause=failure.cause)
        else:
            slot.failure, slot.failures = "", 0
            slot.snapshot = _Snapshot(keys, self._monotonic())
        finally:
            # Counted from the end: those who waited through a slow failure do not each try it again.
            slot.attempted_at = self._monotonic()

    def _document(self, settings: IssuerSettings) -> bytes:
        if settings.jwks_file is not None:
            return read_key_file(settings.jwks_file)
        return self._fetch(self._address(settings), settings.networks)

    def _address(self, settings: IssuerSettings) -> str:
        if settings.discovery is not None:
            # Asked for anew each time, so that an issuer may move its keys; twice in five minutes costs nothing.
            return key_address(self._fetch(settings.discovery, settings.networks), settings)
        if settings.jwks_uri is None:  # the settings admit no such thing
            raise KeyUnavailable("key set: no source")
        return settings.jwks_uri


def read_key_file(path: Path) -> bytes:
    """Read a JWK Set from a file; for the development issuer.

    Raises:
        KeyUnavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError:
        raise KeyUnavailable("key set: the file cannot be read") from None
