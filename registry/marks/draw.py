"""Drawing the form of a copy: by a keyed function, for an account and a version of a record, and never again.

Nothing of the value enters the draw, and every slot of the category is drawn whether the value has room for it or not.
Two accounts may be drawn alike: drawing again would tell a leaker something about the others' copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import NamedTuple, NoReturn

from registry.crypto.derive import derive
from registry.crypto.tags import HmacKey
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId
from registry.marks.slots import TABLE_VERSION, slots_of, slots_of_canary

# Of whom no copy is ever served: a text that was made from stored forms carries it.
DATABASE = PrincipalId("database")
# Of a record version's draws before they were ever opened; each opening makes the next one.
FIRST_EPOCH = 1
# The number of an epoch: which secret, times this, and the how manieth epoch of it.
EPOCHS_OF_GENERATION = 65_536
_BYTE = 256


def generation_of(epoch: int) -> int:
    """Return the generation of the secret that an epoch's key is made of: 0 for the registry's first."""
    return epoch // EPOCHS_OF_GENERATION


def openings_of(epoch: int) -> int:
    """Return how often draws were opened, of a number that begins at 0 in each generation."""
    return epoch % EPOCHS_OF_GENERATION


def epoch_number(generation: int, openings: int) -> int:
    """Return the epoch of draws under a generation's secret after so many openings."""
    return generation * EPOCHS_OF_GENERATION + FIRST_EPOCH + openings


def stored_epoch(generation: int) -> int:
    """Return what is stored of a record version that begins with a generation: nothing was opened of it."""
    return generation * EPOCHS_OF_GENERATION


class Drawn(NamedTuple):
    """What was drawn for one account's copy of one record version, and in which epoch of that version's key."""

    vector: bytes
    epoch: int = FIRST_EPOCH

    def __repr__(self) -> str:
        return f"Drawn(epoch={self.epoch})"


class _Place(NamedTuple):
    """Where one slot is drawn: below how many forms, from which bytes without bias, and under which name."""

    forms: int
    limit: int
    name: bytes


_PLACES: Mapping[Category, tuple[_Place, ...]] = {
    category: tuple(
        _Place(slot.forms, _BYTE - _BYTE % slot.forms, f"{category.value}\0{slot.name}".encode())
        for slot in slots_of_canary(category)
    )
    for category in Category
}


class RecordMarks:
    """The draws of one version of one record: its key opens these and no other."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Take the record's key, 32 bytes, as ``MarkKey.record_key`` gives it."""
        self._key = HmacKey(key)

    def vector(self, account: PrincipalId, category: Category) -> bytes:
        """Return the forms of an account's copy: one byte for each slot of the category, from 1."""
        return self._drawn(account, _PLACES[category][: len(slots_of(category))])

    def canary_vector(self, account: PrincipalId, category: Category) -> bytes:
        """Return the same with the digits of a canary behind it, where the category has some."""
        return self._drawn(account, _PLACES[category])

    def _drawn(self, account: PrincipalId, places: Iterable[_Place]) -> bytes:
        """Draw each slot by digests of its own, without bias by rejection: the first byte below the limit counts."""
        digest, drawn = self._key.digest, []
        begin = f"{TABLE_VERSION}\0{0}\0{account}\0".encode()  # as ``_bytes`` begins, whose first number is 0
        for forms, limit, name in places:
            byte = digest(begin + name)[0]
            if byte >= limit:  # seldom: it is looked for in all of the digest, and in the next ones
                byte = next(one for one in self._bytes(account, name) if one < limit)
            drawn.append(1 + byte % forms)
        return bytes(drawn)

    def _bytes(self, account: PrincipalId, name: bytes) -> Iterator[int]:
        for counter in count():
            yield from self._key.digest(f"{TABLE_VERSION}\0{counter}\0{account}\0".encode() + name)

    def __repr__(self) -> str:
        return "RecordMarks(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class MarkKey:
    """The key of all draws of an epoch."""

    __slots__ = ("_key", "_others", "_secret", "epoch")

    def __init__(self, secret: bytes, epoch: int = FIRST_EPOCH) -> None:
        """Derive the epoch's key from the registry's secret of marks."""
        self.epoch = epoch
        self._secret = secret
        self._key = HmacKey(derive(secret, f"registry/marks/v1/{epoch}"))
        self._others: dict[int, MarkKey] = {}

    def at(self, epoch: int) -> MarkKey:
        """Return the key of another epoch: of record versions whose draws were opened before."""
        if epoch == self.epoch:
            return self
        if epoch not in self._others:
            self._others[epoch] = MarkKey(self._secret, epoch)
        return self._others[epoch]

    def record_key(self, record: RecordId, version: int) -> bytes:
        """Return the key of one version of a record; handing it to a defence opens that version's draws alone."""
        return self._key.digest(f"{record}\0{version}".encode())

    def of_record(self, record: RecordId, version: int) -> RecordMarks:
        """Return the draws of one version of a record."""
        return RecordMarks(self.record_key(record, version))

    def __repr__(self) -> str:
        return "MarkKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
