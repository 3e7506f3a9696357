"""How near two words are: the same but for look-alikes, or a typo or two in letters. Digits never differ."""

from __future__ import annotations

from rapidfuzz.distance import OSA

from registry.text.digits import digit_readings
from registry.text.remembering import remembered
from registry.text.words import plain, skeleton

_OPPOSITES = (
    ("hyper", "hypo"), ("uni", "bi"), ("internal", "external"), ("inter", "intra"), ("ab", "ad"),
    ("anterior", "interior"),
    ("inferior", "interior"), ("pre", "post"), ("endo", "ecto"), ("macro", "micro"), ("male", "female"),
)  # fmt: skip
_NEGATING = ("un", "non", "dis", "in", "im", "ir", "a", "de", "pre", "re")


def allowed_edits(length: int) -> int:
    """Return how many letters of a word or name of this length may be wrong."""
    if length < 4:
        return 0
    return 1 if length < 7 else 2


@remembered(most=32768)  # a dump compares the same names over and over
def key_distance(left: str, right: str, most: int) -> int | None:
    """Return the edit distance of two keys, or None when it is over ``most`` or a digit differs.

    Keys that differ only where one letter was read for a like-looking one count as one letter wrong.
    """
    if left == right:
        return 0
    if most < 1 or abs(len(left) - len(right)) > max(most, _MOST_PAIRS) or _digits(left) != _digits(right):
        return None
    distance = OSA.distance(left, right, score_cutoff=most)
    if distance <= most:
        return distance
    if looks_alike(left, right):
        return 1
    # Each pair that was read for one letter is one letter longer.
    return 1 if 0 < abs(len(left) - len(right)) <= _MOST_PAIRS and _merged(left) == _merged(right) else None


# Letters that text recognition takes for each other.
_CONFUSED = "ou rk cg od ce eb hb hn nu uv vy ft ao co eo il mn sb gq ij tl pb"
_CONFUSED_PAIRS = frozenset(_CONFUSED.split()) | {pair[::-1] for pair in _CONFUSED.split()}


def looks_alike(left: str, right: str) -> bool:
    """Tell whether two words of one length differ only in letters that look alike, in at most a third of them."""
    if len(left) != len(right):
        return False
    pairs = [one + two for one, two in zip(left, right, strict=True) if one != two]
    return len(pairs) * 3 <= len(left) and all(pair in _CONFUSED_PAIRS for pair in pairs)


# Two letters that text recognition takes for one (rn and vv fall together in the skeleton already).
_MOST_PAIRS = 3
_MERGED = (("cl", "d"), ("ri", "n"), ("rl", "n"))


def _merged(key: str) -> str:
    for two, one in _MERGED:
        key = key.replace(two, one)
    return key


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit()) if not text.isalpha() else ""


@remembered(most=65536)
def word_distance(enrolled: str, written: str) -> int | None:
    """Return how many letters are wrong in a written word, or None when it is another word."""
    if enrolled == written or skeleton(enrolled) == skeleton(written):
        return 0
    if enrolled.isdigit() or written.isdigit():
        return 0 if enrolled.isdigit() and enrolled in digit_readings(written) else None
    left, right = plain(enrolled), plain(written)
    most = allowed_edits(len(left))
    if abs(len(left) - len(right)) > most or _opposed(left, right):
        return None
    return key_distance(left, right, most)


def _opposed(left: str, right: str) -> bool:
    """Tell two real words of opposite sense from one word and its typo."""
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    if any(longer == prefix + shorter for prefix in _NEGATING):
        return True
    for one, other in _OPPOSITES:
        for first, second in ((one, other), (other, one)):
            if left.startswith(first) and right.startswith(second) and left[len(first) :] == right[len(second) :]:
                return True
    return False
