"""The port behind which key-encryption keys live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol, get_args

from registry.crypto.sign import SigningKey
from registry.crypto.sign_lattice import LatticeKey
from registry.domain.clock import Clock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable

ProviderPurpose = Literal["data", "bodies", "cases"]
SecretPurpose = Literal["index", "marks", "idempotency"]

PROVIDER_PURPOSES: tuple[ProviderPurpose, ...] = get_args(ProviderPurpose)
SECRET_PURPOSES: tuple[SecretPurpose, ...] = get_args(SecretPurpose)
LEDGER_PURPOSE: Final = "ledger"
# What makes marks and receipt codes: no key that wraps, but exchanged in its own way.
MARKS_PURPOSE: Final = "marks"
PURPOSES = (*PROVIDER_PURPOSES, *SECRET_PURPOSES, LEDGER_PURPOSE)

# Only throw-away keys are ever wrapped under it, to see whether a provider works.
HEALTH_CONTEXT: Final = b"registry/health"
MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 4_096


class WrappedKey(NamedTuple):
    """A key as it is stored beside what it protects.

    Attributes:
        key_id: which key-encryption key wrapped it.
        blob: the wrapped bytes, in the provider's own versioned form.
    """

    key_id: str
    blob: bytes

    def __repr__(self) -> str:
        return f"WrappedKey(key_id={self.key_id!r})"


@dataclass(frozen=True, slots=True)
class WrappedHead:
    """What shows which key, in which version, wrapped something: stored keys with another head are to be rewrapped.

    Attributes:
        key_id: as ``WrappedKey.key_id``.
        head: the first bytes of ``WrappedKey.blob``; empty where the id alone tells.
    """

    key_id: str
    head: bytes = b""

    @property
    def version(self) -> int:
        """The version of the service's key that is in the head; 0 where the id alone tells."""
        return int.from_bytes(self.head[1:], "big")

    def covers(self, wrapped: WrappedKey) -> bool:
        """Return whether a stored key was wrapped like this."""
        return wrapped.key_id == self.key_id and wrapped.blob.startswith(self.head)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be shown of a key.

    Attributes:
        purpose: what it is for.
        key_id: its id, which tells nothing of the key.
        created: when it was made.
        retired: since when it wraps nothing any more; None for the current key of its purpose.
        unused: since when nothing stored is wrapped under it; None while that is not known.
    """

    purpose: str
    key_id: str
    created: str
    retired: datetime | None = None
    unused: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key that a service keeps in versions, which it makes and gives up by itself; as the registry sees it.

    Attributes:
        name: how it is called there.
        newest: the version that wraps now.
        sealed: the version under which the purpose's file in the key folder is wrapped.
        sealed_at: when that file was wrapped.
        rotate: the command that makes another version, for who administers the service.
        give_up: the commands after which versions below the newest open nothing.
    """

    name: str
    newest: int
    sealed: int
    sealed_at: datetime
    rotate: str
    give_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyBeneath:
    """The key of a service that a key of the ring rests on: its file was sealed by it, and so is what it wraps.

    Attributes:
        name: how the service calls it.
        now: what another key of the ring would rest on; the same name where nothing was exchanged there.
        asked_as: what the settings call that one.
        retire: the commands after which ``name`` opens nothing, for who administers the service; empty where it goes
            with the ring's key, or where something else of the key folder rests on it, now or in a backup.
    """

    name: str
    now: str
    asked_as: str
    retire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningPair:
    """The two private keys that sign for the ledger: one secret, from which the second key is derived.

    Attributes:
        key_id: of the secret; tells nothing of it.
        first: Ed25519, on every checkpoint.
        second: ML-DSA-44, on published ones.
    """

    key_id: str
    first: SigningKey
    second: LatticeKey


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What signs the ledger's checkpoints, as the key folder has it.

    Attributes:
        current: what signs now.
        following: what is announced to take over; None for nothing.
        terms: what is known of former keys, which are destroyed, oldest first; in the words of ``exchange_signing``.
    """

    current: SigningPair
    following: SigningPair | None = None
    terms: tuple[str, ...] = ()


# One of several wrapped keys: the key, or why this one does not open. The others are not touched by it.
Unopened = EnvelopeRejected | KeyUnavailable
Opened = bytes | Unopened


class KeyProvider(Protocol):
    """Wraps and unwraps keys; the key-encryption key itself never leaves it."""

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key under the current key-encryption key.

        Args:
            context: what the key is for; the same bytes are needed to unwrap it.
            key: 16 to 4,096 bytes.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        ...

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key.

        Raises:
            EnvelopeRejected: changed bytes, another context or an unknown version.
            KeyUnavailable: the provider cannot be used now, or no longer holds that key id.
        """
        ...

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        """Wrap several keys, each given as context and key, in as few calls as the provider needs.

        Raises:
            KeyUnavailable: the provider cannot be used now; none is wrapped.
        """
        ...

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        """Give back several wrapped keys, each given with its context, in as few calls as the provider needs.

        Returns:
            For each, in order, the key, or what ``unwrap`` would have raised for it.

        Raises:
            KeyUnavailable: the provider cannot be used now; none is given back.
        """
        ...

    def current_key_id(self) -> str:
        """Name the key-encryption key that ``wrap`` uses."""
        ...

    def generation(self) -> WrappedHead:
        """Return how everything begins that ``wrap`` wraps now.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        ...

    def health(self) -> None:
        """Return if a key can be wrapped and unwrapped now.

        Raises:
            KeyUnavailable: it cannot; the cause is in words for an operator.
        """
        ...


class Keyring(Protocol):
    """All keys of one registry, wherever they are. Never shown, never pickled."""

    def provider(self, purpose: ProviderPurpose) -> KeyProvider:
        """Return the provider that wraps under the key of a purpose."""
        ...

    def secret(self, purpose: SecretPurpose) -> bytes:
        """Return the key of a purpose whose work is done in this process."""
        ...

    def signing_keys(self) -> SigningKeys:
        """Return what signs the ledger's checkpoints, read again when another process changed it.

        Returns:
            The same object as before, unless it was changed.

        Raises:
            KeyUnavailable: the folder was changed, and cannot be read.
        """
        ...

    def announce_signing(self, clock: Clock, *, anew: bool = False) -> SigningPair:
        """Make the keys that are to sign next, and return them; those that were made already stay.

        Args:
            clock: tells the time that is noted.
            anew: destroy those that were made, and make others.

        Raises:
            KeyUnavailable: they cannot be written.
        """
        ...

    def exchange_signing(self, following: str, term: str, clock: Clock) -> None:
        """Let announced keys take over, and destroy the former; nothing changes when they have.

        Args:
            following: their key id.
            term: what is to be known of the former ones, lines of text.
            clock: tells the time that is noted.

        Raises:
            KeyUnavailable: no such keys are announced, or the disk refuses.
        """
        ...

    def key_ids(self) -> dict[str, str]:
        """Return the current key id of every purpose; fit to be shown."""
        ...

    def key_facts(self) -> tuple[KeyFacts, ...]:
        """Return what may be shown of every key that is held: current ones, then earlier ones, oldest first."""
        ...

    def service_key(self, purpose: str) -> ServiceKey | None:
        """Return how the key of a purpose stands at a service that keeps versions; None where the ring itself has it.

        Raises:
            KeyUnavailable: the service cannot be asked, or the folder not be read.
        """
        ...

    def key_beneath(self, facts: KeyFacts, backups_from: datetime) -> KeyBeneath | None:
        """Return what a key of the ring rests on; None where it lies in its file, or is the service's own.

        Args:
            facts: of the key, current or earlier.
            backups_from: of when the oldest backup of the key folder is that may be put back.

        Raises:
            KeyUnavailable: the service cannot be asked, or the folder not be read.
        """
        ...

    def rotate(self, purpose: ProviderPurpose, clock: Clock) -> str:
        """Make a new key of a purpose the current one, and return its id; the former opens what it wrapped.

        Raises:
            KeyUnavailable: the keys cannot be changed from here, or not now.
        """
        ...

    def seal_anew(self) -> None:
        """Wrap what lies in the key folder itself under the newest version of the service's keys; the keys stay.

        Raises:
            KeyUnavailable: the keys cannot be changed from here, or not now.
        """
        ...

    def note_unused(self, key_id: str, clock: Clock) -> None:
        """Note that nothing stored is wrapped under an earlier key any more; the first time stays.

        Raises:
            KeyUnavailable: as ``discard``.
        """
        ...

    def discard(self, key_id: str) -> None:
        """Destroy an earlier key: what it wrapped opens no more, here and in every backup.

        Raises:
            KeyUnavailable: no such earlier key, or the keys cannot be changed from here, or not now.
        """
        ...

    def health(self) -> None:
        """Return if every key of the ring can be used now.

        Raises:
            KeyUnavailable: one cannot; the cause is in words for an operator.
        """
        ...

    def close(self) -> None:
        """Close what is open to a key service."""
        ...
