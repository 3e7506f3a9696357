"""School names: the part that tells one from another, and the level."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from registry.text.words import letters, plain, skeleton

# What a word says about the level; "" for words that only say that it is a school.
KINDS: dict[str, str] = {
    "elementary": "elementary", "elem": "elementary", "elm": "elementary", "el": "", "es": "elementary",
    "elemen": "elementary",
    "primary": "elementary", "grade": "elementary", "middle": "middle", "mid": "middle", "ms": "middle",
    "intermediate": "middle", "junior": "middle", "jr": "middle", "jhs": "middle", "high": "high", "hs": "high",
    "senior": "senior", "sr": "senior", "shs": "high", "secondary": "high", "preparatory": "", "prep": "",
    "school": "", "schools": "", "sch": "", "schl": "", "scl": "", "academy": "", "acad": "", "acdmy": "",
    "charter": "",
    "chtr": "", "magnet": "", "kindergarten": "", "preschool": "", "montessori": "", "elementry": "elementary",
    "college": "", "institute": "", "center": "", "ctr": "", "campus": "", "k8": "", "k12": "",
}  # fmt: skip
_TRIGGERS = frozenset(KINDS) - {"el", "jr", "sr", "junior", "senior", "grade", "center", "ctr", "primary", "mid"}
_LONG_TRIGGERS = tuple(
    word
    for word in ("elementary", "middle", "school", "academy", "charter", "intermediate", "magnet", "secondary", "high")
)
_FORMS = {skeleton(word): word for word in KINDS if len(word) > 3}
_SMALL = frozenset({"of", "the", "for", "at", "and", "in", "a"})
_INITIALS = re.compile(r"\b([a-z])\.\s*(?=[a-z]\b)")


@lru_cache(maxsize=16384)
def school_word(word: str) -> str:
    """Return the school word that a word is, with one letter wrong at most in a long one; else ''."""
    text = plain(word)
    if text in KINDS:
        return text
    form = skeleton(word)
    if len(form) >= 3 and form in _FORMS:
        return _FORMS[form]
    if len(text) < 5:
        return ""
    for trigger in _LONG_TRIGGERS:
        allowed = 2 if len(trigger) > 7 else 1
        if len(trigger) < 5 or text[0] != trigger[0] or abs(len(text) - len(trigger)) > allowed:
            continue
        if OSA.distance(text, trigger, score_cutoff=allowed) <= allowed:
            return trigger
    return ""


def is_trigger(word: str) -> bool:
    """Tell whether a word may end a school's name."""
    return school_word(word) in _TRIGGERS


def stem_words(words: Sequence[str]) -> list[str]:
    """Return the words that tell this school from others of its kind; all of them when there are no such words."""
    kept = [word for word in words if not school_word(word) and word not in _SMALL]
    return kept or [word for word in words if word not in _SMALL] or list(words)


def levels(words: Sequence[str]) -> frozenset[str]:
    """Return the levels that a name states after its own words: elementary, middle, high."""
    kinds = [school_word(word) for word in words]
    own = [index for index, kind in enumerate(kinds) if not kind]
    after = [kind for kind in kinds[own[-1] + 1 if own else 0 :] if kind]
    found = {KINDS[kind] for kind in after or kinds if kind} - {""}
    if "senior" in found:
        found.discard("senior")
        found.add("high")
    if "middle" in found and "high" in found:  # junior high
        found.discard("high")
    return frozenset(found)


def school_key(words: Sequence[str]) -> str:
    """Return the key of a school's own name."""
    return letters(stem_words(words))
