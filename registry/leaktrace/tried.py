"""Which values a text tries for somebody: values of a kind that stand with a person's name and are not that person's.

Who knows a name and lets a text for every number there is be traced reads the answer off the findings. Such texts
have many different values of one category beside one name. A value counts for the nearest name only, in prose within
thirty words of it, in a table within its row; and none that was found to be somebody's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import accumulate, chain

from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.leaktrace.anchors import name_places
from registry.leaktrace.dossier import Dossier, Matching, Span
from registry.leaktrace.reading import Place, Reading
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import Term, TermKind
from registry.text.postal import TYPES

NEAR_WORDS = 30
_STREET_WORDS = 6
_BIRTH_YEARS = range(1920, 2012)
# Of each place one term: those that read most of it come first.
_KINDS = {
    TermKind.SSN: Category.SSN,
    TermKind.SSN_LAST4: Category.SSN,
    TermKind.PHONE: Category.PHONE,
    TermKind.PHONE_LAST4: Category.PHONE,
    TermKind.CARD: Category.PAYMENT_CARD,
    TermKind.EMAIL: Category.EMAIL,
    TermKind.BIRTH_DATE: Category.DATE_OF_BIRTH,
    TermKind.STREET: Category.HOME_ADDRESS,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """Different values of one category that a text tries for one subject, none of them theirs."""

    subject: SubjectId
    category: Category
    values: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """Whose full names stand in a text: by the index, where a name alone opens nobody, and by what was opened.

    Of those whom the index knows by one name the first suffices: a value counts for one person.
    """

    by_index: Sequence[tuple[Term, SubjectId]] = field(repr=False)
    opened: Sequence[Dossier] = field(repr=False)


_Candidate = tuple[Category, Place, Term]


def values_tried(text: ReadText, people: Named, matching: Matching) -> tuple[Tried, ...]:
    """Return what a text tries.

    Args:
        text: what was read.
        people: who is named in it.
        matching: what of whom was found in it.
    """
    reading = text.reading
    by_passage = _named(text, people)
    if not by_passage:
        return ()
    found = _Spans(span for finding in (*matching.findings, *matching.possible) for span in finding.spans)
    tried: dict[tuple[SubjectId, Category], set[str]] = {}
    for category, place, term in _candidates(reading, by_passage.keys()):
        if found.overlap(reading.span(*place)):
            continue
        subject = _nearest(reading, place, by_passage[place.passage])
        if subject is not None:
            tried.setdefault((subject, category), set()).add(f"{term.kind._value_} {term.text}")
    return tuple(Tried(subject, category, frozenset(values)) for (subject, category), values in sorted(tried.items()))


def _named(text: ReadText, people: Named) -> dict[int, dict[Place, SubjectId]]:
    """Return where full names stand, by passage, each with the first of those who have it."""
    named: dict[int, dict[Place, SubjectId]] = {}
    opened = ((place, one.subject) for one in people.opened for place in name_places(text, one))
    known = ((place, subject) for term, subject in people.by_index for place in text.places(term))
    for place, subject in chain(opened, known):
        places = named.setdefault(place.passage, {})
        places[place] = min(subject, places.get(place, subject))
    return named


def _candidates(reading: Reading, passages: AbstractSet[int]) -> Iterator[_Candidate]:
    """Yield one candidate for each place and category: several readings of one number are one value."""
    taken: set[tuple[Category, int, int]] = set()
    terms: dict[TermKind, list[Term]] = {kind: [] for kind in _KINDS}
    for term in reading.places:
        kind = term[0]
        if kind in terms:
            terms[kind].append(term)
    for kind, category in _KINDS.items():
        for term in sorted(terms[kind]):
            for place in reading.places[term]:
                passage, first, _ = place
                if passage not in passages:
                    continue
                spot = (category, passage, first)
                if spot not in taken and _is_meant(reading, kind, term.text, place):
                    taken.add(spot)
                    yield category, place, term


def _is_meant(reading: Reading, kind: TermKind, value: str, place: Place) -> bool:
    """Tell whether a term is a value of its category, and not any date, or any number before a word."""
    if kind is TermKind.BIRTH_DATE:
        return int(value[:4]) in _BIRTH_YEARS
    if kind is TermKind.STREET:
        words = reading.passages[place.passage].texts[place.first + 1 : place.first + 1 + _STREET_WORDS]
        return any(word in TYPES for word in words)
    return True


def _nearest(reading: Reading, place: Place, named: Mapping[Place, SubjectId]) -> SubjectId | None:
    is_prose = reading.passages[place.passage].scope == 0
    if len(named) == 1 and not is_prose:
        return next(iter(named.values()))
    best: tuple[int, SubjectId] | None = None
    for name, subject in named.items():
        distance = max(place.first - name.last, name.first - place.last, 0)
        if (best is None or (distance, subject) < best) and not (is_prose and distance > NEAR_WORDS):
            best = (distance, subject)
    return None if best is None else best[1]


class _Spans:
    """Spans in order, to be asked many times whether one of them overlaps another."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(set(spans))
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))  # the furthest end so far

    def overlap(self, span: Span) -> bool:
        """Tell whether a span shares a character with one of them."""
        before = bisect_left(self._starts, span[1])
        return before > 0 and self._ends[before - 1] > span[0]
