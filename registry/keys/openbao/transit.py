"""Wrapping under a key of OpenBao's transit engine, which never leaves it.

A wrapped key, in bytes::

    version       1   0x02
    key version   4   of the transit key, big-endian, from 1
    wrapped       n   what follows ``vault:v<key version>:`` in OpenBao's own form, decoded

The transit key is ``derived``: OpenBao makes an AES key for each context, so that bytes moved to another context do
not open. Binary, because two base64 texts can mean the same bytes; key version 0, because OpenBao takes it for 1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from registry.crypto.random import random_bytes
from registry.crypto.tags import equal
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import DISABLED, FAILED, WRONG_KEY, WRONG_VERSION
from registry.keys.key_files import KEY_BYTES
from registry.keys.openbao.session import Session
from registry.keys.ports import HEALTH_CONTEXT, MAX_KEY_BYTES, MIN_KEY_BYTES, Opened, WrappedHead, WrappedKey

AT_ONCE = 200  # OpenBao refuses a request with 1,000 strings; an item has four

_VERSION = b"\x02"
_HEADER_BYTES = 5
_CONTEXT = b"registry/transit/v1\0"  # never empty: OpenBao refuses an empty context
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")
_LONGEST_BLOB = 2 * MAX_KEY_BYTES

_T = TypeVar("_T")


class TransitKey:
    """One key of the transit engine, by name."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name

    def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
        """Wrap keys, each given as context and key.

        Raises:
            KeyUnavailable: the service cannot be used now; nothing is wrapped.
        """
        asked = [{"plaintext": _text(key), "context": _text(bound_context(context))} for context, key in items]
        results = [result for part in _parts(asked) for result in self._ask("encrypt", part)]
        if any(_is_disabled(result.get("error")) for result in results):
            raise self._disabled()
        return tuple(map(_blob, results))

    def probe(self) -> bytes:
        """Wrap a throw-away key: the version that wraps now is in what comes.

        Raises:
            KeyUnavailable: the service cannot be used now.
        """
        (wrapped,) = self.wrap([(b"generation", random_bytes(KEY_BYTES))])
        return wrapped

    def unwrap(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[Opened, ...]:
        """Give keys back, each given as context and wrapped bytes; see ``KeyProvider.unwrap_many``.

        Raises:
            KeyUnavailable: the service cannot be used now; nothing is given back.
        """
        opened: list[Opened] = [_rejected()] * len(items)
        places = [(place, context, text) for place, (context, blob) in enumerate(items) if (text := _ciphertext(blob))]
        for part in _parts(places):
            asked = [{"ciphertext": text, "context": _text(bound_context(context))} for _, context, text in part]
            for (place, _, _), result in zip(part, self._ask("decrypt", asked), strict=True):
                opened[place] = self._opened(result)
        return tuple(opened)

    def _ask(self, what: str, items: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, Any]]:
        path = f"{self._session.settings.mount}/{what}/{self._name}"
        data = self._session.call(path, {"batch_input": items}).document.get("data")
        results = data.get("batch_results") if isinstance(data, dict) else None
        if not isinstance(results, list) or len(results) != len(items):
            _misunderstood()
        if not all(isinstance(result, dict) for result in results):
            _misunderstood()
        return results

    def _opened(self, result: Mapping[str, Any]) -> Opened:
        error, plaintext = result.get("error"), result.get("plaintext")
        if error is None and isinstance(plaintext, str):
            return _bytes(plaintext)
        if not isinstance(error, str):
            _misunderstood()
        if _is_disabled(error):
            return self._disabled()
        if "too old" in error:
            why = f"{self._name} no longer opens under this key version; lower its min_decryption_version"
            return KeyUnavailable(why, WRONG_VERSION)
        if "too new" in error:
            why = f"{self._name} lacks the key version that wrapped this; was the service put back from an older state?"
            return KeyUnavailable(why, WRONG_VERSION)
        if "authentication failed" in error or "invalid ciphertext" in error:
            return _rejected()
        return KeyUnavailable(f"{self._name} does not unwrap, for a reason unknown here", FAILED)

    def _disabled(self) -> KeyUnavailable:
        restore = f"bao write -f {self._session.settings.mount}/keys/{self._name}/soft-delete-restore"
        return KeyUnavailable(f"{self._name} was soft-deleted at the key service; run there: {restore}", DISABLED)


class TransitProvider:
    """A ``KeyProvider`` on one transit key."""

    def __init__(self, key: TransitKey, name: str, key_id: str) -> None:
        """Take the key, its name for messages, and the id that wrapped keys are stored with."""
        self._key = key
        self._name = name
        self._key_id = key_id

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key; see ``KeyProvider``."""
        return self.wrap_many([(context, key)])[0]

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key; see ``KeyProvider``."""
        (opened,) = self.unwrap_many([(context, wrapped)])
        if isinstance(opened, bytes):
            return opened
        raise opened

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        """Wrap several keys; see ``KeyProvider``."""
        if not all(MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES for _, key in items):
            raise ValueError("a key to wrap is 16 to 4,096 bytes")
        return tuple(WrappedKey(self._key_id, blob) for blob in self._key.wrap(items))

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        """Give back several wrapped keys; see ``KeyProvider``."""
        opened: list[Opened] = [self._not_held()] * len(items)
        places = [place for place, (_, wrapped) in enumerate(items) if wrapped.key_id == self._key_id]
        asked = [(items[place][0], items[place][1].blob) for place in places]
        for place, result in zip(places, self._key.unwrap(asked), strict=True):
            opened[place] = result
        return tuple(opened)

    def current_key_id(self) -> str:
        """Name the key; see ``KeyProvider``."""
        return self._key_id

    def generation(self) -> WrappedHead:
        """Return how everything begins that is wrapped now: the version of the key is in it; see ``KeyProvider``."""
        return WrappedHead(self._key_id, self._key.probe()[:_HEADER_BYTES])

    def health(self) -> None:
        """Wrap and unwrap a throw-away key; see ``KeyProvider``."""
        probe = random_bytes(KEY_BYTES)
        (opened,) = self._key.unwrap([(HEALTH_CONTEXT, self._key.wrap([(HEALTH_CONTEXT, probe)])[0])])
        if not isinstance(opened, bytes) or not equal(opened, probe):
            raise KeyUnavailable(f"{self._name} does not unwrap what it wrapped", WRONG_KEY)

    def _not_held(self) -> KeyUnavailable:
        return KeyUnavailable(f"{self._name} is {self._key_id}, not the key that was used to wrap", WRONG_KEY)

    def __repr__(self) -> str:
        return f"TransitProvider({self._key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _blob(result: Mapping[str, Any]) -> bytes:
    text = result.get("ciphertext")
    found = _CIPHERTEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None or result.get("error"):
        _misunderstood()
    return b"".join((_VERSION, int(found[1]).to_bytes(4, "big"), _bytes(found[2])))


def _is_disabled(error: object) -> bool:
    return isinstance(error, str) and "soft-deleted" in error


def _ciphertext(blob: bytes) -> str:
    """Return OpenBao's own form of wrapped bytes, empty when they cannot be any."""
    version = version_of(blob)
    if blob[:1] != _VERSION or not _HEADER_BYTES < len(blob) <= _LONGEST_BLOB or version < 1:
        return ""
    return f"vault:v{version}:{_text(blob[_HEADER_BYTES:])}"


def version_of(blob: bytes) -> int:
    """Return the version of the transit key that wrapped something."""
    return int.from_bytes(blob[1:_HEADER_BYTES], "big")


def bound_context(context: bytes) -> bytes:
    """Return a context as the transit engine is given it."""
    return _CONTEXT + context


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        _misunderstood()


def _rejected() -> EnvelopeRejected:
    return EnvelopeRejected("a wrapped key does not open")


def _misunderstood() -> NoReturn:
    raise KeyUnavailable("the key service answers something else than was asked", FAILED)
