"""Sealing and opening. ``Vault.open`` is the only function of this program that decrypts a person's value."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

import orjson

from registry.audit.receipt import Receipt
from registry.crypto.envelope import Binding, DataKey, ciphertext_digest, seal, unseal
from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import PersonId, RecordId, SubjectId, new_id
from registry.keys.data_keys import DataKeys, KeyFigures
from registry.keys.ports import WrappedKey
from registry.vault.revealed import RevealedField
from registry.vault.sealed import SealedField

# A stocked key must not outlive by much the version of the key that wrapped it: that may be withdrawn.
STOCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person whose data key was just made: id, key in the clear for sealing now, and the key wrapped for storage."""

    id: PersonId
    key: DataKey
    wrapped: WrappedKey


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value belongs; all of it is bound into the ciphertext."""

    subject: SubjectId
    person: PersonId
    record: RecordId
    category: str
    version: int


class Vault:
    """Seals values under their person's key and opens them under a receipt."""

    def __init__(self, registry: str, keys: DataKeys, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._keys = keys
        self._monotonic = monotonic
        self._stock_lock = Lock()
        self._stock: deque[tuple[float, NewPerson]] = deque()

    def stock(self, count: int) -> None:
        """Make persons that ``new_person`` hands out afterwards, before a transaction holds what others wait for.

        Raises:
            KeyUnavailable: the key service does not answer.
        """
        missing = count - self._stocked()
        if missing <= 0:
            return
        persons = [PersonId(new_id()) for _ in range(missing)]
        made = [NewPerson(person, *keys) for person, keys in zip(persons, self._keys.new_keys(persons), strict=True)]
        until = self._monotonic() + STOCK_SECONDS
        with self._stock_lock:
            self._stock.extend((until, person) for person in made)

    def new_person(self) -> NewPerson:
        """Make a person with a fresh data key, or take one of the stock."""
        with self._stock_lock:
            while self._stock:
                until, stocked = self._stock.popleft()
                if self._monotonic() < until:
                    return stocked
        person = PersonId(new_id())
        key, wrapped = self._keys.new_key(person)
        return NewPerson(person, key, wrapped)

    def _stocked(self) -> int:
        with self._stock_lock:
            while self._stock and self._stock[0][0] <= self._monotonic():
                self._stock.popleft()
            return len(self._stock)

    def key_figures(self) -> KeyFigures:
        """Return how the cache of data keys stands."""
        return self._keys.figures()

    def forget(self, person: PersonId) -> None:
        """Drop the opened key of a person who was erased; other processes do when its time is over."""
        self._keys.forget(person)

    def prepare(self, fields: Iterable[SealedField]) -> None:
        """Have the keys of several values opened at once. Opens no value, and never fails: ``open`` does."""
        self._keys.prepare({field.person: field.key for field in fields}.items())

    def prepare_persons(self, persons: Iterable[tuple[PersonId, WrappedKey]]) -> None:
        """Have the keys of several persons opened at once, for sealing something new; see ``prepare``."""
        self._keys.prepare(persons)

    def known_person(self, person: PersonId, wrapped: WrappedKey) -> NewPerson:
        """Return a person's key for sealing something new. Opens no value."""
        return NewPerson(person, self._keys.open_key(person, wrapped), wrapped)

    def seal(
        self, owner: NewPerson, place: Place, value: Mapping[str, str], *, member: str | None = None
    ) -> SealedField:
        """Seal one value to its place."""
        payload: dict[str, object] = {"value": dict(value)}
        if member is not None:
            payload["member"] = member
        sealed = seal(owner.key, orjson.dumps(payload), self._binding(place))
        return SealedField(
            record=place.record,
            subject=place.subject,
            person=place.person,
            category=place.category,
            version=place.version,
            sealed=sealed,
            digest=ciphertext_digest(sealed),
            key=owner.wrapped,
        )

    def seal_basis(self, owner: NewPerson, place: Place, basis: str) -> bytes:
        """Seal the basis of a mark; ``place.version`` is the mark's version."""
        return seal(owner.key, basis.encode(), self._binding(place))

    def open(self, field: SealedField, receipt: Receipt) -> RevealedField:
        """Open one sealed value.

        Args:
            field: the value as stored.
            receipt: minted for a durable entry that names this record, version and these bytes.

        Raises:
            ReceiptRefused: the receipt does not cover this field, or was used for it already.
            EnvelopeRejected: the stored bytes were changed, moved or rolled back.
            KeyUnavailable: the person's key is gone or the key service does not answer.
        """
        receipt.redeem(field.covered)
        if not field.is_whole:
            raise EnvelopeRejected("stored bytes differ from their digest")
        key = self._keys.open_key(field.person, field.key)
        payload = orjson.loads(unseal(key, field.sealed, self._binding(field)))
        return RevealedField(field.record, field.subject, (field.category, field.version), payload)

    def _binding(self, place: Place | SealedField) -> Binding:
        # The subject is bound through the person: a person belongs to one subject for ever.
        return Binding(
            registry=self._registry,
            person=f"{place.subject}/{place.person}",
            record=place.record,
            category=place.category,
            version=place.version,
        )
