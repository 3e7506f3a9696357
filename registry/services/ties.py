"""From what is enrolled to the ties that conflict rules go by; see vault/ties.py for how they are kept."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from registry.domain.enrollment import DeclaredRelation, Enrollment, FamilyEntry
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.domain.relations import Declared
from registry.vault.blind_index import BlindIndex
from registry.vault.ties import SubjectTies, Tie, TieKind, digest_of, source_of

_DECLARED = {
    Declared.KIN: TieKind.KIN,
    Declared.FORMER_PARTNER: TieKind.FORMER_PARTNER,
    Declared.HOUSEHOLD: TieKind.HOUSEHOLD,
}
_DECLARED_KINDS = frozenset(_DECLARED.values())
# Who leads whom and in which unit: what an HR system decides.
ORGANISATION = frozenset({TieKind.UNIT, TieKind.SUPERVISOR})
# What somebody declared, and what is not to vanish with another's word alone. Home addresses are values: they change.
GUARDED = ORGANISATION | _DECLARED_KINDS | {TieKind.MEMBER}
_TOLD = {
    TieKind.UNIT: "unit",
    TieKind.SUPERVISOR: "supervisor",
    TieKind.KIN: "kin",
    TieKind.FORMER_PARTNER: "former partner",
    TieKind.HOUSEHOLD: "household",
    TieKind.MEMBER: "household member",
}


class KnownAddress(NamedTuple):
    """A home address that is being sealed: its record, and its canonical form, which never leaves the process."""

    subject: SubjectId
    record: RecordId
    canonical: str

    def __repr__(self) -> str:
        """Show the record."""
        return f"KnownAddress({self.record})"


@dataclass(frozen=True, slots=True)
class TieChanges:
    """What an update changes of a subject's ties.

    Attributes:
        department: the department after it; None keeps what is there.
        supervisor: employee number; empty takes it away, None keeps what is there.
        relations: all that are declared from now on; None keeps what is there.
        members: employee numbers of new household members.
        addresses: home addresses that are new or changed.
        gone: records that are ended.
    """

    department: str | None
    supervisor: str | None
    relations: tuple[DeclaredRelation, ...] | None
    members: Mapping[PersonId, str]
    addresses: tuple[KnownAddress, ...]
    gone: frozenset[RecordId]


class TieMaker:
    """Makes the ties of subjects."""

    def __init__(self, index: BlindIndex, ties: SubjectTies) -> None:
        self._index = index
        self._ties = ties

    def enrolled(
        self,
        subject: SubjectId,
        document: Enrollment,
        members: Mapping[PersonId, str],
        addresses: Iterable[KnownAddress],
    ) -> bytes:
        """Seal everything that a whole document says.

        Args:
            subject: whose.
            document: the enrollment.
            members: employee numbers of household members that have one.
            addresses: all home addresses of the household.
        """
        ties = [self._unit(document.department)]
        if document.supervisor:
            ties.append(Tie(TieKind.SUPERVISOR, self._number(document.supervisor)))
        ties += self._declared(document.relations)
        ties += self._members(members)
        ties += self._addresses(addresses)
        return self._ties.seal(subject, ties)

    def changed(self, subject: SubjectId, before: bytes | None, changes: TieChanges) -> bytes:
        """Seal a subject's ties after an update.

        An ended ``family_member`` record leaves its tie: whoever left a household is no stranger to it.
        """
        touched = {source_of(address.record) for address in changes.addresses} | set(map(source_of, changes.gone))
        replaced = {TieKind.UNIT} if changes.department is not None else set()
        replaced |= {TieKind.SUPERVISOR} if changes.supervisor is not None else set()
        replaced |= _DECLARED_KINDS if changes.relations is not None else set()
        ties = [
            tie
            for tie in self._ties.open(subject, before)
            if tie.kind not in replaced and not (tie.kind is TieKind.ADDRESS and tie.source in touched)
        ]
        if changes.department is not None:
            ties.append(self._unit(changes.department))
        if changes.supervisor:
            ties.append(Tie(TieKind.SUPERVISOR, self._number(changes.supervisor)))
        ties += self._declared(changes.relations or ())
        ties += self._members(changes.members)
        ties += self._addresses(changes.addresses)
        return self._ties.seal(subject, ties)

    def lost(self, subject: SubjectId, before: bytes | None, after: bytes | None) -> tuple[Tie, ...]:
        """Return the guarded ties that a subject has before a change and not after it."""
        left = {(tie.kind, tie.tag) for tie in self._ties.open(subject, after)}
        gone = (tie for tie in self._ties.open(subject, before) if tie.kind in GUARDED)
        return tuple(tie for tie in gone if (tie.kind, tie.tag) not in left)

    def kept(self, subject: SubjectId, before: bytes | None, after: bytes, kinds: frozenset[TieKind]) -> bytes:
        """Seal the ties after a change with those of some kinds beside them that it would take away."""
        kept = [tie for tie in self.lost(subject, before, after) if tie.kind in kinds]
        return self._ties.seal(subject, [*self._ties.open(subject, after), *kept]) if kept else after

    def _number(self, employee_number: str) -> bytes:
        return number_tag(self._index, employee_number)

    def _unit(self, department: str) -> Tie:
        return Tie(TieKind.UNIT, unit_tag(self._index, department))

    def _declared(self, relations: Iterable[DeclaredRelation]) -> Iterator[Tie]:
        for relation in relations:
            yield Tie(_DECLARED[relation.kind], self._number(relation.employee_number))

    def _members(self, members: Mapping[PersonId, str]) -> Iterator[Tie]:
        for person, employee_number in members.items():
            yield Tie(TieKind.MEMBER, self._number(employee_number), source_of(person))

    def _addresses(self, addresses: Iterable[KnownAddress]) -> Iterator[Tie]:
        for address in addresses:
            tag = self._index.tag("household-address", address.canonical.encode())
            yield Tie(TieKind.ADDRESS, tag, source_of(address.record))


def number_tag(index: BlindIndex, employee_number: str) -> bytes:
    """Return the keyed tag of an employee number."""
    return index.tag("employee-number", employee_number.encode())


def unit_tag(index: BlindIndex, unit: str) -> bytes:
    """Return the keyed tag of a unit or department: case, width and spacing do not matter."""
    return index.tag("unit", " ".join(unicodedata.normalize("NFKC", unit).casefold().split()).encode())


def numbers_of(family: Iterable[FamilyEntry], persons: Mapping[str, PersonId]) -> dict[PersonId, str]:
    """Return the employee numbers of household members, by person; ``persons`` has them by ref."""
    return {persons[member.ref]: member.employee_number for member in family if member.employee_number}


def lost_told(lost: Iterable[Tie]) -> str:
    """Say which kinds of ties a change takes away, and how many of each; never to whom."""
    counts = Counter(_TOLD[tie.kind] for tie in lost)
    return ", ".join(f"{word} {count}" if count > 1 else word for word, count in sorted(counts.items()))


def people_of(lost: Iterable[Tie]) -> tuple[str, ...]:
    """Return whom ties are to, as keyed tags of employee numbers in hexadecimal; a unit is nobody."""
    return tuple(sorted({tie.tag.hex() for tie in lost if tie.kind is not TieKind.UNIT}))


def ties_told(ties: bytes | None) -> str:
    """Say in an entry which ties were written, so that older ones cannot be put back unseen."""
    return "" if ties is None else f"; ties {digest_of(ties)}"
