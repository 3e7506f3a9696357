"""The product's matching over an index in memory: reads, chooses and decides as the service does, without storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random

from benchmarks.finding import writings
from benchmarks.finding.world import Somebody
from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.leaktrace.decide import decide
from registry.leaktrace.dossier import Dossier, Matching, Member, joined
from registry.leaktrace.reading import Reading, read_text
from registry.leaktrace.select import select_subjects
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import Term
from tests.unit.leaktrace.people import Person, card_digest

MOST_OPENED = 1_000


def person_of(one: Somebody, rng: Random) -> Person:
    """Return a made-up person as enrolled."""
    members = [Member("s1", "spouse", *one.spouse)]
    members += [Member(child.ref, "child", child.given, one.family) for child in one.children]
    phone, born = writings.PHONES, one.born.isoformat()
    records: list[tuple[Category, dict[str, str], str | None]] = [
        (Category.HOME_ADDRESS, {"line": writings.enrolled_line(one.home, rng)}, None),
        (Category.PHONE, {"kind": "mobile", "number": phone[rng.choice(("dashes", "bracket"))](one.mobile)}, None),
        (Category.PHONE, {"kind": "home", "number": phone["dots"](one.landline)}, None),
        (Category.SSN, {"number": writings.SSNS["dashes"](one.ssn)}, None),
        (Category.DATE_OF_BIRTH, {"date": born}, None),
        (Category.PAYMENT_CARD, {"number": one.card}, None),
        (Category.EMAIL, {"address": one.email}, None),
        (Category.VEHICLE_PLATE, {"plate": one.plate, "state": one.state}, None),
        (Category.HEALTH, {"statement": one.ill}, None),
    ]
    records += [(Category.SCHOOL, {"name": child.school}, child.ref) for child in one.children]
    return Person(one.number, one.given, one.family, tuple(members), tuple(records))


def people_of(enrolled: Sequence[Somebody]) -> list[Person]:
    """Return made-up people as enrolled."""
    rng = Random(7)
    return [person_of(one, rng) for one in enrolled]


class Registry:
    """Enrolled people and the terms that find them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._dossiers: dict[SubjectId, Dossier] = {}
        self._postings: defaultdict[Term, set[SubjectId]] = defaultdict(set)
        for person in people:
            self._dossiers[person.subject] = person.dossier()
            for term in person.terms():
                self._postings[term].add(person.subject)

    def match(self, text: str) -> Matching:
        """Match a text."""
        return self.match_parts([read_text(text)])

    def match_parts(self, readings: Iterable[Reading]) -> Matching:
        """Match a text that is read in parts."""
        return joined(self._decided(reading) for reading in readings)

    def _decided(self, reading: Reading) -> Matching:
        hits = {term: self._postings[term] for term in reading.terms if term in self._postings}
        chosen = select_subjects(reading, hits, limit=MOST_OPENED)
        return decide(ReadText(reading, card_digest), [self._dossiers[one] for one in chosen])
