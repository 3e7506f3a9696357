"""What every keyring does alike with the keys that it read from its folder; see ``ports.Keyring``."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from registry.crypto.derive import derive
from registry.crypto.sign import SigningKey
from registry.crypto.sign_lattice import LatticeKey
from registry.domain.clock import Clock
from registry.domain.errors import KeyUnavailable
from registry.keys.key_files import KeyMaterial
from registry.keys.ports import (
    LEDGER_PURPOSE,
    SECRET_PURPOSES,
    KeyBeneath,
    KeyFacts,
    ProviderPurpose,
    SecretPurpose,
    ServiceKey,
    SigningKeys,
    SigningPair,
)
from registry.keys.ring_folder import (
    EarlierKey,
    RingContent,
    RingForm,
    discard_key,
    load_ring,
    note_unused,
    one_of,
    rotate_ring,
    stamp_of,
)
from registry.keys.ring_signing import announce_signing, exchange_signing


class RingKeys:
    """The keys of a ring, read again when another process changed them. Never shown, never pickled.

    Safe to share between threads: what was read is exchanged whole.
    """

    __slots__ = ("_content", "_folder", "_form", "_signing")

    def __init__(self, folder: Path, form: RingForm, content: RingContent) -> None:
        self._folder = folder
        self._form = form
        self._content = content
        self._signing = _signing_of(content)

    def secret(self, purpose: SecretPurpose) -> bytes:
        """Return the 32 bytes of a purpose whose work is done in this process."""
        return self._content.current[one_of(purpose, SECRET_PURPOSES)].secret

    def signing_keys(self) -> SigningKeys:
        """Return what signs the ledger's checkpoints; see ``Keyring``."""
        self._read_again()
        return self._signing

    def announce_signing(self, clock: Clock, *, anew: bool = False) -> SigningPair:
        """Make the keys that are to sign next; see ``Keyring``."""
        self._take(announce_signing(self._folder, self._form, clock, anew=anew))
        following = self._signing.following
        if following is None:  # it took over before it was read again
            raise KeyUnavailable("another process exchanged the ledger's key meanwhile")
        return following

    def exchange_signing(self, following: str, term: str, clock: Clock) -> None:
        """Let announced keys take over; see ``Keyring``."""
        self._take(exchange_signing(self._folder, self._form, following, term, clock))

    def key_ids(self) -> dict[str, str]:
        """Return the current key id of every purpose; fit to be shown."""
        return {purpose: material.key_id for purpose, material in self._content.current.items()}

    def key_facts(self) -> tuple[KeyFacts, ...]:
        """Return what may be shown of every key; see ``Keyring``."""
        self._read_again()
        content = self._content
        current = (KeyFacts(one.purpose, one.key_id, one.created) for one in content.current.values())
        return (*current, *map(_facts, content.earlier))

    def service_key(self, purpose: str) -> ServiceKey | None:
        """Return None: this ring has the key itself; see ``Keyring``."""
        del purpose
        return None

    def key_beneath(self, facts: KeyFacts, backups_from: datetime) -> KeyBeneath | None:
        """Return None: it rests on nothing else; see ``Keyring``."""
        del facts, backups_from
        return None

    def rotate(self, purpose: ProviderPurpose, clock: Clock) -> str:
        """Make a new key of a purpose the current one; see ``Keyring``."""
        self._take(rotate_ring(self._folder, self._form, purpose, clock))
        return self._content.current[purpose].key_id

    def seal_anew(self) -> None:
        """Do nothing: these lie in the folder as they are; see ``Keyring``."""

    def note_unused(self, key_id: str, clock: Clock) -> None:
        """Note that nothing is wrapped under an earlier key any more; see ``Keyring``."""
        self._take(note_unused(self._folder, self._form, key_id, clock))

    def discard(self, key_id: str) -> None:
        """Destroy an earlier key; see ``Keyring``."""
        self._take(discard_key(self._folder, self._form, key_id))

    def current_of(self, purpose: ProviderPurpose) -> KeyMaterial:
        """Return the key to wrap under, as the folder has it now.

        Raises:
            KeyUnavailable: the folder was changed, and cannot be read: what is wrapped now might never open again.
        """
        self._read_again()
        return self._content.current[purpose]

    def key_of(self, purpose: ProviderPurpose, key_id: str) -> KeyMaterial:
        """Return the key of an id, current or earlier.

        A folder that cannot be read stops nobody who has the key already; readiness tells of it.

        Raises:
            KeyUnavailable: this ring does not hold it, or no longer.
        """
        with suppress(KeyUnavailable):
            self._read_again()
        found = self._content.find(purpose, key_id)
        if found is None:
            held = self._content.current[purpose].key_id
            raise KeyUnavailable(f"this keyring holds {held}, not the key that was used to wrap")
        return found

    def _read_again(self) -> None:
        """Take up what another process made of the ring: a system call when nothing changed."""
        if stamp_of(self._folder) != self._content.stamp:
            self._take(load_ring(self._folder, self._form))

    def _take(self, content: RingContent) -> None:
        ours = self._content
        self._content = content
        if (content.current[LEDGER_PURPOSE], content.following, content.former) != (
            ours.current[LEDGER_PURPOSE],
            ours.following,
            ours.former,
        ):
            self._signing = _signing_of(content)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.key_ids().values())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _signing_of(content: RingContent) -> SigningKeys:
    following = None if content.following is None else _pair(content.following)
    return SigningKeys(_pair(content.current[LEDGER_PURPOSE]), following, tuple(one.term for one in content.former))


def _pair(material: KeyMaterial) -> SigningPair:
    """Return both signing keys of a secret.

    The second is derived from the seed of the first: one file to keep. Who breaks Ed25519 learns its scalar, a hash of
    the seed, and from that neither the seed nor the second key.
    """
    second = LatticeKey(derive(material.secret, "registry/ledger-ml-dsa-44/v1"))
    return SigningPair(material.key_id, SigningKey(material.secret), second)


def _facts(one: EarlierKey) -> KeyFacts:
    made, unused = one.material, datetime.fromisoformat(one.unused) if one.unused else None
    return KeyFacts(made.purpose, made.key_id, made.created, datetime.fromisoformat(one.retired), unused)
