"""Sightings of contextual values: birth date, health statement, school, household member's name."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from registry.domain.categories import Category
from registry.leaktrace.decide_schools import school_sightings
from registry.leaktrace.dossier import Dossier, DossierRecord
from registry.leaktrace.phrases import find_phrase
from registry.leaktrace.reading import Place
from registry.leaktrace.sightings import ReadText, Sighting
from registry.leaktrace.terms import Term, TermKind, health_words
from registry.text.nearness import key_distance


def contextual(
    text: ReadText, dossier: Dossier, record: DossierRecord, anchors: AbstractSet[int]
) -> Iterator[Sighting]:
    """Yield each place where a contextual value stands; decided only in an anchored scope.

    Args:
        text: what was read.
        dossier: whose record it is.
        record: the value.
        anchors: scopes that hold the subject's name or an identifying value.
    """
    match record.category:
        case Category.DATE_OF_BIRTH:
            yield from _birth_dates(text, record, anchors)
        case Category.HEALTH:
            yield from _health(text, record, anchors)
        case Category.SCHOOL:
            yield from school_sightings(text, dossier, record, anchors)
        case _:
            yield from _members(text, dossier, record, anchors)


def _birth_dates(text: ReadText, record: DossierRecord, anchors: AbstractSet[int]) -> Iterator[Sighting]:
    for term in record.terms:
        for place in text.places(term):
            seen = text.sight(place, 0.95, "the date stands with the person", exact=True)
            yield seen if seen.scope in anchors else seen.weakened()


def _health(text: ReadText, record: DossierRecord, anchors: AbstractSet[int]) -> Iterator[Sighting]:
    phrase = health_words(record.value["statement"])
    for passage in (passage for scope in sorted(anchors) for passage in text.by_scope[scope]):
        for first, last, edits in find_phrase(text.vocabulary(passage), phrase):
            confidence = 0.95 if edits == 0 else 0.85
            place = Place(passage, first, last)
            yield text.sight(place, confidence, "the statement stands with the person", exact=edits == 0)


_LONGEST_SHORT_FORM = 3  # letters before a full stop that ends no sentence (Dr., St.)


def _crosses_sentence(text: ReadText, place: Place) -> bool:
    """Tell whether a sentence ends inside a name: it is no name then (``with Ida Gilley. Jesus has two``)."""
    words = text.words(place)
    return any(
        "." in words.gap(index) and len(words.texts[index]) > _LONGEST_SHORT_FORM
        for index in range(place.first, place.last)
    )


def _members(text: ReadText, dossier: Dossier, record: DossierRecord, anchors: AbstractSet[int]) -> Iterator[Sighting]:
    member, subject = record.named, dossier.own_key
    if member is None or member.keys[0] == subject:
        return
    own, most = member.keys, member.most
    others = dossier.member_keys - {own[0]}
    named: list[Place] | None = None
    # Every name of every row would be compared with every member: a row is looked at that speaks of one of them.
    beside = {place.passage for term in member.terms for place in text.places(term)}
    for passage in sorted({0, *(one for scope in anchors for one in text.by_scope[scope]), *beside}):
        for written, place in text.names.get(passage, ()):
            if abs(len(written) - len(own[0])) > most or written == subject or written in others:
                continue
            edits = [edit for key in own if (edit := key_distance(key, written, most)) is not None]
            if not edits:
                continue
            if named is None:
                named = [one for one in text.places(Term(TermKind.NAME, subject)) if not _crosses_sentence(text, one)]
            if any(place.overlaps(other) for other in named):
                continue  # part of the subject's own name
            exact = min(edits) == 0
            seen = text.sight(place, 0.95 if exact else 0.75, "the full name stands with the person", exact=exact)
            yield seen if seen.scope in anchors else seen.weakened()
