"""Wrapping under a key of AWS KMS, which never leaves it.

Every request names the key by its ARN, so bytes that another key wrapped do not open, and carries an encryption
context, which KMS demands again to decrypt and writes into CloudTrail. It holds the ring's key id, and a hash of the
context that every provider binds: no id of a person stands in CloudTrail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import DISABLED, FAILED, WRONG_KEY
from registry.keys.key_files import KEY_BYTES
from registry.keys.kms.context import encryption_context
from registry.keys.kms.errors import is_of_the_service, meaning
from registry.keys.kms.settings import KmsSettings
from registry.keys.pause import Pause
from registry.keys.ports import Opened
from registry.keys.ring_folder import KMS_HEADER
from registry.keys.service.ports import Binding

AT_ONCE = 8  # KMS takes one key a request: so many are under way together

_A = TypeVar("_A")
_B = TypeVar("_B")


class KmsService:
    """A ``KeyService`` on one key of AWS KMS. Safe to share between threads."""

    header = KMS_HEADER

    def __init__(self, settings: KmsSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is sent before the first question.

        Raises:
            KeyUnavailable: the SDK's own configuration cannot be used.
        """
        self.settings = settings
        self._pause = Pause(monotonic)
        try:
            self._client = _client(settings)
        except BotoCoreError as error:
            raise self._told(error, settings.key) from None

    def name_for(self, key_id: str) -> str:
        """Return the ARN that the configured key stands for now; KMS keys are made by their administrator."""
        del key_id  # all keys of a ring may rest on one key of KMS: the encryption context keeps them apart
        facts = self._describe(self.settings.key)
        arn, state = facts.get("Arn"), facts.get("KeyState")
        if not isinstance(arn, str) or not arn.isprintable():
            _misunderstood()
        if (facts.get("KeyUsage"), facts.get("KeySpec")) != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
            raise KeyUnavailable(f"{arn} is of another kind; it must be symmetric, to encrypt and decrypt", WRONG_KEY)
        if state != "Enabled":
            raise KeyUnavailable(f"{arn} is in state {state}; it must be Enabled", DISABLED)
        return arn

    def present(self, key_id: str) -> str:
        """Return the same as ``name_for``, which makes nothing."""
        return self.name_for(key_id)

    @property
    def asked_as(self) -> str:
        """The alias, id or ARN of the settings."""
        return self.settings.key

    def retire(self, name: str) -> tuple[str, ...]:
        """Return what an administrator of AWS runs: a key that waits for its end can still be brought back."""
        region = f"--region {self.settings.region}"
        return (
            f"aws kms disable-key {region} --key-id {name}",
            f"aws kms schedule-key-deletion {region} --key-id {name} --pending-window-in-days 30",
        )

    def wrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[bytes, ...]:
        """Wrap 32 bytes each; see ``KeyService``."""
        return tuple(_each(lambda item: self._wrap(name, item), items))

    def unwrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[Opened, ...]:
        """Give back what was wrapped; see ``KeyService``."""
        found = _each(lambda item: self._unwrap(name, item), items)
        for one in found:
            if isinstance(one, KeyUnavailable) and is_of_the_service(one):
                raise one
        return tuple(found)

    def destroy(self, name: str) -> None:
        """Do nothing: deleting a key of KMS takes its administrator, and 7 days at least."""

    def look(self) -> str:
        """Ask for the state of the configured key; see ``KeyService``."""
        return f"AWS KMS answers, and {self.name_for('')} is enabled"

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _wrap(self, name: str, item: tuple[Binding, bytes]) -> bytes:
        binding, plain = item
        answer = self._ask("encrypt", name, Plaintext=plain, EncryptionContext=encryption_context(binding))
        blob = answer.get("CiphertextBlob")
        if not isinstance(blob, bytes) or not blob or answer.get("KeyId") != name:
            _misunderstood()
        return blob

    def _unwrap(self, name: str, item: tuple[Binding, bytes]) -> Opened:
        binding, blob = item
        if not blob:
            return EnvelopeRejected("a wrapped key does not open")
        context = encryption_context(binding)
        try:
            answer = self._ask("decrypt", name, CiphertextBlob=blob, EncryptionContext=context)
        except (EnvelopeRejected, KeyUnavailable) as error:
            return error
        plain = answer.get("Plaintext")
        if not isinstance(plain, bytes) or len(plain) != KEY_BYTES:
            _misunderstood()
        if answer.get("KeyId") != name:
            return KeyUnavailable(f"AWS KMS answers for another key than {name}", WRONG_KEY)
        return plain

    def _describe(self, name: str) -> Mapping[str, Any]:
        facts = self._ask("describe_key", name).get("KeyMetadata")
        if not isinstance(facts, Mapping):
            _misunderstood()
        return facts

    def _ask(self, what: str, name: str, **body: object) -> Mapping[str, Any]:
        self._pause.refuse()
        try:
            answer: Mapping[str, Any] = getattr(self._client, what)(KeyId=name, **body)
        except (BotoCoreError, ClientError) as error:
            raise self._told(error, name) from None
        self._pause.worked()
        return answer

    def _told(self, error: BotoCoreError | ClientError, name: str) -> KeyUnavailable | EnvelopeRejected:
        told = meaning(error, name)
        if isinstance(told, KeyUnavailable) and is_of_the_service(told):
            self._pause.failed(told)
        else:
            self._pause.worked()
        return told

    def __repr__(self) -> str:
        return f"KmsService({self.settings.key})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a way to the key service is never pickled")


def _client(settings: KmsSettings) -> Any:
    """Make a client of its own session: the SDK's default session is shared by the whole process."""
    return boto3.session.Session().client(
        "kms",
        region_name=settings.region,
        endpoint_url=settings.endpoint or None,
        verify=None if settings.ca_file is None else str(settings.ca_file),
        config=Config(
            connect_timeout=settings.timeout_seconds,
            read_timeout=settings.timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            max_pool_connections=2 * AT_ONCE,
            ignore_configured_endpoint_urls=True,  # where keys go is said in our configuration alone
            proxies={},
        ),
    )


def _each(ask: Callable[[_A], _B], items: Sequence[_A]) -> list[_B]:
    """Ask for each, several at a time; the first failure that is raised ends it."""
    if len(items) < 2:
        return [ask(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items)), "kms") as pool:
        return list(pool.map(ask, items))


def _misunderstood() -> NoReturn:
    raise KeyUnavailable("AWS KMS answers something else than was asked", FAILED)
