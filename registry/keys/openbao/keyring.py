"""The keyring of a registry whose keys OpenBao holds: files that are worth nothing without it.

What wraps people's data keys, the ledger's openings and traces never leaves OpenBao. What has to be computed with in
this process (index, marks, idempotency) lies in the key folder wrapped under a transit key, and is opened at start.
The ledger's signing key lies there as in the local ring: it opens nothing, and a ledger must be able to go on, and to
say so, when the key service is gone for good.

A key file, one fact a line::

    registry-sealed-key/v1
    purpose: index
    key-id: index-9f1c2a3b4c5d6e7f
    created: 2026-03-02T09:00:00.000Z
    transit-key: registry-secrets
    sealed: <wrapped 32 bytes as base64>
    checksum: <SHA-256 of the lines above, hexadecimal>

For ``data``, ``bodies`` and ``cases`` the 32 bytes are used for nothing but this: that they open, and give their key
id, shows that the transit key is the one that this registry was made with.
"""

from __future__ import annotations

import base64
import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from registry.domain.clock import Clock, SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import WRONG_KEY, not_the_key_of
from registry.keys.key_files import (
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    key_id_of,
    open_folder,
    parse_key,
    read_file,
    render_key,
    with_checksum,
)
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.openbao.transit import TransitKey, TransitProvider, version_of
from registry.keys.ports import (
    LEDGER_PURPOSE,
    PROVIDER_PURPOSES,
    SECRET_PURPOSES,
    ProviderPurpose,
    ServiceKey,
)
from registry.keys.ring_folder import (
    SEALED_HEADER,
    RingContent,
    create_ring,
    file_of,
    load_key,
    load_ring,
    one_of,
)
from registry.keys.ring_forms import write_again
from registry.keys.ring_keys import RingKeys

_HEADER = "registry-sealed-key/v1"
_FIELDS = ("purpose", "key-id", "created", "transit-key", "sealed")
_CONTEXT = b"registry/sealed-key/v1\0"
_HEALTHY_SECONDS = 1.0


class _SealedForm:
    """Keys wrapped by OpenBao; the ledger's in the clear."""

    header = SEALED_HEADER

    def __init__(self, session: Session) -> None:
        self._session = session

    def render(self, material: KeyMaterial) -> bytes:
        if material.purpose == LEDGER_PURPOSE:
            return render_key(material)
        name = _transit_key(self._session.settings, material.purpose)
        (blob,) = TransitKey(self._session, name).wrap([(file_context(material.purpose), material.secret)])
        sealed = base64.b64encode(blob).decode()
        values = (material.purpose, material.key_id, material.created, name, sealed)
        lines = "".join(f"{field}: {value}\n" for field, value in zip(_FIELDS, values, strict=True))
        return with_checksum(f"{_HEADER}\n{lines}")

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        if purpose == LEDGER_PURPOSE:
            return parse_key(content, purpose, name)
        values = _values(content, name)
        if values["purpose"] != purpose or values["transit-key"] != _transit_key(self._session.settings, purpose):
            raise KeyUnavailable(f"{name} is of another purpose, or key_prefix was changed since it was made")
        secret = self._opened(values, purpose, name)
        if len(secret) != KEY_BYTES or values["key-id"] != key_id_of(purpose, secret):
            raise KeyUnavailable(not_the_key_of(name, purpose, values["transit-key"]), WRONG_KEY)
        return KeyMaterial(purpose, values["key-id"], values["created"], secret)

    def _opened(self, values: Mapping[str, str], purpose: str, name: str) -> bytes:
        try:
            blob = base64.b64decode(values["sealed"], validate=True)
        except ValueError:
            raise KeyUnavailable(f"{name} is not a complete key file; restore it from a backup") from None
        (opened,) = TransitKey(self._session, values["transit-key"]).unwrap([(file_context(purpose), blob)])
        if isinstance(opened, bytes):
            return opened
        if isinstance(opened, EnvelopeRejected):
            why = f"{values['transit-key']} of the key service is not the key that this registry was made with"
            raise KeyUnavailable(why, WRONG_KEY)
        raise opened


class OpenBaoKeyring(RingKeys):
    """The keys of a registry that OpenBao holds. Never shown, never pickled."""

    __slots__ = ("_healthy_until", "_monotonic", "_session")

    def __init__(self, folder: Path, session: Session, content: RingContent) -> None:
        super().__init__(folder, _SealedForm(session), content)
        self._session = session
        self._monotonic = time.monotonic
        self._healthy_until = -math.inf

    @classmethod
    def create(cls, folder: Path, session: Session, *, clock: Clock | None = None) -> OpenBaoKeyring:
        """Make a new ring, or complete one whose making was interrupted; see ``create_ring``."""
        return cls(folder, session, create_ring(folder, _SealedForm(session), clock or SystemClock()))

    @classmethod
    def load(cls, folder: Path, session: Session) -> OpenBaoKeyring:
        """Read a finished ring; see ``load_ring``."""
        return cls(folder, session, load_ring(folder, _SealedForm(session)))

    def provider(self, purpose: ProviderPurpose) -> TransitProvider:
        """Return the provider that wraps under the transit key of a purpose."""
        key_id = self._content.current[one_of(purpose, PROVIDER_PURPOSES)].key_id
        name = self._session.settings.key_of(purpose)
        return TransitProvider(TransitKey(self._session, name), name, key_id)

    def health(self) -> None:
        """Have the file of one key opened, and wrap and unwrap under that key; see ``Keyring``.

        Whoever asks whether the registry is ready must not become load on the key service: good news are remembered
        for a moment. Bad news are, too, by the session.
        """
        if self._monotonic() < self._healthy_until:
            return
        key = load_key(self._folder, _SealedForm(self._session), "data")
        if key.key_id != self._content.current["data"].key_id:
            raise KeyUnavailable(f"{self._folder} holds another {key.purpose} key than at start; restart")
        self.provider("data").health()
        self._healthy_until = self._monotonic() + _HEALTHY_SECONDS

    def service_key(self, purpose: str) -> ServiceKey | None:
        """Return how a transit key stands; see ``Keyring``. What is below the newest version is not known here."""
        if purpose == LEDGER_PURPOSE:
            return None
        name = _transit_key(self._session.settings, purpose)
        newest = version_of(TransitKey(self._session, name).probe())
        sealed, sealed_at = self._sealed_under(purpose)
        return ServiceKey(name, newest, sealed, sealed_at, self._rotate(name), self._give_up(name, newest))

    def _sealed_under(self, purpose: str) -> tuple[int, datetime]:
        """Return the version under which a purpose's file is wrapped, and since when."""
        path = self._folder / file_of(purpose)
        descriptor = open_folder(self._folder)
        try:
            values = _values(read_file(self._folder, descriptor, path.name), str(path))
            written = path.stat().st_mtime
        except OSError as error:
            raise KeyUnavailable(f"{path} cannot be read: {error.strerror}") from None
        finally:
            os.close(descriptor)
        return version_of(base64.b64decode(values["sealed"])), datetime.fromtimestamp(written, UTC)

    def rotate(self, purpose: ProviderPurpose, clock: Clock) -> NoReturn:
        """Refuse: the registry may not rotate keys at the key service; see ``Keyring``."""
        del clock  # the service has its own
        command = self._rotate(self._session.settings.key_of(purpose))
        raise KeyUnavailable(f"keys of the key service are rotated there: {command}; then run: registry keys rewrap")

    def seal_anew(self) -> None:
        """Have the files of the folder wrapped under the newest versions; see ``Keyring``.

        Without it the registry could not start again once the versions of their day are trimmed.
        """
        write_again(self._folder, _SealedForm(self._session))

    def discard(self, key_id: str) -> NoReturn:
        """Refuse, like ``rotate``; see ``Keyring``."""
        commands = "; ".join(self._give_up(_transit_key(self._session.settings, key_id.partition("-")[0]), "N"))
        raise KeyUnavailable(f"earlier versions of a key of the key service are given up there: {commands}")

    def _rotate(self, name: str) -> str:
        return f"bao write -f {self._path(name)}/rotate"

    def _give_up(self, name: str, least: int | str) -> tuple[str, str]:
        path = self._path(name)
        return (
            f"bao write {path}/config min_decryption_version={least} min_encryption_version={least}",
            f"bao write {path}/trim min_available_version={least}",
        )

    def _path(self, name: str) -> str:
        return f"{self._session.settings.mount}/keys/{name}"

    def close(self) -> None:
        """Close the connections to the key service; see ``Keyring``."""
        self._session.close()


def _transit_key(settings: KeyServiceSettings, purpose: str) -> str:
    return settings.secrets_key if purpose in SECRET_PURPOSES else f"{settings.key_prefix}-{purpose}"


def file_context(purpose: str) -> bytes:
    """Return what the file of a purpose is bound to."""
    return _CONTEXT + purpose.encode()


def _values(content: bytes, name: str) -> dict[str, str]:
    pairs = [line.partition(": ")[::2] for line in checked_lines(content, _HEADER, name)]
    if tuple(field for field, _ in pairs) != _FIELDS:
        raise KeyUnavailable(f"{name} is not a complete key file; restore it from a backup")
    return dict(pairs)
