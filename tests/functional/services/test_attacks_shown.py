"""Nothing that holds a value shows it by accident: ``repr`` of everything that services hand around."""

from __future__ import annotations

from dataclasses import replace

from registry.audit.bodies import Opening
from registry.domain.categories import Category
from registry.domain.enrollment import FamilyEntry, Relation
from registry.domain.ids import EntryIndex, SubjectId, new_id
from registry.domain.marks import Mark
from registry.domain.principals import Claims, Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.leaktrace.dossier import Dossier, DossierRecord, Member
from registry.leaktrace.terms import PersonNames
from registry.services.disclose import DisclosureAsk
from registry.services.entry_reading import ReadEntry
from registry.services.idempotency import Remembered
from registry.services.kernel import Caller
from registry.services.principals import Grant
from registry.services.seal_people import Batch
from registry.services.search import SearchAsk, SearchKind
from registry.services.trace import TraceAsk
from registry.services.update import _Known
from registry.services.values import Owner, prepare
from registry.text.intake import read_enrollment
from registry.vault.blind_index import IndexTerm, Posting
from tests.functional.services.homes import TODAY, Home, person

MARKER = "Zq7marker"


def test_no_repr_shows_a_value(home: Home) -> None:
    subject = SubjectId(new_id())
    principal = Principal(new_id(), "issuer#sub", frozenset())  # type: ignore[arg-type]  # an id
    names = PersonNames(MARKER, MARKER)
    batch = Batch(principal, "api", 0, "", postings=[(IndexTerm("N1", MARKER), Posting(new_id(), 1))])
    email = {"address": f"{MARKER}@example.org"}
    enrolled = home.enroll(person(given_name=MARKER))
    reader = home.caller("reader", Role.READER)
    found = home.app.search.search(reader, home.app.search.by_name(MARKER, "Brightwater"))
    assert found.hits
    held = [
        IndexTerm("N1", MARKER),
        batch,
        prepare(home.app.kernel.index, subject, Category.EMAIL, email, Owner("", names)),
        Owner(MARKER, names),
        SearchAsk(SearchKind.NAME, MARKER, terms=(IndexTerm("N1", MARKER),)),
        home.app.search.by_name(MARKER, MARKER),
        TraceAsk(MARKER, None, MARKER),
        Remembered(MARKER.encode(), {}),
        _Known(1, {"given_name": MARKER}, {}),
        Grant("issuer", "sub", frozenset(), MARKER),
        Purpose(PurposeCode("safety"), MARKER, MARKER),
        DisclosureAsk(None, None, frozenset(), frozenset(), Purpose(PurposeCode("safety"), MARKER, MARKER)),
        Opening(bytes(32), {"note": MARKER}),
        ReadEntry(0, 0, "disclose", {"note": MARKER}, ()),
        FamilyEntry(MARKER, Relation.CHILD, MARKER, MARKER),
        Mark(basis=MARKER),
        Member(MARKER, "child", MARKER, MARKER),
        DossierRecord(None, Category.EMAIL, "email", MARKER, email),  # type: ignore[arg-type]  # an id
        Dossier(subject, MARKER, MARKER, MARKER, (), ()),
        read_enrollment(person(given_name=MARKER), today=TODAY),
        home.app.kernel,
        home.app,
        found,
        enrolled,
        home.disclose(reader, home.ask(enrolled.subject, *Category)),
        replace(Caller(Claims("i", "s", None, "", "", 0)), network=""),
        EntryIndex(0),
    ]
    shown = [type(thing).__name__ for thing in held if MARKER in repr(thing) or MARKER in str(thing)]
    assert shown == []
