"""Made-up enrolled people and an index of their terms in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registry.domain.categories import Category, kind_of
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.decide import decide
from registry.leaktrace.dossier import Dossier, DossierRecord, Matching, Member
from registry.leaktrace.reading import read_text
from registry.leaktrace.select import select_subjects
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import PersonNames, Term, directory_terms, record_terms

Value = Mapping[str, str]


def card_digest(digits: str) -> str:
    return hashlib.sha256(b"made up" + digits.encode()).hexdigest()


@dataclass
class Person:
    number: str
    given: str
    family: str
    members: tuple[Member, ...] = ()
    records: tuple[tuple[Category, Value, str | None], ...] = ()

    @property
    def subject(self) -> SubjectId:
        return SubjectId(f"subject-{self.number[::-1]}")

    def dossier(self) -> Dossier:
        records = []
        for number, (category, value, member) in enumerate(self.all_records()):
            opened = value
            if category is Category.PAYMENT_CARD:
                digits = value["number"].replace(" ", "")
                opened = {"last_four": digits[-4:], "digest": card_digest(digits)}
            record = RecordId(f"record-{number}")
            records.append(DossierRecord(record, category, kind_of(category, value), member, opened))
        return Dossier(self.subject, self.number, self.given, self.family, self.members, tuple(records))

    def all_records(self) -> list[tuple[Category, Value, str | None]]:
        family: list[tuple[Category, Value, str | None]] = [
            (
                Category.FAMILY_MEMBER,
                {"relation": member.relation, "given_name": member.given_name, "family_name": member.family_name},
                member.ref,
            )
            for member in self.members
        ]
        return [*self.records, *family]

    def terms(self) -> set[Term]:
        found = set(directory_terms(self.given, self.family))
        names = {member.ref: PersonNames(member.given_name, member.family_name) for member in self.members}
        for category, value, member in self.all_records():
            found |= record_terms(category, value, owner=names.get(member or "", PersonNames(self.given, self.family)))
        return found


DANA = Person(
    "004211",
    "Dana",
    "O'Neil",
    (
        Member("s1", "spouse", "Robin", "Castellan"),
        Member("c1", "child", "Mia", "O'Neil"),
        Member("c2", "child", "Will", "O'Neil"),
    ),
    (
        (Category.HOME_ADDRESS, {"line": "1234 N. Thornbury Ave., Apt 5, Kansas City, MO 64118"}, None),
        (Category.PHONE, {"kind": "mobile", "number": "(816) 555-0123"}, None),
        (Category.PHONE, {"kind": "home", "number": "913-555-0177"}, None),
        (Category.EMAIL, {"address": "dana.oneil@example.org"}, None),
        (Category.SSN, {"number": "736-45-6789"}, None),
        (Category.DATE_OF_BIRTH, {"date": "1961-04-27"}, None),
        (Category.PAYMENT_CARD, {"number": "4111 1111 1111 1111"}, None),
        (Category.VEHICLE_PLATE, {"plate": "XYZ 789", "state": "MO"}, None),
        (Category.HEALTH, {"statement": "Chronic neuropathy of right shoulder, unspecified"}, None),
        (Category.SCHOOL, {"name": "Otter Creek Elem."}, "c1"),
        (Category.SCHOOL, {"name": "Harrow Middle School"}, "c2"),
    ),
)
PAVEL = Person(
    "700018",
    "Павел",
    "Лисица-Grant",
    (Member("c1", "child", "Ivo", "Grant"),),
    (
        (
            Category.HOME_ADDRESS,
            {"street": "77 Fifth St SW", "city": "Saint Paul", "state": "MN", "postal_code": "55101"},
            None,
        ),
        (Category.PHONE, {"kind": "mobile", "number": "651-555-0144"}, None),
        (Category.SSN, {"number": "741-12-3456"}, None),
        (Category.DATE_OF_BIRTH, {"date": "1985-11-03"}, None),
        (Category.SCHOOL, {"name": "Otter Creek Elem."}, "c1"),
    ),
)
PEOPLE = (DANA, PAVEL)


@dataclass
class Index:
    """Postings of made-up people."""

    people: tuple[Person, ...] = PEOPLE
    postings: dict[Term, set[SubjectId]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for person in self.people:
            for term in person.terms():
                self.postings.setdefault(term, set()).add(person.subject)

    def hits(self, terms: Iterable[Term]) -> dict[Term, set[SubjectId]]:
        return {term: self.postings[term] for term in terms if term in self.postings}

    def match(self, text: str) -> Matching:
        reading = read_text(text)
        chosen = select_subjects(reading, self.hits(reading.terms), limit=50)
        dossiers = [person.dossier() for person in self.people if person.subject in chosen]
        return decide(ReadText(reading, card_digest), dossiers)


INDEX = Index()


def kinds(text: str, person: Person = DANA) -> set[str]:
    """Return the kinds found of one person; every span must lie in the text."""
    found = INDEX.match(text).findings
    assert all(0 <= start < end <= len(text) for finding in found for start, end in finding.spans)
    return {finding.kind for finding in found if finding.subject == person.subject}
