"""Key files that a key service sealed.

A key file, one fact a line::

    registry-service-key/v1
    purpose: data
    key-id: data-9f1c2a3b4c5d6e7f
    created: 2026-03-02T09:00:00.000Z
    service-key: arn:aws:kms:us-east-1:111122223333:key/1234abcd-...
    sealed: <wrapped 32 bytes as base64>
    checksum: <SHA-256 of the lines above, hexadecimal>

The ledger's signing key lies in the clear, as with OpenBao: it opens nothing, and a ledger must be able to go on, and
to state the loss, when the key service is gone.
"""

from __future__ import annotations

import base64

from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import WRONG_KEY, not_the_key_of
from registry.keys.key_files import (
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    key_id_of,
    parse_key,
    render_key,
    with_checksum,
)
from registry.keys.ports import LEDGER_PURPOSE, SECRET_PURPOSES
from registry.keys.service.ports import Binding, KeyService

_HEADER = "registry-service-key/v1"
_FIELDS = ("purpose", "key-id", "created", "service-key", "sealed")
FILE_CONTEXT = b"registry/service-key/v1"


class ServiceForm:
    """Keys sealed by a key service; knows afterwards what the service calls the key under each of them."""

    def __init__(self, service: KeyService) -> None:
        self.service = service
        self._names: dict[str, str] = {}

    @property
    def header(self) -> str:
        """What kind of ring it is; see ``RingForm``."""
        return self.service.header

    def name_of(self, key_id: str) -> str:
        """Return what the service calls the key under a key of the ring."""
        return self._names[key_id]

    def names(self) -> frozenset[str]:
        """Return what the service calls every key under the ring's own."""
        return frozenset(self._names.values())

    def render(self, material: KeyMaterial) -> bytes:
        """Return the text of a key's file; see ``RingForm``."""
        if material.purpose == LEDGER_PURPOSE:
            return render_key(material)
        name = self._name_for(material)
        (blob,) = self.service.wrap(name, [(Binding(material.key_id, FILE_CONTEXT), material.secret)])
        self._names[material.key_id] = name
        values = (material.purpose, material.key_id, material.created, name, base64.b64encode(blob).decode())
        lines = "".join(f"{field}: {value}\n" for field, value in zip(_FIELDS, values, strict=True))
        return with_checksum(f"{_HEADER}\n{lines}")

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        """Read the text of a key's file; see ``RingForm``."""
        if purpose == LEDGER_PURPOSE:
            return parse_key(content, purpose, name)
        pairs = [line.partition(": ")[::2] for line in checked_lines(content, _HEADER, name)]
        values = dict(pairs)
        if tuple(field for field, _ in pairs) != _FIELDS or values["purpose"] != purpose:
            raise KeyUnavailable(f"{name} is not a complete {purpose} key; restore it from a backup")
        secret = self._opened(values, name)
        if len(secret) != KEY_BYTES or values["key-id"] != key_id_of(purpose, secret):
            raise KeyUnavailable(not_the_key_of(name, purpose, values["service-key"]), WRONG_KEY)
        self._names[values["key-id"]] = values["service-key"]
        return KeyMaterial(purpose, values["key-id"], values["created"], secret)

    def _name_for(self, material: KeyMaterial) -> str:
        # What is stored was wrapped under the key of its day; a file of a secret can move to the newest.
        known = "" if material.purpose in SECRET_PURPOSES else self._names.get(material.key_id, "")
        return known or self.service.name_for(material.key_id)

    def _opened(self, values: dict[str, str], name: str) -> bytes:
        try:
            blob = base64.b64decode(values["sealed"], validate=True)
        except ValueError:
            raise KeyUnavailable(f"{name} is not a complete key file; restore it from a backup") from None
        (found,) = self.service.unwrap(values["service-key"], [(Binding(values["key-id"], FILE_CONTEXT), blob)])
        if isinstance(found, EnvelopeRejected):
            why = f"{values['service-key']} of the key service is not the key that {name} was sealed with"
            raise KeyUnavailable(why, WRONG_KEY)
        if isinstance(found, KeyUnavailable):
            raise found
        return found
