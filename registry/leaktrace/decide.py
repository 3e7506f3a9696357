"""Deciding: which opened values stand in the text, by the truth rules of this room's README.

Identifying values (address, phone, SSN, card, e-mail, plate) count alone. Contextual ones (birth date, health, family,
school) need an anchor in the same prose or the same table row: the subject's full name or an identifying value. Last
four digits need the full name. In a table, parts of values need another exact value of the same person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.domain.categories import Category
from registry.leaktrace.decide_addresses import AddressMatch, match_address
from registry.leaktrace.dossier import Dossier, DossierRecord, Finding, Matching, Member, Span
from registry.leaktrace.phrases import Vocabulary, find_phrase
from registry.leaktrace.reading import Place, Reading
from registry.leaktrace.reading_names import may_be_name
from registry.leaktrace.terms import (
    PersonNames,
    Term,
    TermKind,
    directory_terms,
    full_name_term,
    health_words,
    record_terms,
)
from registry.text.addresses import parse_address
from registry.text.names import name_key, name_words
from registry.text.nearness import allowed_edits, key_distance
from registry.text.schools import levels, school_key, school_word
from registry.text.words import Words, letters, skeleton

_IDENTIFYING = frozenset(
    {Category.HOME_ADDRESS, Category.PHONE, Category.SSN, Category.PAYMENT_CARD, Category.EMAIL, Category.VEHICLE_PLATE}
)


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A value seen at one place.

    Attributes:
        scope: 0 for prose, else the table row.
        span: raw range.
        confidence: 0 to 1.
        reason: plain words.
        exact: the whole value, nothing missing or wrong: it may support parts of other values.
        decided: a finding; else only possible.
    """

    scope: int
    span: Span
    confidence: float
    reason: str
    exact: bool
    decided: bool = True


@dataclass(slots=True)
class _Text:
    """A reading with what several dossiers ask of it, worked out once."""

    reading: Reading
    digests: dict[str, list[Place]]
    schools: dict[int, list[tuple[str, Place]]] = field(default_factory=dict)
    names: dict[int, list[tuple[str, Place]]] = field(default_factory=dict)
    by_scope: dict[int, int] = field(default_factory=dict)
    _vocabularies: dict[int, Vocabulary] = field(default_factory=dict)
    _spots: dict[str, dict[int, list[int]]] = field(default_factory=dict)

    def vocabulary(self, passage: int) -> Vocabulary:
        if passage not in self._vocabularies:
            self._vocabularies[passage] = Vocabulary(self.reading.passages[passage])
        return self._vocabularies[passage]

    def spots(self, word: str) -> dict[int, list[int]]:
        """Return where a word (a skeleton) stands, by passage."""
        if not self._spots:
            for number, words in enumerate(self.reading.passages):
                for index, text in enumerate(words.texts):
                    self._spots.setdefault(skeleton(text), {}).setdefault(number, []).append(index)
        return self._spots.get(word, {})

    def scope_of(self, place: Place) -> int:
        return self.reading.passages[place.passage].scope

    def places(self, term: Term) -> list[Place]:
        return self.reading.places.get(term, [])

    def span(self, place: Place) -> Span:
        return self.reading.span(place.passage, place.first, place.last)


def decide(reading: Reading, dossiers: Sequence[Dossier], *, card_digest: Callable[[str], str]) -> Matching:
    """Compare opened dossiers with a text.

    Args:
        reading: the text's reading.
        dossiers: opened values of the selected subjects.
        card_digest: gives the keyed digest of a card number's digits, to be compared with that of an enrolled card.

    Returns:
        Findings, one per subject, kind and member; and weaker ones that are only possible.
    """
    text = _prepare(reading, card_digest)
    findings: list[Finding] = []
    possible: list[Finding] = []
    for dossier in dossiers:
        decided, weaker = _Case(text, dossier).run()
        findings.extend(decided)
        possible.extend(weaker)
    return Matching(tuple(findings), tuple(possible))


def _prepare(reading: Reading, card_digest: Callable[[str], str]) -> _Text:
    text = _Text(reading, {})
    for term, places in reading.places.items():
        if term.kind is TermKind.CARD:
            text.digests.setdefault(card_digest(term.text), []).extend(places)
        elif term.kind is TermKind.SCHOOL:
            for place in places:
                text.schools.setdefault(place.passage, []).append((term.text, place))
        elif term.kind is TermKind.NAME:
            for place in places:
                text.names.setdefault(place.passage, []).append((term.text, place))
    text.by_scope = {words.scope: number for number, words in enumerate(reading.passages)}
    return text


class _Case:
    """One dossier against one text."""

    def __init__(self, text: _Text, dossier: Dossier) -> None:
        self._text = text
        self._dossier = dossier
        self._members = {member.ref: member for member in dossier.members}
        self._seen: dict[int, list[_Sighting]] = {}
        self._named = self._name_scopes()
        self._anchors: set[int] = set(self._named)

    def run(self) -> tuple[list[Finding], list[Finding]]:
        """Return (decided, possible)."""
        records = self._dossier.records
        for number, record in enumerate(records):
            if record.category in _IDENTIFYING:
                self._note(number, self._identifying(record))
        self._settle_parts()
        for number, record in enumerate(records):
            if record.category not in _IDENTIFYING:
                self._note(number, self._contextual(record))
            elif record.category in {Category.SSN, Category.PHONE}:
                self._note(number, self._last_four(record))
        self._children_by_school()
        return self._collect(decided=True), self._collect(decided=False)

    def _note(self, number: int, sightings: Iterable[_Sighting]) -> None:
        self._seen.setdefault(number, []).extend(sightings)

    # Anchors

    def _name_scopes(self) -> dict[int, bool]:
        """Return the scopes that hold the subject's full name, each with whether it is written exactly."""
        given, family = name_words(self._dossier.given_name), name_words(self._dossier.family_name)
        if not given or not family:
            return {}
        found = {self._text.scope_of(place): True for place in self._text.places(full_name_term(given, family))}
        own = (name_key(given, family), name_key(family, given))
        for term in directory_terms(self._dossier.given_name, self._dossier.family_name):
            if term.kind not in {TermKind.NAME_GIVEN, TermKind.NAME_FAMILY}:
                continue
            for place in self._text.places(term):
                scope = self._text.scope_of(place)
                if scope not in found and self._is_near_name(own, place):
                    found[scope] = False
        return found

    def _is_near_name(self, own: tuple[str, str], place: Place) -> bool:
        words = self._text.reading.passages[place.passage].texts[place.first : place.last + 1]
        written = {letters(words), letters([word for word in words if len(word) > 1])}
        most = 1 if len(own[0]) < 12 else 2
        return any(key_distance(key, text, most) is not None for key in own for text in written)

    def _settle_parts(self) -> None:
        """Let exact identifying values anchor; in tables, drop parts of values that nothing exact supports."""
        exact = {sighting.scope for seen in self._seen.values() for sighting in seen if sighting.exact}
        exact |= {scope for scope, is_exact in self._named.items() if is_exact}
        for number, seen in self._seen.items():
            self._seen[number] = [
                sighting if sighting.exact or sighting.scope == 0 or sighting.scope in exact else _weaken(sighting)
                for sighting in seen
            ]
        self._anchors |= {sighting.scope for seen in self._seen.values() for sighting in seen if sighting.decided}

    # Identifying values

    def _identifying(self, record: DossierRecord) -> Iterator[_Sighting]:
        if record.category is Category.HOME_ADDRESS:
            yield from self._addresses(record)
            return
        if record.category is Category.PAYMENT_CARD:
            places = self._text.digests.get(record.value.get("digest", ""), [])
        else:
            kinds = {TermKind.PHONE, TermKind.SSN, TermKind.EMAIL, TermKind.PLATE}
            terms = record_terms(record.category, record.value, owner=PersonNames("", ""))
            places = [place for term in terms if term.kind in kinds for place in self._text.places(term)]
        for place in places:
            yield self._sight(place, 0.99, "the whole value stands in the text", exact=True)

    def _sight(self, place: Place, confidence: float, reason: str, *, exact: bool) -> _Sighting:
        return _Sighting(self._text.scope_of(place), self._text.span(place), confidence, reason, exact)

    def _addresses(self, record: DossierRecord) -> Iterator[_Sighting]:
        address = parse_address(record.value)
        spots = {
            (place.passage, place.first, place.last)
            for term in record_terms(Category.HOME_ADDRESS, record.value, owner=PersonNames("", ""))
            for place in self._text.places(term)
        }
        for passage, first, last in sorted(spots):
            words = self._text.reading.passages[passage]
            match = match_address(address, words, first, last)
            if match is None:
                continue
            confidence, reason, decided = _judge_address(match)
            span = self._text.reading.span(passage, match.first, match.last)
            exact = match.confirmed and match.whole and match.edits == 0
            yield _Sighting(words.scope, span, confidence, reason, exact, decided)

    def _last_four(self, record: DossierRecord) -> Iterator[_Sighting]:
        exact = {sighting.scope for seen in self._seen.values() for sighting in seen if sighting.exact}
        for term in record_terms(record.category, record.value, owner=PersonNames("", "")):
            if term.kind not in {TermKind.SSN_LAST4, TermKind.PHONE_LAST4}:
                continue
            for place in self._text.places(term):
                scope = self._text.scope_of(place)
                if not self._ends_with_all(record, place):
                    continue
                named = self._named.get(scope, False) and (scope == 0 or scope in exact)
                seen = self._sight(place, 0.85, "its last four digits stand with the full name", exact=False)
                yield seen if named else _weaken(seen)

    def _ends_with_all(self, record: DossierRecord, place: Place) -> bool:
        """Tell whether a number without its area code has the other digits right, too."""
        words = self._text.reading.passages[place.passage].texts[place.first : place.last + 1]
        if len(words) < 2 or not all(word.isdigit() for word in words):
            return True
        number = "".join(char for char in record.value["number"] if char.isdigit())
        return number.endswith("".join(words))

    # Contextual values

    def _contextual(self, record: DossierRecord) -> Iterator[_Sighting]:
        match record.category:
            case Category.DATE_OF_BIRTH:
                yield from self._birth_dates(record)
            case Category.HEALTH:
                yield from self._health(record)
            case Category.SCHOOL:
                yield from self._schools(record)
            case _:
                yield from self._members_named(record)

    def _birth_dates(self, record: DossierRecord) -> Iterator[_Sighting]:
        for term in record_terms(record.category, record.value, owner=PersonNames("", "")):
            for place in self._text.places(term):
                seen = self._sight(place, 0.95, "the date stands with the person", exact=True)
                yield seen if seen.scope in self._anchors else _weaken(seen)

    def _health(self, record: DossierRecord) -> Iterator[_Sighting]:
        phrase = health_words(record.value["statement"])
        for scope in sorted(self._anchors):
            passage = self._text.by_scope[scope]
            for first, last, edits in find_phrase(self._text.vocabulary(passage), phrase):
                place = Place(passage, first, last)
                confidence = 0.95 if edits == 0 else 0.85
                yield self._sight(place, confidence, "the statement stands with the person", exact=edits == 0)

    def _schools(self, record: DossierRecord) -> Iterator[_Sighting]:
        member = self._members.get(record.member or "")
        key = school_key(name_words(record.value["name"]))
        for passage, windows in self._text.schools.items():
            scope = self._text.reading.passages[passage].scope
            anchored = scope in self._anchors
            if not anchored and not (member and passage in self._child_passages(member)):
                continue
            for place, edits in self._school_places(record, key, windows):
                if not anchored and not (member and self._child_beside(member, place)):
                    continue
                reason = "the school stands with the person" if anchored else "the school stands with the child's name"
                yield self._sight(place, 0.93 if edits == 0 else 0.85, reason, exact=edits == 0)

    def _school_places(
        self, record: DossierRecord, key: str, windows: list[tuple[str, Place]]
    ) -> Iterator[tuple[Place, int]]:
        own = levels(name_words(record.value["name"]))
        most = allowed_edits(len(key))
        best: dict[int, tuple[int, Place]] = {}  # by the window's last word: nearest key, then the longest window
        for written, place in windows:
            edits = key_distance(key, written, most)
            if edits is not None and (place.last not in best or edits < best[place.last][0]):
                best[place.last] = (edits, place)
        for edits, place in best.values():
            words = self._text.reading.passages[place.passage]
            stated = levels(words.texts[place.first : place.last + 1])
            if (not own or not stated or own & stated) and not _is_wider(words, place.first):
                yield place, edits

    def _child_passages(self, member: Member) -> dict[int, list[int]]:
        """Return the passages that hold a word like a child's first name, with the words' numbers."""
        given = name_words(member.given_name)
        return self._text.spots(letters(given[:1])) if given else {}

    def _child_beside(self, member: Member, school: Place) -> bool:
        """Tell whether a child's first name, as a name, stands in the passage outside the school's own words."""
        words = self._text.reading.passages[school.passage]
        given = name_words(member.given_name)
        for first in self._child_passages(member).get(school.passage, ()):
            last = first + len(given) - 1
            if letters(words.texts[first : last + 1]) != letters(given) or school_word(words.texts[first]):
                continue
            outside = last < school.first or first > school.last
            if outside and (words.scope or words.is_capital(first)) and not self._is_stranger(member, words, last):
                return True
        return False

    def _is_stranger(self, member: Member, words: Words, last: int) -> bool:
        """Tell whether another family name follows a first name: then it is somebody else."""
        following = last + 1
        if following >= len(words.texts) or words.cells[following] != words.cells[last]:
            return False
        if words.gap(last).strip() or not words.is_capital(following) or not may_be_name(words.texts[following]):
            return False
        rest = words.texts[following : following + 3]
        own = {letters(name_words(member.family_name)), letters(name_words(self._dossier.family_name))}
        return not any(
            key_distance(key, letters(rest[:count]), allowed_edits(len(key))) is not None
            for key in own
            for count in (1, 2, 3)
        )

    def _members_named(self, record: DossierRecord) -> Iterator[_Sighting]:
        given, family = name_words(record.value["given_name"]), name_words(record.value["family_name"])
        own = (name_key(given, family), name_key(family, given))
        subject = name_key(name_words(self._dossier.given_name), name_words(self._dossier.family_name))
        if not given or not family or own[0] == subject:
            return
        most = allowed_edits(min(len(letters(given)), len(letters(family))) + 2)
        for passage, windows in self._text.names.items():
            scope = self._text.reading.passages[passage].scope
            for written, place in windows:
                if abs(len(written) - len(own[0])) > most or written == subject:
                    continue
                edits = [d for key in own if (d := key_distance(key, written, most)) is not None]
                if not edits:
                    continue
                confidence = 0.95 if min(edits) == 0 else 0.75
                seen = self._sight(place, confidence, "the full name stands with the person", exact=min(edits) == 0)
                yield seen if scope in self._anchors else _weaken(seen)

    def _children_by_school(self) -> None:
        """A child's full name also counts beside its school."""
        records = self._dossier.records
        schools: dict[str, set[int]] = {}
        for number, record in enumerate(records):
            if record.category is Category.SCHOOL and record.member:
                scopes = {sighting.scope for sighting in self._seen.get(number, []) if sighting.decided}
                schools.setdefault(record.member, set()).update(scopes)
        for number, record in enumerate(records):
            if record.category is Category.FAMILY_MEMBER and record.member in schools:
                self._seen[number] = [
                    sighting
                    if sighting.decided or sighting.scope not in schools[record.member or ""]
                    else _confirm(sighting)
                    for sighting in self._seen[number]
                ]

    # Result

    def _collect(self, *, decided: bool) -> list[Finding]:
        """Make one finding a kind and member."""
        grouped: dict[tuple[str, str | None], list[tuple[DossierRecord, _Sighting]]] = {}
        done = {
            (self._dossier.records[number].kind, self._dossier.records[number].member)
            for number, seen in self._seen.items()
            if any(sighting.decided for sighting in seen)
        }
        for number, seen in self._seen.items():
            record = self._dossier.records[number]
            key = (record.kind, record.member)
            if not decided and key in done:
                continue
            chosen = [(record, sighting) for sighting in seen if sighting.decided is decided]
            if chosen:
                grouped.setdefault(key, []).extend(chosen)
        return [self._finding(seen) for seen in grouped.values()]

    def _finding(self, seen: list[tuple[DossierRecord, _Sighting]]) -> Finding:
        record, best = max(seen, key=lambda item: item[1].confidence)
        spans = tuple(sorted({sighting.span for _, sighting in seen}))
        return Finding(
            self._dossier.subject,
            record.record,
            self._dossier.employee_number,
            record.category,
            record.kind,
            record.member,
            best.confidence,
            spans,
            best.reason,
        )


_WIDER = frozenset({"north", "south", "east", "west", "new", "upper", "lower", "mount", "fort", "saint", "central"})


def _is_wider(words: Words, first: int) -> bool:
    """Tell whether the word before a school's name makes it another school's (``North``)."""
    while first and (school_word(words.texts[first - 1]) or len(words.texts[first - 1]) == 1):
        first -= 1
    return first > 0 and words.texts[first - 1] in _WIDER and words.gap(first - 1) == " "


# Number and street without city or ZIP, by the letters wrong.
_ALONE = {
    0: (0.85, "number and street stand in the text, no other city or ZIP beside them", True),
    1: (0.7, "number and street with a letter wrong stand in the text", True),
}


def _judge_address(match: AddressMatch) -> tuple[float, str, bool]:
    """Return confidence, reason, and whether the match is decided."""
    if not match.whole:
        return 0.4, "number and street stand in the text, but type, direction or unit differ", False
    if match.confirmed:
        exact = match.edits == 0
        wrong = "" if exact else " with a letter wrong"
        return (0.99 if exact else 0.9), f"number, street{wrong}, and city or ZIP stand in the text", True
    if not match.named:
        return 0.4, "number and street name stand in the text, but hardly as an address", False
    return _ALONE.get(match.edits, (0.4, "number and a similar street stand in the text", False))


def _weaken(seen: _Sighting) -> _Sighting:
    confidence = min(seen.confidence, 0.4)
    return _Sighting(seen.scope, seen.span, confidence, f"{seen.reason}, without an anchor", exact=False, decided=False)


def _confirm(seen: _Sighting) -> _Sighting:
    return _Sighting(seen.scope, seen.span, 0.85, "the full name stands with the child's school", seen.exact)


__all__ = ["Dossier", "DossierRecord", "Finding", "Matching", "Member", "decide", "may_be_name"]
