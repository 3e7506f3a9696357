"""What services need of a database for subjects that an HR system provisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from registry.domain.ids import ProvisionId, SubjectId
from registry.vault.sealed import SealedField


class ProvisionState(StrEnum):
    """What the HR system last said of somebody's employment."""

    EMPLOYED = "employed"
    LEFT = "left"  # employment ended; protection goes on
    REMOVED = "removed"  # the HR system keeps them no longer; protection goes on


@dataclass(frozen=True, slots=True)
class ProvisionRow:
    """Under which names an HR system keeps a subject up to date.

    Attributes:
        id: what the HR system calls the subject by here.
        user_tag: keyed tag of its name for them; None once removed, so that the name is free again.
        outside_tag: keyed tag of its own id for them; None when it has none, or once removed.
        state: what it says of their employment.
        created_at, updated_at: milliseconds.
        names: both names, sealed under the subject's own person.
    """

    id: ProvisionId
    user_tag: bytes | None = field(repr=False)
    outside_tag: bytes | None = field(repr=False)
    state: ProvisionState
    created_at: int
    updated_at: int
    names: SealedField

    @property
    def subject(self) -> SubjectId:
        """Whose it is."""
        return self.names.subject


class Provisions(Protocol):
    def by_ids(self, ids: Iterable[ProvisionId]) -> Sequence[ProvisionRow]: ...
    def by_user_tag(self, tag: bytes) -> ProvisionRow | None: ...
    def by_outside_tag(self, tag: bytes, limit: int) -> Sequence[ProvisionRow]: ...
    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[ProvisionRow]:
        """Return all provisions of subjects, removed ones too."""
        ...

    def page(self, start: int, limit: int) -> Sequence[ProvisionRow]:
        """Return those that are not removed, oldest first, from place ``start`` (0 for the first)."""
        ...

    def count(self) -> int:
        """Return how many are not removed."""
        ...

    def insert(self, row: ProvisionRow) -> None: ...
    def update(self, row: ProvisionRow) -> None: ...
