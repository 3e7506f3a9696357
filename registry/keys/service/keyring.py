"""The keyring of a registry whose keys a service keeps that knows single keys: AWS KMS, or a PKCS#11 token."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from registry.crypto.random import random_bytes
from registry.crypto.tags import equal
from registry.domain.clock import Clock, SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import GIVES_ANOTHER, WRONG_KEY
from registry.keys.key_files import KEY_BYTES, KeyMaterial
from registry.keys.ports import (
    HEALTH_CONTEXT,
    LEDGER_PURPOSE,
    MAX_KEY_BYTES,
    MIN_KEY_BYTES,
    PROVIDER_PURPOSES,
    SECRET_PURPOSES,
    KeyBeneath,
    KeyFacts,
    Opened,
    ProviderPurpose,
    WrappedHead,
    WrappedKey,
)
from registry.keys.ring_folder import RingContent, create_ring, file_of, load_key, load_ring, one_of
from registry.keys.ring_forms import write_again
from registry.keys.ring_keys import RingKeys
from registry.keys.service.form import ServiceForm
from registry.keys.service.ports import Binding, KeyService
from registry.keys.service.sealing import Parts, opened, put_together, take_apart

_HEALTHY_SECONDS = 1.0


class ServiceKeyring(RingKeys):
    """The keys of a registry that a key service keeps. Never shown, never pickled."""

    __slots__ = ("_healthy_until", "_monotonic", "_service_form")

    def __init__(self, folder: Path, form: ServiceForm, content: RingContent) -> None:
        super().__init__(folder, form, content)
        self._service_form = form
        self._monotonic = time.monotonic
        self._healthy_until = -math.inf

    @classmethod
    def create(cls, folder: Path, service: KeyService, *, clock: Clock | None = None) -> ServiceKeyring:
        """Make a new ring, or complete one whose making was interrupted; see ``create_ring``."""
        form = ServiceForm(service)
        return cls(folder, form, create_ring(folder, form, clock or SystemClock()))

    @classmethod
    def load(cls, folder: Path, service: KeyService) -> ServiceKeyring:
        """Read a finished ring; see ``load_ring``."""
        form = ServiceForm(service)
        return cls(folder, form, load_ring(folder, form))

    def service_keys(self) -> frozenset[str]:
        """Return what the service calls the keys that this ring rests on."""
        return self._service_form.names()

    def provider(self, purpose: ProviderPurpose) -> ServiceProvider:
        """Return the provider that wraps under the key of a purpose."""
        one_of(purpose, PROVIDER_PURPOSES)
        return ServiceProvider(self, self._service_form, purpose)

    def health(self) -> None:
        """Have the file of one key opened, and wrap and unwrap under that key; see ``Keyring``.

        Whoever asks whether the registry is ready must not become load on the key service: good news are remembered
        for a moment. Bad news are, too, by the service's pause.
        """
        if self._monotonic() < self._healthy_until:
            return
        key = load_key(self._folder, self._service_form, "data")
        if key.key_id != self.current_of("data").key_id:
            raise KeyUnavailable(f"{self._folder} holds another {key.purpose} key than at start; restart")
        self.provider("data").health()
        self._healthy_until = self._monotonic() + _HEALTHY_SECONDS

    def key_beneath(self, facts: KeyFacts, backups_from: datetime) -> KeyBeneath | None:
        """Return what the service calls the key under a key of the ring; see ``Keyring``."""
        if facts.purpose == LEDGER_PURPOSE:
            return None
        form = self._service_form
        name = form.name_of(facts.key_id)
        retire = () if self._is_needed(name, facts.key_id, backups_from) else form.service.retire(name)
        return KeyBeneath(name, form.service.present(facts.key_id), form.service.asked_as, retire)

    def _is_needed(self, name: str, key_id: str, backups_from: datetime) -> bool:
        """Return whether another key of the ring rests on this one of the service, or its file did in a backup."""
        others = [one for one in self.key_facts() if one.purpose != LEDGER_PURPOSE and one.key_id != key_id]
        if any(self._service_form.name_of(one.key_id) == name for one in others):
            return True
        # A secret's file moves from one key of the service to another: what a backup has may rest on this one.
        files = [self._folder / file_of(purpose) for purpose in SECRET_PURPOSES]
        return any(datetime.fromtimestamp(path.stat().st_mtime, UTC) > backups_from for path in files)

    def seal_anew(self) -> None:
        """Have the files of the folder sealed once more, under the service's newest key material; see ``Keyring``."""
        self._take(write_again(self._folder, self._service_form))

    def discard(self, key_id: str) -> None:
        """Destroy an earlier key, and the service's key under it where the registry may; see ``Keyring``."""
        purpose = key_id.partition("-")[0]
        name = self._service_form.name_of(self.key_of(one_of(purpose, PROVIDER_PURPOSES), key_id).key_id)  # type: ignore[arg-type] # one_of has looked
        super().discard(key_id)
        self._service_form.service.destroy(name)

    def close(self) -> None:
        """Close what is open to the key service; see ``Keyring``."""
        self._service_form.service.close()


class ServiceProvider:
    """A ``KeyProvider`` on the keys of one purpose: it takes the ring's file and the service to open anything."""

    __slots__ = ("_form", "_purpose", "_ring")

    def __init__(self, ring: ServiceKeyring, form: ServiceForm, purpose: ProviderPurpose) -> None:
        """Take the ring, what knows the service's names, and whose keys."""
        self._ring = ring
        self._form = form
        self._purpose: ProviderPurpose = purpose

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key; see ``KeyProvider``."""
        return self.wrap_many([(context, key)])[0]

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key; see ``KeyProvider``."""
        (found,) = self.unwrap_many([(context, wrapped)])
        if isinstance(found, bytes):
            return found
        raise found

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        """Wrap several keys; see ``KeyProvider``."""
        if not all(MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES for _, key in items):
            raise ValueError("a key to wrap is 16 to 4,096 bytes")
        material = self._ring.current_of(self._purpose)
        once = [random_bytes(KEY_BYTES) for _ in items]
        asked = [(Binding(material.key_id, item[0]), each) for item, each in zip(items, once, strict=True)]
        sealed = self._form.service.wrap(self._form.name_of(material.key_id), asked)
        made = zip(items, once, sealed, strict=True)
        return tuple(
            WrappedKey(material.key_id, put_together(material.secret, each, blob, item)) for item, each, blob in made
        )

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        """Give back several wrapped keys; see ``KeyProvider``."""
        found: list[Opened] = [EnvelopeRejected("a wrapped key does not open")] * len(items)
        asked: dict[str, list[tuple[int, KeyMaterial, Parts]]] = {}
        for place, (context, wrapped) in enumerate(items):
            try:
                material = self._ring.key_of(self._purpose, wrapped.key_id)
                parts = take_apart(material.secret, context, wrapped.blob)
            except (EnvelopeRejected, KeyUnavailable) as error:
                found[place] = error
                continue
            asked.setdefault(self._form.name_of(material.key_id), []).append((place, material, parts))
        for name, group in asked.items():
            sealed = [(Binding(one.key_id, items[place][0]), parts.sealed) for place, one, parts in group]
            for (place, one, parts), once in zip(group, self._form.service.unwrap(name, sealed), strict=True):
                found[place] = _opened(name, one, once, (parts, items[place][0]))
        return tuple(found)

    def current_key_id(self) -> str:
        """Name the key; see ``KeyProvider``."""
        return self._ring.current_of(self._purpose).key_id

    def generation(self) -> WrappedHead:
        """Return how everything begins that is wrapped now; see ``KeyProvider``."""
        return WrappedHead(self.current_key_id())

    def health(self) -> None:
        """Wrap and unwrap a throw-away key; see ``KeyProvider``."""
        probe = random_bytes(KEY_BYTES)
        try:
            found = self.unwrap(HEALTH_CONTEXT, self.wrap(HEALTH_CONTEXT, probe))
        except EnvelopeRejected:
            found = b""
        if not equal(found, probe):
            raise KeyUnavailable(f"{self.current_key_id()} does not unwrap what it wrapped", WRONG_KEY)

    def __repr__(self) -> str:
        return f"ServiceProvider({self._purpose})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _opened(name: str, material: KeyMaterial, once: Opened, sealed: tuple[Parts, bytes]) -> Opened:
    if not isinstance(once, bytes):
        return once
    try:
        return opened(material.secret, once, *sealed)
    except EnvelopeRejected:
        # The tag under the ring's own key fits: what is stored was not changed, so the service's answer is wrong.
        return KeyUnavailable(f"{name} {GIVES_ANOTHER} was wrapped", WRONG_KEY)
