"""What exchanging the keys that wrap needs of a database; see ``ports``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from registry.domain.ids import PersonId
from registry.keys.ports import ProviderPurpose, WrappedHead, WrappedKey


class Shelf(StrEnum):
    """Where wrapped keys are stored, one beside what it protects."""

    PERSONS = "persons"
    TRACES = "traces"
    PETITIONS = "petitions"
    CONTACTS = "contacts"
    LEDGER = "ledger_keys"
    INDEX = "index_generations"
    MARKS = "mark_generations"


# Under the keys of which purpose each shelf's are wrapped.
PURPOSE_OF: dict[Shelf, ProviderPurpose] = {
    Shelf.PERSONS: "data",
    Shelf.TRACES: "cases",
    Shelf.PETITIONS: "cases",
    Shelf.CONTACTS: "cases",
    Shelf.LEDGER: "bodies",
    Shelf.INDEX: "bodies",
    Shelf.MARKS: "bodies",
}
# Shelves whose keys are nobody's: few, and told apart by a number.
NUMBERED = frozenset({Shelf.LEDGER, Shelf.INDEX, Shelf.MARKS})


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One wrapped key as stored.

    Attributes:
        owner: whose it is: a person, or what the key was made for; it is bound into the wrapped key.
        key: the wrapped key.
    """

    owner: PersonId
    key: WrappedKey


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How many stored keys of a shelf one key-encryption key wrapped, in one of its versions."""

    shelf: Shelf
    head: WrappedHead
    count: int


class WrappedKeys(Protocol):
    def counts(self, shelf: Shelf, head_bytes: int) -> Sequence[KeyCount]:
        """Count a shelf's keys by key id and the first bytes of their blobs."""
        ...

    def outdated(self, shelf: Shelf, current: WrappedHead, after: str, limit: int) -> Sequence[StoredKey]:
        """Return keys that were not wrapped like this, in the order of their owners, from the one after ``after``."""
        ...

    def replace(self, shelf: Shelf, pairs: Sequence[tuple[StoredKey, WrappedKey]]) -> int:
        """Store other wrapped keys, each where the one before still stands; returns how many did."""
        ...
