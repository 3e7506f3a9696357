"""Finding a known phrase (a diagnosis) in a passage: all its words close together, a few letters wrong at most."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.text.nearness import word_distance
from registry.text.words import Words

SLACK = 6  # small or foreign words that may stand between those of the phrase
_LONG_WORD = 7  # letters from which a statement of one word may have letters wrong
# Usual short forms of words that many statements share (short descriptions of ICD-10-CM, notes of wards).
_SHORT_ROWS = """
right rt; left lt; bilateral bilat bil; unspecified unsp unspec uns; specified spec; other oth; initial init;
subsequent subs subsq; encounter enc encntr; disease dis dz; disorder disord dis; disorders disord; chronic chr chron;
acute ac; syndrome synd; complication comp compl; complications comp compl; elsewhere elswhr; classified classd
"""
_SHORT_FORMS = {word: frozenset(forms) for word, *forms in map(str.split, _SHORT_ROWS.split(";"))}
_NEGATIONS = frozenset({"without", "not", "no"})


@dataclass(slots=True)
class Vocabulary:
    """The words of a passage with their positions; near words of each asked word are remembered."""

    words: Words = field(repr=False)
    positions: dict[str, list[int]] = field(default_factory=dict, repr=False)
    _near: dict[str, dict[int, int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for index, word in enumerate(self.words.texts):
            self.positions.setdefault(word, []).append(index)

    def near(self, word: str) -> dict[int, int]:
        """Return the positions of words that a word may be, each with the letters wrong."""
        if word not in self._near:
            found: dict[int, int] = {}
            for written, places in self.positions.items():
                if len(written) > 1 and len(written) < len(word) and word.startswith(written):
                    found.update((place, 1) for place in places if self._goes_on(place, word))
                distance = 0 if written in _SHORT_FORMS.get(word, ()) else word_distance(word, written)
                if distance is not None:
                    found.update(dict.fromkeys(places, distance))
            self._near[word] = found
        return self._near[word]

    def _goes_on(self, place: int, word: str) -> bool:
        """Tell whether a word is torn in two at a place (``diab etes``)."""
        texts = self.words.texts
        following = texts[place + 1] if place + 1 < len(texts) else ""
        return texts[place] + following == word and self.words.gap(place) in {" ", "-", "- "}


def find_phrase(vocabulary: Vocabulary, phrase: list[str]) -> list[tuple[int, int, int]]:
    """Return (first word, last word, letters wrong) of each place where a whole phrase stands, in any order."""
    if not phrase:
        return []
    near = [vocabulary.near(word) for word in phrase]
    rarest = min(near, key=len)
    budget = max(2, sum(map(len, phrase)) // 10)
    if len(phrase) == 1 and len(phrase[0]) < _LONG_WORD:
        budget = 0  # a letter wrong in one short word is another word
    found: list[tuple[int, int, int]] = []
    for spot in sorted(rarest):
        if found and spot <= found[-1][1]:
            continue
        match = _around(vocabulary.words, near, spot, len(phrase))
        if match and match[2] <= budget and not _negated(vocabulary.words, phrase, match):
            found.append(match)
    return found


def _around(words: Words, near: list[dict[int, int]], spot: int, size: int) -> tuple[int, int, int] | None:
    """Choose one position a word, all within a window around ``spot``."""
    low, high = spot - size - SLACK, spot + size + SLACK
    used: set[int] = set()
    edits = 0
    for positions in near:
        choices = [
            (positions[place], abs(place - spot), place)
            for place in range(max(0, low), min(high + 1, len(words.texts)))
            if place in positions and place not in used
        ]
        if not choices:
            return None
        distance, _, place = min(choices)
        used.add(place)
        edits += distance
    first, last = min(used), max(used)
    return (first, last, edits) if last - first + 1 <= size + SLACK else None


def _negated(words: Words, phrase: list[str], match: tuple[int, int, int]) -> bool:
    inside = set(words.texts[match[0] : match[1] + 1])
    return bool((inside & _NEGATIONS) - set(phrase))
