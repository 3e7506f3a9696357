"""What ties a subject to others: sealed as one piece, so that nothing at rest shows who belongs together.

A tag that two rows share would tell a thief of the database who is married to whom. So the tags of a subject's
relatives, supervisor, unit and home addresses lie in one envelope bound to that subject, in steps of ten places, and
are compared only in memory, when one of the two asks about the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, ciphertext_digest, seal, unseal
from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import SubjectId

TAG_BYTES = 16
_SOURCE_BYTES = 8
_PLACE_BYTES = 1 + _SOURCE_BYTES + TAG_BYTES
_STEP = 10  # places: most subjects need no more, so that most envelopes are equally long
_EMPTY = 0
_DIGEST_BYTES = 16


class TieKind(IntEnum):
    """What a tie says; the numbers are stored."""

    UNIT = 1  # tag of the department
    ADDRESS = 2  # tag of a home address of the household; its source is the record
    MEMBER = 3  # tag of the employee number of a household member; its source is the person
    HOUSEHOLD = 4  # tags of employee numbers, as declared
    KIN = 5
    FORMER_PARTNER = 6
    SUPERVISOR = 7


_KINDS = {kind.value: kind for kind in TieKind}  # a lookup costs a tenth of what the enumeration's call does


class Tie(NamedTuple):
    """One tie: its kind, the keyed tag (16 bytes), and what it came from (the start of an id; zeros for nothing)."""

    kind: TieKind
    tag: bytes
    source: bytes = bytes(_SOURCE_BYTES)

    def __repr__(self) -> str:
        """Show the kind."""
        return f"Tie({self.kind.name})"


def source_of(identifier: str) -> bytes:
    """Return how a tie names the record or person that it came from; unique within a household."""
    return bytes.fromhex(identifier)[:_SOURCE_BYTES]


class SubjectTies:
    """Seals and opens the ties of subjects. No plaintext value is in them, so no receipt is needed."""

    def __init__(self, registry: str, index_secret: bytes) -> None:
        """Derive the key from the registry's index secret."""
        self._registry = registry
        self._key = DataKey(derive(index_secret, "registry/subject-ties/v1"))

    def seal(self, subject: SubjectId, ties: Iterable[Tie]) -> bytes:
        """Seal a subject's ties; the same ones look different every time."""
        places = [bytes((tie.kind,)) + tie.source + tie.tag for tie in ties]
        room = -(-max(1, len(places)) // _STEP) * _STEP * _PLACE_BYTES
        return seal(self._key, b"".join(places).ljust(room, bytes((_EMPTY,))), self._binding(subject))

    def open(self, subject: SubjectId, sealed: bytes | None) -> tuple[Tie, ...]:
        """Open a subject's ties; none where none were ever written.

        Raises:
            EnvelopeRejected: it was changed, or belongs to another subject.
        """
        if sealed is None:
            return ()
        opened = unseal(self._key, sealed, self._binding(subject))
        if len(opened) % _PLACE_BYTES:
            raise EnvelopeRejected("ties of another form")
        used = len(opened.rstrip(bytes((_EMPTY,))))  # into the last place, whose tag may end with such bytes
        return tuple([_tie(opened, at) for at in range(0, used, _PLACE_BYTES)])

    def _binding(self, subject: SubjectId) -> Binding:
        return Binding(self._registry, subject, subject, "ties", 1)


def digest_of(sealed: bytes) -> str:
    """Return how an entry names sealed ties: half of their SHA-256, in hexadecimal digits."""
    return ciphertext_digest(sealed)[:_DIGEST_BYTES].hex()


def _tie(opened: bytes, at: int) -> Tie:
    tag_at = at + 1 + _SOURCE_BYTES
    return Tie(_KINDS[opened[at]], opened[tag_at : at + _PLACE_BYTES], opened[at + 1 : tag_at])
