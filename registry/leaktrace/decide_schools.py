"""Sightings of schools: anchored by the subject, or by the first name of the child that goes there."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from registry.leaktrace.dossier import Dossier, DossierRecord, Member
from registry.leaktrace.reading import Place
from registry.leaktrace.reading_names import may_be_name
from registry.leaktrace.sightings import ReadText, Sighting
from registry.text.names import name_words
from registry.text.nearness import allowed_edits, key_distance
from registry.text.schools import is_other_school, school_key, school_word
from registry.text.words import Words, letters

_WIDER = frozenset({"north", "south", "east", "west", "new", "upper", "lower", "mount", "fort", "saint", "central"})


def school_sightings(
    text: ReadText, dossier: Dossier, record: DossierRecord, anchors: AbstractSet[int]
) -> Iterator[Sighting]:
    """Yield each place where a school stands with its person or child."""
    if not text.schools:
        return
    child = _Child(text, dossier, next((member for member in dossier.members if member.ref == record.member), None))
    own = name_words(record.value["name"])
    near = {passage for scope in anchors for passage in text.by_scope.get(scope, ())} | child.passages()
    # A table has many passages, and somebody stands in few of them.
    for passage in sorted(near & text.school_order.keys(), key=text.school_order.__getitem__):
        anchored = text.reading.passages[passage].scope in anchors
        for place, edits in _matches(text, own, text.schools[passage]):
            if anchored or child.stands_beside(place):
                holder = "person" if anchored else "child's name"
                reason = f"the school stands with the {holder}"
                yield text.sight(place, 0.93 if edits == 0 else 0.85, reason, exact=edits == 0)


def _matches(text: ReadText, own: list[str], windows: list[tuple[str, Place]]) -> Iterator[tuple[Place, int]]:
    """Yield (place, letters wrong) where the same school of the same level is named."""
    key = school_key(own)
    most = allowed_edits(len(key))
    best: dict[int, tuple[int, Place]] = {}  # by the window's last word: nearest key, then the longest window
    for written, place in windows:
        edits = key_distance(key, written, most)
        if edits is not None and (place.last not in best or edits < best[place.last][0]):
            best[place.last] = (edits, place)
    for edits, place in best.values():
        if not is_other_school(own, _with_grade(text, place)) and not _is_wider(text.words(place), place.first):
            yield place, edits


def _with_grade(text: ReadText, place: Place) -> list[str]:
    """Return the words of a school's name; those of one that ends in a K have its grade (``K-8``)."""
    parts = text.parts(place)
    following = text.words(place).texts[place.last + 1 : place.last + 2]
    return [*parts, *following] if parts[-1] == "k" else parts


def _is_wider(words: Words, first: int) -> bool:
    """Tell whether the word before a school's name makes it another school's (``North``)."""
    while first and (school_word(words.texts[first - 1]) or len(words.texts[first - 1]) == 1):
        first -= 1
    return first > 0 and words.texts[first - 1] in _WIDER and words.gap(first - 1) == " "


class _Child:
    """The child of a school record, or nobody."""

    def __init__(self, text: ReadText, dossier: Dossier, member: Member | None) -> None:
        self._text = text
        self._given = name_words(member.given_name) if member else []
        families = (member.family_name if member else "", dossier.family_name)
        self._families = {letters(name_words(family)) for family in families}

    def passages(self) -> AbstractSet[int]:
        """Return the passages that hold a word like the child's first name."""
        return self._text.spots(letters(self._given[:1])).keys() if self._given else frozenset()

    def stands_beside(self, school: Place) -> bool:
        """Tell whether the first name, as a name, stands in the passage outside the school's own words."""
        if not self._given:
            return False
        words = self._text.words(school)
        for first in self._text.spots(letters(self._given[:1])).get(school.passage, ()):
            last = first + len(self._given) - 1
            if letters(words.texts[first : last + 1]) != letters(self._given):
                continue
            outside = last < school.first or first > school.last
            named = outside and (words.scope or words.is_capital(first))
            if named and (last + 1 == school.first or not self._is_stranger(words, last)):
                return True
        return False

    def _is_stranger(self, words: Words, last: int) -> bool:
        """Tell whether another family name follows a first name: then it is somebody else."""
        following = last + 1
        if following >= len(words.texts) or words.cells[following] != words.cells[last]:
            return False
        if words.gap(last).strip() or not words.is_capital(following) or not may_be_name(words.texts[following]):
            return False
        rest = words.texts[following : following + 3]
        return not any(
            key_distance(key, letters(rest[:count]), allowed_edits(len(key))) is not None
            for key in self._families
            for count in (1, 2, 3)
        )
