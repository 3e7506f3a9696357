"""What erasing needs of a database; see ``ports``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.domain.ids import PersonId, PetitionId, RecordId, SubjectId, TraceId


@dataclass(frozen=True, slots=True)
class FormerDirectory:
    """Directory data that an update replaced, sealed: what else somebody was called, and so is found by."""

    subject: SubjectId
    version: int
    sealed: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One erasure: its entry, and when it was; milliseconds."""

    entry: int
    erased_at: int


class Erasures(Protocol):
    """Nothing of what is deleted is kept where a reader of the database finds it."""

    def keep_directory(self, row: FormerDirectory) -> None: ...
    def former_directories(self, subject: SubjectId) -> Sequence[FormerDirectory]: ...
    def forget_persons(self, ids: Sequence[PersonId]) -> None: ...
    def forget_records(self, ids: Sequence[RecordId]) -> None:
        """Take records away with all versions and marks."""
        ...

    def forget_subject(self, subject: SubjectId) -> None:
        """Take a subject away whose persons and records are gone."""
        ...

    def forget_traces(self, ids: Sequence[TraceId]) -> int: ...
    def forget_petitions(self, ids: Sequence[PetitionId]) -> int: ...
    def forget_provisions(self, subject: SubjectId) -> int:
        """Take away what an HR system called a subject."""
        ...

    def forget_contact(self, label: bytes) -> int: ...
    def forget_outcomes(self, ids: Iterable[str]) -> int:
        """Take away what is remembered of repeated writes that named any of these ids."""
        ...

    def forget_places(self, labels: Iterable[bytes]) -> None:
        """Take away postings that found the entries of a subject."""
        ...

    def remove_openings(self, indexes: Sequence[int], now_ms: int) -> int:
        """Remove what entries say; their leaves stay. Returns how many said something."""
        ...

    def note(self, row: ErasureRow) -> None: ...
    def listing(self) -> Sequence[ErasureRow]: ...
