"""School names: the part that tells one from another, and the level."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import OSA

from registry.text.digits import digit_readings
from registry.text.remembering import remembered
from registry.text.words import letters, plain, skeleton

# What a word says about the level; "" for words that only say that it is a school.
KINDS: dict[str, str] = {
    "elementary": "elementary", "elem": "elementary", "es": "elementary", "elemen": "elementary",
    "primary": "elementary", "grade": "elementary", "grammar": "elementary",
    "elementry": "elementary", "middle": "middle", "mid": "middle", "ms": "middle", "intermediate": "middle",
    "junior": "middle", "jr": "middle", "jhs": "middle", "high": "high", "hs": "high", "senior": "senior",
    "sr": "senior",
    "shs": "high", "secondary": "high", "preparatory": "", "prep": "", "school": "", "schools": "", "sch": "",
    "schl": "",
    "scl": "", "academy": "", "acad": "", "acdmy": "", "charter": "", "chtr": "", "magnet": "", "kindergarten": "",
    "preschool": "", "montessori": "", "k8": "", "k12": "",
    "juniorhigh": "middle", "seniorhigh": "high", "elemschool": "elementary",
    "elementaryschool": "elementary", "primaryschool": "elementary", "middleschool": "middle", "highschool": "high",
    "magnetschool": "", "charterschool": "",
}  # fmt: skip
# Words that belong to a school's own name, and still say that it is a school.
_OWN_TRIGGERS = frozenset(
    {"college", "institute", "conservatory", "lyceum", "seminary", "collegiate", "escuela", "colegio", "ecole"}
)
_TRIGGERS = (frozenset(KINDS) - {"jr", "sr", "junior", "senior", "primary", "mid", "grade", "grammar"}) | _OWN_TRIGGERS
# School words that are recognised with letters wrong, and how many.
_MISSPELT = {
    "elementary": 2, "intermediate": 2, "secondary": 2, "academy": 1, "charter": 1, "middle": 1, "school": 1,
    "magnet": 1,
    "elem": 1, "high": 1, "primary": 1, "junior": 1, "montessori": 2, "kindergarten": 2, "preparatory": 2,
}  # fmt: skip
_FIRST_LETTER = frozenset({"middle", "school"})
_REAL_WORDS = frozenset({"hugh", "sigh", "nigh", "thigh", "riddle", "fiddle", "meddle", "mindle", "chapter", "charger"})
_MISREAD = str.maketrans("51", "sj")  # 5r., 1r.
_FORMS = {skeleton(word): word for word in KINDS if len(word) > 3}
_SMALL = frozenset({"of", "the", "for", "at", "and", "in", "a"})


@remembered(most=16384)
def school_word(word: str) -> str:
    """Return the school word that a word is, with one letter wrong at most in a long one; else ''."""
    text = plain(word)
    if text in KINDS:
        return text
    if len(word) == 2 and word.translate(_MISREAD) in KINDS:
        return word.translate(_MISREAD)
    for looked_at in (skeleton(word), skeleton(text.replace("cl", "d"))):
        if len(looked_at) >= 3 and looked_at in _FORMS:
            return _FORMS[looked_at]
    if len(text) < 3 or text in _REAL_WORDS:
        return ""
    for kind, most in _MISSPELT.items():
        near_length = abs(len(text) - len(kind)) <= most
        # Riddle and fiddle, tool and stool are words of their own.
        starts = kind not in _FIRST_LETTER or text[0] == kind[0]
        if near_length and starts and OSA.distance(text, kind, score_cutoff=most) <= most:
            return kind
    return ""


# Schools that are called by a number: P.S. 118, I.S. 25, J.H.S. 50, Public School 7 (New York and others).
_NUMBERED = ("ps", "is", "ms", "hs", "jhs", "es")
_GLUED = re.compile(r"(ps|is|ms|hs|jhs)([0-9oilszbgq]{1,3})")
_SCHOOL_NUMBER = re.compile(r"[1-9oilszbgq][0-9oilszbgq]{0,2}")


def numbered_school(words: Sequence[str], index: int) -> tuple[tuple[str, ...], int]:
    """Read a school that is called by a number, from a word on.

    Returns:
        The keys that it may be enrolled under, and its last word; () when there is none.
    """
    glued = _GLUED.fullmatch(words[index])
    if glued and any(char.isdigit() for char in glued.group(2)):
        return _numbered_keys(glued.group(1), glued.group(2)), index
    kind, following = words[index], index + 1
    if kind == "public" and words[following : following + 1] == ["school"]:
        kind, following = "ps", following + 1
    while len(kind) < 3 and len(words[index]) == 1 and words[following : following + 1] and len(words[following]) == 1:
        if words[following].isdigit():
            break
        kind, following = kind + words[following], following + 1
    if words[following : following + 1] and words[following] in {"no", "number"}:
        following += 1
    number = words[following] if following < len(words) else ""
    if kind not in _NUMBERED or not _SCHOOL_NUMBER.fullmatch(number):
        return (), index
    return _numbered_keys(kind, number), following


def _numbered_keys(kind: str, number: str) -> tuple[str, ...]:
    keys: list[str] = []
    for figures in digit_readings(number):
        keys += [f"{kind}{figures}", skeleton(f"{kind}{figures}")]
        if kind == "ps":
            keys.append(letters(["public", figures]))
        if kind in KINDS:  # a word of the level, and no part of the name
            keys.append(figures)
    return tuple(dict.fromkeys(keys))


def is_trigger(word: str) -> bool:
    """Tell whether a word may end a school's name."""
    return word in _OWN_TRIGGERS or school_word(word) in _TRIGGERS


def may_close(word: str) -> bool:
    """Tell whether a word may end a school's name that has no other school word (``Cesar Chavez Primary``)."""
    return word in {"primary", "grammar", "k"}


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


# What a word says beside the level: a school of another such kind is another school.
_FLAVOURS = {
    "montessori": "montessori", "charter": "charter", "chtr": "charter", "charterschool": "charter",
    "academy": "academy", "acad": "academy", "acdmy": "academy", "magnet": "magnet", "magnetschool": "magnet",
    "kindergarten": "kindergarten", "preschool": "preschool",
}  # fmt: skip
_K8 = frozenset({"k8", "elementary", "middle"})


def is_other_school(own: Sequence[str], written: Sequence[str]) -> bool:
    """Tell whether two names whose own words agree are of two schools: another level, or another kind.

    A name that states neither may be any school's; a charter school is no academy of the same name.
    """
    own_levels, stated = levels(own), levels(written)
    if own_levels and stated and not own_levels & stated:
        return True
    one, two = own_levels | _flavours(own), stated | _flavours(written)
    return bool(one) and bool(two) and not one & two


def _flavours(words: Sequence[str]) -> frozenset[str]:
    found = {_FLAVOURS[kind] for kind in map(school_word, words) if kind in _FLAVOURS}
    for index, word in enumerate(words[:-1]):
        if word == "k" and words[index + 1] in {"5", "6", "8"}:
            found |= _K8
    return frozenset(found)


def school_key(words: Sequence[str]) -> str:
    """Return the key of a school's own name."""
    return letters(stem_words(words))
