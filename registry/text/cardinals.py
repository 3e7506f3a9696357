"""Numbers in words as one counts: seven thousand six hundred fifty-two, four thirty-six."""

from __future__ import annotations

from collections.abc import Sequence

_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_TEENS = "eighteen nineteen"
_NAMES = {word: value for value, word in enumerate(f"{_ONES} {_TEENS}".split(), 1)}
_TENS = {
    word: value * 10
    for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
DIGIT_NAMES = frozenset(_NAMES) | frozenset(_TENS)
COUNTING = DIGIT_NAMES | {"hundred", "thousand", "oh", "zero"}


def spoken_cardinal(words: Sequence[str], index: int) -> tuple[int, int]:
    """Read a number with ``thousand`` or ``hundred`` in words from an index on.

    Returns:
        Its value and its last word; 0 when it names neither thousand nor hundred.
    """
    total, last, scaled = 0, index, False
    while last < len(words):
        part, end = _below_hundred(words, last)
        unit = words[end + 1] if end + 1 < len(words) else ""
        if part and unit == "thousand" and not total:
            total, scaled, last = part * 1000, True, end + 2
        elif part and unit == "hundred" and total % 1000 == 0:
            total, scaled, last = total + part * 100, True, end + 2
        else:
            total, last = (total + part, end + 1) if part else (total, last)
            break
        if last < len(words) and words[last] == "and":
            last += _below_hundred(words, last + 1)[0] > 0
    return (total, last - 1) if scaled else (0, index)


def _below_hundred(words: Sequence[str], index: int) -> tuple[int, int]:
    """Return the value of one to ninety-nine and its last word; 0 when there is none."""
    word = words[index] if index < len(words) else ""
    if word in _NAMES:
        return _NAMES[word], index
    if word not in _TENS:
        return 0, index
    following = words[index + 1] if index + 1 < len(words) else ""
    unit = _NAMES.get(following, 0)
    return (_TENS[word] + unit, index + 1) if 0 < unit < 10 else (_TENS[word], index)
