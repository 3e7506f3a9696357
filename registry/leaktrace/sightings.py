"""Sightings: one enrolled value seen at one place, and what several dossiers ask of one reading."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from registry.leaktrace.dossier import FullName, Span
from registry.leaktrace.phrases import Vocabulary
from registry.leaktrace.reading import Place, Reading
from registry.leaktrace.terms import Term, TermKind
from registry.text.emails import email_looks
from registry.text.words import Words, letters, skeleton

WEAK = 0.4  # highest confidence of what is not decided


class Sighting(NamedTuple):
    """A value seen at one place. A tuple and not a dataclass: a dump makes a million of them.

    Attributes:
        scope: 0 for prose, else the table row.
        span: raw range.
        confidence: 0 to 1.
        reason: plain words, never the value.
        exact: the whole value, nothing missing or wrong: it may support parts of other values.
        decided: a finding; else only possible.
        is_tail: no more of a number than its last four digits.
    """

    scope: int
    span: Span
    confidence: float
    reason: str
    exact: bool
    decided: bool = True
    is_tail: bool = False

    def weakened(self) -> Sighting:
        """Return it as only possible."""
        reason = f"{self.reason}, without an anchor"
        return Sighting(self.scope, self.span, min(self.confidence, WEAK), reason, False, False, self.is_tail)


class ReadText:
    """A reading with what several dossiers ask of it, worked out once."""

    def __init__(self, reading: Reading, card_digest: Callable[[str], str]) -> None:
        """Take a reading.

        Args:
            reading: what was read.
            card_digest: gives the keyed digest of a card number's digits, to be compared with that of an enrolled card.
        """
        self.reading = reading
        self._card_digest = card_digest
        self.by_scope: dict[int, list[int]] = {}
        for number, words in enumerate(reading.passages):
            self.by_scope.setdefault(words.scope, []).append(number)
        self._vocabularies: dict[int, Vocabulary] = {}
        self._forms: dict[Place, frozenset[str]] = {}
        self._spots: dict[str, dict[int, list[int]]] = {}
        self.named: dict[FullName, list[tuple[Place, bool]]] = {}  # where a full name stands, and whether exactly

    @cached_property
    def digests(self) -> dict[str, list[Place]]:
        """Where card numbers stand, by their digest."""
        return self._grouped(TermKind.CARD, self._card_digest)

    @cached_property
    def emails(self) -> dict[str, list[Place]]:
        """Where e-mail addresses stand, by what they look like."""
        return self._grouped(TermKind.EMAIL, email_looks)

    @cached_property
    def schools(self) -> dict[int, list[tuple[str, Place]]]:
        """What may be a school's name, by passage."""
        return self._windows(TermKind.SCHOOL)

    @cached_property
    def names(self) -> dict[int, list[tuple[str, Place]]]:
        """What may be somebody's name, by passage."""
        return self._windows(TermKind.NAME)

    @cached_property
    def school_order(self) -> dict[int, int]:
        """In which order passages with a school's name are looked through."""
        return {passage: number for number, passage in enumerate(self.schools)}

    def _grouped(self, kind: TermKind, key: Callable[[str], str]) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for term, places in self.reading.places.items():
            if term.kind is kind:
                found.setdefault(key(term.text), []).extend(places)
        return found

    def _windows(self, kind: TermKind) -> dict[int, list[tuple[str, Place]]]:
        windows: dict[int, list[tuple[str, Place]]] = {}
        for term, places in self.reading.places.items():
            if term.kind is kind:
                for place in places:
                    if kind is TermKind.SCHOOL or not self._is_turned(term.text, place):
                        windows.setdefault(place.passage, []).append((term.text, place))
        return windows

    def _is_turned(self, written: str, place: Place) -> bool:
        """Tell whether two words are read the other way round: whoever compares names tries both orders already."""
        parts = self.parts(place)
        turned = len(parts) == 2 and written == letters(parts[::-1]) != letters(parts)
        return turned and "," not in self.words(place).gap(place.first)

    def vocabulary(self, passage: int) -> Vocabulary:
        """Return the words of a passage with their positions."""
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

    def words(self, place: Place) -> Words:
        """Return the passage of a place."""
        return self.reading.passages[place.passage]

    def parts(self, place: Place) -> list[str]:
        """Return the words of a place."""
        return self.words(place).texts[place.first : place.last + 1]

    def forms(self, place: Place) -> frozenset[str]:
        """Return the keys that the words of a place may be a name's by: with single letters, and without."""
        found = self._forms.get(place)
        if found is None:
            words = self.parts(place)
            found = frozenset({letters(words), letters([word for word in words if len(word) > 1])})
            self._forms[place] = found
        return found

    def label(self, place: Place) -> str:
        """Return the name of the column in which a place begins; '' when there is none."""
        labels = self.reading.labels[place.passage]
        cell = self.words(place).cells[place.first]
        return labels[cell] if cell < len(labels) else ""

    def places(self, term: Term) -> list[Place]:
        """Return where a term stands."""
        return self.reading.places.get(term, [])

    def phones_of(self, leading: str) -> list[Place]:
        """Return where numbers of one range of telephone numbers stand."""
        terms = (term for term in self.reading.places if term.kind is TermKind.PHONE and term.text.startswith(leading))
        return [place for term in terms for place in self.reading.places[term]]

    def sight(self, place: Place, confidence: float, reason: str, *, exact: bool) -> Sighting:
        """Return a decided sighting of the words of a place."""
        reading = self.reading
        span = reading.span(place.passage, place.first, place.last)
        return Sighting(reading.passages[place.passage].scope, span, confidence, reason, exact)
