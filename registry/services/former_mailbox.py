"""The mailbox that a contact had until it was changed: it is told too, so that whoever took a session over is noticed.

The notice carries the former contact as it was sealed, and no address: sending opens it under an entry.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from registry.domain.ids import PetitionId, SubjectId
from registry.keys.ports import WrappedKey
from registry.vault.petitions import TEXT, SealedPetition


@dataclass(frozen=True, slots=True)
class ToFormerMailbox:
    """Where a subject was told until now."""

    id: SubjectId
    contact: SealedPetition

    def __str__(self) -> str:
        return f"subject:{self.id}"


def told_of(contact: SealedPetition) -> Mapping[str, str]:
    """Return a sealed contact as JSON takes it."""
    sealed = {"wrapped": contact.key.blob, "about": contact.about, "text": contact.parts[TEXT]}
    return {
        "id": contact.id,
        "key_id": contact.key.key_id,
        **{name: b64encode(part).decode() for name, part in sealed.items()},
    }


def contact_of(told: Mapping[str, str]) -> SealedPetition:
    """Return the sealed contact again.

    Raises:
        KeyError, ValueError: it is not as ``told_of`` writes it.
    """
    key = WrappedKey(told["key_id"], b64decode(told["wrapped"]))
    return SealedPetition(PetitionId(told["id"]), key, b64decode(told["about"]), {TEXT: b64decode(told["text"])})
