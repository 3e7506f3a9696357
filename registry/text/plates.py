"""Vehicle plates: 4 to 8 letters and digits, with or without a space or dash."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.text.common_words import NO_STREET, SMALL
from registry.text.fold import fold_word

_PLATE = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9 *-]{0,6}\d)([a-z0-9]{1,7}(?:(?:[ *-]| {2}|\n)[a-z0-9]{2,6})?)(?![a-z0-9])"
)
# Its characters one by one, or its letters (K-B 4128); at least two letters and two digits, or any sum would be one.
_SPACED = re.compile(
    r"(?<![a-z0-9])(?:[a-z][ .-]){2,4}(?:- )?(?:\d[ .-]){1,4}\d(?![a-z0-9])"
    r"|(?<![a-z0-9])(?:\d[ .-]){2,4}(?:- )?(?:[a-z][ .-]){1,4}[a-z](?![a-z0-9])"
    r"|(?<![a-z0-9])(?:[a-z][.-]){1,3}[a-z][ .-]\d{2,5}(?![a-z0-9])"
)
_NO_PLATE = NO_STREET | SMALL
_BREAK = re.compile(r"[ *\n-]+")
_SAME = str.maketrans("oiq", "010")


def canonical_plate(plate: str) -> str | None:
    """Return a plate's letters and digits; O and 0, I and 1 fall together. None if the count cannot be a plate's."""
    text = "".join(char for char in fold_word(plate) if char.isalnum()).translate(_SAME)
    return text if 4 <= len(text) <= 8 else None


def mixed_plate(word: str) -> str | None:
    """Return the plate that letters and digits together may be, or None."""
    if not any(char.isalpha() for char in word) or not any(char.isdigit() for char in word):
        return None
    return canonical_plate(word) if _NO_PLATE.isdisjoint(_BREAK.split(word)) else None


def plates_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (canonical plate, start, end) for everything in a folded text that may be a plate."""
    for match in _PLATE.finditer(text):
        end = match.end()
        for word in dict.fromkeys((match.group(1), _BREAK.split(match.group(1))[0])):
            plate = mixed_plate(word)
            if plate:
                yield plate, match.start(), min(end, match.start() + len(word))
    for match in _SPACED.finditer(text):
        plate = canonical_plate(match.group())
        if plate:
            yield plate, match.start(), match.end()
