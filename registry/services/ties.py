"""From what is enrolled to the ties that conflict rules go by; see vault/ties.py for how they are kept."""

from __future__ import annotations

import unicodedata
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
        department: the department after it.
        supervisor: employee number; empty takes it away, None keeps what is there.
        relations: all that are declared from now on; None keeps what is there.
        members: employee numbers of new household members.
        addresses: home addresses that are new or changed.
        gone: records that are ended.
    """

    department: str
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
        replaced = {TieKind.UNIT}
        replaced |= {TieKind.SUPERVISOR} if changes.supervisor is not None else set()
        replaced |= _DECLARED_KINDS if changes.relations is not None else set()
        ties = [
            tie
            for tie in self._ties.open(subject, before)
            if tie.kind not in replaced and not (tie.kind is TieKind.ADDRESS and tie.source in touched)
        ]
        ties.append(self._unit(changes.department))
        if changes.supervisor:
            ties.append(Tie(TieKind.SUPERVISOR, self._number(changes.supervisor)))
        ties += self._declared(changes.relations or ())
        ties += self._members(changes.members)
        ties += self._addresses(changes.addresses)
        return self._ties.seal(subject, ties)

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


def ties_told(ties: bytes | None) -> str:
    """Say in an entry which ties were written, so that older ones cannot be put back unseen."""
    return "" if ties is None else f"; ties {digest_of(ties)}"
