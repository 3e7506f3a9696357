"""Wrapping under keys of a PKCS#11 token, which were made there and cannot leave it.

Each key of the ring has one AES-256 key on the token, ``SENSITIVE`` and not ``EXTRACTABLE``, labelled
``<prefix>-<id of the ring's key>``. What it wraps, in bytes::

    nonce       12   random, from this process: not every token makes its own, and none may be trusted to say so
    ciphertext  32   AES-256-GCM inside the token, the binding as associated data
    tag         16

Random nonces hold for 2**32 wraps under one key (NIST SP 800-38D, 8.3): rotate long before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as given

from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import DISABLED, FAILED, WRONG_KEY
from registry.keys.key_files import KEY_BYTES
from registry.keys.pause import Pause
from registry.keys.pkcs11.errors import meaning
from registry.keys.pkcs11.sessions import Sessions
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.ports import Opened
from registry.keys.ring_folder import PKCS11_HEADER
from registry.keys.service.ports import Binding

_NONCE_BYTES = 12
_TAG_BITS = 128
_SEALED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BITS // 8
_CONTEXT = b"registry/pkcs11/v1\0"


class TokenService:
    """A ``KeyService`` on one token. Safe to share between threads."""

    header = PKCS11_HEADER

    def __init__(self, settings: TokenSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Prepare; the token is not touched before the first question."""
        self.settings = settings
        self._sessions = Sessions(settings, Pause(monotonic))

    def name_for(self, key_id: str) -> str:
        """Return the label of the token's key, which is made when it is not there; see ``KeyService``."""
        label = self.present(key_id)
        self._ask(lambda session: _made(session, label))
        return label

    def present(self, key_id: str) -> str:
        """Return the label that the token's key has: each key of the ring has its own."""
        return f"{self.settings.key_prefix}-{key_id}"

    @property
    def asked_as(self) -> str:
        """The token's label."""
        return self.settings.token_label

    def retire(self, name: str) -> tuple[str, ...]:
        """Return nothing: ``destroy`` takes it from the token."""
        del name
        return ()

    def wrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[bytes, ...]:
        """Wrap 32 bytes each, all in one session; see ``KeyService``."""
        return self._ask(lambda session: _wrapped(_key(session, name), items)) if items else ()

    def unwrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[Opened, ...]:
        """Give back what was wrapped, all in one session; see ``KeyService``."""
        return self._ask(lambda session: _unwrapped(_key(session, name), items)) if items else ()

    def destroy(self, name: str) -> None:
        """Destroy the token's key: what it wrapped opens no more, unless the token itself was copied."""
        self._ask(lambda session: _key(session, name).destroy())

    def look(self) -> str:
        """Log in; see ``KeyService``."""
        self._ask(lambda session: session.token)
        return f"token {self.settings.token_label} is there, and takes the PIN"

    def close(self) -> None:
        """Log out; see ``KeyService``."""
        self._sessions.close()

    def _ask(self, work: Callable[[Any], Any]) -> Any:
        try:
            return self._sessions.use(work)
        except given.PKCS11Error as error:
            raise meaning(error, self.settings.token_label) from None

    def __repr__(self) -> str:
        return f"TokenService({self.settings.token_label})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a way to the key service is never pickled")


def _key(session: Any, label: str) -> Any:
    """Find a key by its label, and refuse one that could be read out of the token."""
    key = session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, label=label)
    if not key[Attribute.SENSITIVE] or key[Attribute.EXTRACTABLE]:
        raise KeyUnavailable(f"{label} could be read out of the token; it is not a key that was made here", WRONG_KEY)
    if not (hasattr(key, "encrypt") and hasattr(key, "decrypt")):  # what a key may not do, the binding leaves out
        raise KeyUnavailable(f"{label} may not encrypt and decrypt any more; the token's officer lets it", DISABLED)
    return key


def _made(session: Any, label: str) -> None:
    try:
        _key(session, label)
    except given.NoSuchKey:
        template = {
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.PRIVATE: True,
            Attribute.ENCRYPT: True,
            Attribute.DECRYPT: True,
            Attribute.WRAP: False,
            Attribute.UNWRAP: False,
            Attribute.DERIVE: False,
            Attribute.SIGN: False,
            Attribute.VERIFY: False,
        }
        session.generate_key(KeyType.AES, 256, label=label, id=label.encode(), store=True, template=template)


def _wrapped(key: Any, items: Sequence[tuple[Binding, bytes]]) -> tuple[bytes, ...]:
    return tuple(_seal(key, binding, plain) for binding, plain in items)


def _seal(key: Any, binding: Binding, plain: bytes) -> bytes:
    nonce = random_bytes(_NONCE_BYTES)
    sealed: bytes = key.encrypt(plain, mechanism=Mechanism.AES_GCM, mechanism_param=_parameters(nonce, binding))
    if len(nonce + sealed) != _SEALED_BYTES:
        _misunderstood()  # it would never open
    return nonce + sealed


def _unwrapped(key: Any, items: Sequence[tuple[Binding, bytes]]) -> tuple[Opened, ...]:
    return tuple(_opened(key, binding, blob) for binding, blob in items)


def _opened(key: Any, binding: Binding, blob: bytes) -> Opened:
    if len(blob) != _SEALED_BYTES:
        return EnvelopeRejected("a wrapped key does not open")
    parameters = _parameters(blob[:_NONCE_BYTES], binding)
    try:
        plain: bytes = key.decrypt(blob[_NONCE_BYTES:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
    except (given.EncryptedDataInvalid, given.EncryptedDataLenRange):
        return EnvelopeRejected("a wrapped key does not open")
    if len(plain) != KEY_BYTES:
        _misunderstood()
    return plain


def _misunderstood() -> NoReturn:
    raise KeyUnavailable("the token answers something else than was asked", FAILED)


def _parameters(nonce: bytes, binding: Binding) -> GCMParams:
    name = binding.key_id.encode()
    aad = b"".join((_CONTEXT, len(name).to_bytes(2, "big"), name, binding.context))
    return GCMParams(nonce, aad=aad, tag_bits=_TAG_BITS)
