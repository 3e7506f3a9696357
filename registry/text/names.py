"""Personal names: given and family name as keys, with any accents, hyphens, particles and order."""

from __future__ import annotations

import re

from registry.text.fold import fold_word
from registry.text.words import letters, skeleton

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")


def name_words(name: str) -> list[str]:
    """Return the words of a name, folded, apostrophes removed."""
    return [
        (word[:-2] if word.endswith("'s") and len(word) > 3 else word).replace("'", "")  # as words of texts are read
        for word in _WORD.findall(fold_word(name))
    ]


def name_key(given: list[str], family: list[str]) -> str:
    """Return the key of a full name: skeleton letters without spaces, so that hyphens and spaces do not matter."""
    return letters(given) + letters(family)


def initial(words: list[str]) -> str:
    """Return the first letter's skeleton."""
    return first_letter(letters(words))


def first_letter(key: str) -> str:
    """Return the skeleton of a key's first letter; "" of an empty one."""
    return skeleton(key[0]) if key else ""
