"""What subjects write to the agency, and the address they want to be told at: sealed under keys of their own.

Which person and which entry or record it is about is sealed too, under a key of the registry, so that rows at rest do
not join an account with the person whose account it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from registry.audit.receipt import Covered, Receipt
from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, ciphertext_digest, seal, unseal
from registry.domain.ids import PersonId, PetitionId, RecordId, SubjectId
from registry.keys.data_keys import DataKeys
from registry.keys.ports import WrappedKey

# What is kept of a petition, as versions of one sealed thing.
TEXT = 1
VALUE = 2
NOTE = 3
CATEGORY = "petition"
_ABOUT = "petition-about"


@dataclass(frozen=True, slots=True)
class About:
    """Whose it is and what about.

    Attributes:
        subject: whose petition or contact it is.
        what: the disputed entry's index, the record's id, or the kind of contact.
        version: which version the record had; nought for others.
        account: who set a contact; empty for others, whose row names the account.
    """

    subject: SubjectId
    what: str
    version: int = 0
    account: str = ""


@dataclass(frozen=True, slots=True)
class SealedPetition:
    """One petition's sealed parts by number (``TEXT``, ``VALUE``, ``NOTE``), under the petition's own key."""

    id: PetitionId
    key: WrappedKey
    about: bytes = field(repr=False)
    parts: Mapping[int, bytes] = field(repr=False)

    def covered(self, part: int) -> Covered:
        """What a receipt must cover to open a part."""
        return Covered(RecordId(self.id), part, ciphertext_digest(self.parts[part]))


class PetitionVault:
    """Seals and opens petitions."""

    def __init__(self, registry: str, keys: DataKeys, index_secret: bytes) -> None:
        self._registry = registry
        self._keys = keys
        self._links = DataKey(derive(index_secret, "registry/petition-links/v1"))

    def seal(self, petition: PetitionId, about: About, parts: Mapping[int, str]) -> SealedPetition:
        """Seal a new petition under a fresh key; call it before a transaction holds what others wait for."""
        key, wrapped = self._keys.new_key(PersonId(petition))
        sealed = {part: seal(key, text.encode(), self._binding(petition, part)) for part, text in parts.items()}
        told = orjson.dumps([about.subject, about.what, about.version, about.account])
        return SealedPetition(petition, wrapped, seal(self._links, told, self._binding(petition, 0)), sealed)

    def add(self, petition: SealedPetition, part: int, text: str) -> SealedPetition:
        """Seal one more part."""
        key = self._keys.open_key(PersonId(petition.id), petition.key)
        added = seal(key, text.encode(), self._binding(petition.id, part))
        return replace(petition, parts={**petition.parts, part: added})

    def about(self, petition: SealedPetition) -> About:
        """Tell whose petition it is and what about: ids, no value.

        Raises:
            EnvelopeRejected: it was changed, or belongs to another petition.
        """
        subject, *rest = orjson.loads(unseal(self._links, petition.about, self._binding(petition.id, 0)))
        return About(SubjectId(subject), *rest)

    def open(self, petition: SealedPetition, part: int, receipt: Receipt) -> str:
        """Open one part.

        Raises:
            ReceiptRefused: the entry does not name it.
            EnvelopeRejected: the stored bytes were changed or moved.
        """
        receipt.redeem(petition.covered(part))
        key = self._keys.open_key(PersonId(petition.id), petition.key)
        return unseal(key, petition.parts[part], self._binding(petition.id, part)).decode()

    def _binding(self, petition: PetitionId, part: int) -> Binding:
        return Binding(self._registry, petition, petition, CATEGORY if part else _ABOUT, part)
