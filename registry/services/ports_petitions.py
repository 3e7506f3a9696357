"""What petitions and contacts need of a database; see ``ports``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import PetitionId, PrincipalId
from registry.vault.petitions import SealedPetition


@dataclass(frozen=True, slots=True)
class PetitionRow:
    """One dispute or correction that a subject asked for; ``state`` is ``open`` until somebody has answered."""

    kind: str
    principal: PrincipalId
    created_at: int
    state: str
    answered_by: PrincipalId | None
    petition: SealedPetition

    @property
    def id(self) -> PetitionId:
        """Its id."""
        return self.petition.id


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Where a subject wants to be told, under a keyed label; sealed as a petition with one part."""

    label: bytes
    version: int
    petition: SealedPetition


class Petitions(Protocol):
    def get(self, petition: PetitionId) -> PetitionRow | None: ...
    def listing(self, kind: str, principal: PrincipalId | None, limit: int) -> Sequence[PetitionRow]:
        """Return those of a kind, all or one account's: open ones first, then newest first."""
        ...

    def everything(self) -> Iterable[PetitionRow]:
        """Yield all petitions."""
        ...

    def contacts(self) -> Iterable[ContactRow]:
        """Yield all contacts."""
        ...

    def open_of(self, kind: str, principal: PrincipalId) -> int:
        """Return how many of an account wait for an answer."""
        ...

    def insert(self, row: PetitionRow) -> None: ...
    def answer(self, row: PetitionRow) -> None: ...
    def contact(self, label: bytes) -> ContactRow | None: ...
    def put_contact(self, row: ContactRow) -> None: ...
