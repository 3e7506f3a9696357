"""Noise that is nobody's intent: slips of fingers and ears in words, and what scanners read. Digits never slip."""

# ruff: noqa: E501, SIM905 - tables of one writing a line read best uncut
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

Noise = Callable[[Random, str], str]
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_DULL = frozenset(
    "avenue street road drive lane court boulevard circle terrace trail place parkway crossing square turnpike crescent "
    "highlands ridge point highway county state farm market route north south east west northeast northwest southeast "
    "southwest elementary middle high school primary junior academy magnet apartment suite texas wisconsin oregon".split()
)
_LONG = re.compile(r"[A-Za-zÀ-ž]{5,}")


def _word(rng: Random, text: str) -> re.Match[str] | None:
    first = re.split(r"[,\n]", text, maxsplit=1)[0]
    words = [one for one in _LONG.finditer(first) if one.group().lower() not in _DULL]
    return rng.choice(words) if words else None


def in_word(change: Callable[[Random, str], str]) -> Noise:
    """Change one telling word of five letters or more; its first letter stays."""

    def noise(rng: Random, text: str) -> str:
        word = _word(rng, text)
        return text[: word.start()] + change(rng, word.group()) + text[word.end() :] if word else text

    return noise


def _beside(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word))
    for row in _ROWS:
        place = row.find(word[at].lower())
        if place >= 0:
            other = row[place + 1] if place + 1 < len(row) else row[place - 1]
            return word[:at] + other + word[at + 1 :]
    return word


def _turned(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _lost(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _twice(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at] + word[at:]


def _extra(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + rng.choice("aeionrst") + word[at:]


def _vowel(rng: Random, word: str) -> str:
    spots = [at for at in range(1, len(word)) if word[at] in "aeiou"]
    at = rng.choice(spots or [1])
    return word[:at] + rng.choice([v for v in "aeiou" if v != word[at]]) + word[at + 1 :]


def _by_ear(_: Random, word: str) -> str:
    for old, new in (("ph", "f"), ("ck", "k"), ("ee", "ea"), ("ea", "ee"), ("oo", "u"), ("ei", "ie"), ("ie", "ei"),
                     ("gh", ""), ("ll", "l"), ("ss", "s"), ("nn", "n"), ("tt", "t"), ("c", "k"), ("y", "i")):  # fmt: skip
        at = word.lower().find(old, 1)
        if at > 0:
            return word[:at] + new + word[at + len(old) :]
    return _twice(_, word)


def _two(rng: Random, word: str) -> str:
    return _lost(rng, _beside(rng, word)) if len(word) > 7 else _beside(rng, word)


def _ending(_: Random, word: str) -> str:
    return word[:-1] if word[-1] in "sey" else word + "s" if len(word) > 5 else word + word[-1]


TYPOS: tuple[Mapping[str, Noise], ...] = (
    {"beside": in_word(_beside), "turned": in_word(_turned), "lost": in_word(_lost), "twice": in_word(_twice)},
    {"extra": in_word(_extra), "vowel": in_word(_vowel), "by ear": in_word(_by_ear), "two": in_word(_two),
     "ending": in_word(_ending), "caps lock": lambda _, t: t.swapcase(), "phone keyboard": in_word(lambda _, w: w.replace("e", "3", 1))},
)  # fmt: skip


def _read(table: Mapping[str, str], share: float) -> Noise:
    def noise(rng: Random, text: str) -> str:
        out, at = [], 0
        while at < len(text):
            old = next((o for o in sorted(table, key=len, reverse=True) if text.startswith(o, at)), "")
            if old and rng.random() < share:
                out.append(table[old])
                at += len(old)
            else:
                out.append(text[at])
                at += 1
        return "".join(out)

    return noise


def _once(table: Mapping[str, str]) -> Noise:
    """Misread one place only."""

    def noise(rng: Random, text: str) -> str:
        spots = [(at, old) for old in table for at in range(len(text)) if text.startswith(old, at)]
        if not spots:
            return text
        at, old = rng.choice(spots)
        return text[:at] + table[old] + text[at + len(old) :]

    return noise


def _torn(rng: Random, text: str) -> str:
    spots = [at for at in range(1, len(text)) if text[at - 1].isdigit() and text[at].isdigit()]
    at = rng.choice(spots or [len(text)])
    return f"{text[:at]} {text[at:]}"


def _glued(rng: Random, text: str) -> str:
    spots = [at for at, char in enumerate(text) if char == " "]
    at = rng.choice(spots or [len(text)])
    return text[:at] + text[at + 1 :]


OCR: tuple[Mapping[str, Noise], ...] = (
    {
        "rn": _once({"m": "rn", "d": "cl", "w": "vv", "n": "ri"}), "one": _read({"1": "l", "I": "l", "l": "1"}, 0.3),
        "zero": _read({"0": "O", "O": "0", "o": "0"}, 0.4), "five": _read({"5": "S", "S": "5", "8": "B", "B": "8"}, 0.3),
        "blanks": _read({" ": "  "}, 0.5), "torn": _torn, "dashes": _read({"-": "–", "'": "’"}, 0.8),
        "line": lambda rng, t: _glued(rng, t.replace(" ", "\n", 1)) if rng.random() < 0.3 else t.replace(" ", "\n", 1),
    },
    {
        "glued": _glued, "two": _read({"2": "Z", "Z": "2"}, 0.4), "six": _read({"6": "b", "9": "g"}, 0.3),
        "letters": _once({"c": "e", "e": "c", "h": "b", "u": "v", "t": "f", "a": "o", "g": "q", "i": "j", "rn": "m", "li": "h"}),
        "bars": _read({"1": "|", "l": "|", "I": "|"}, 0.4), "points": _read({" ": ". "}, 0.2), "commas": _read({".": ",", ",": "."}, 0.6),
        "hyphen end": lambda _, t: re.sub(r"\b([A-Za-z]{4})([a-z]{3,})", r"\1-\n\2", t, count=1), "specks": _once({" ": " ' ", "-": "-."}),
        "slashed": _read({"0": "Ø", "7": "7"}, 0.5), "accents": _once({"a": "á", "e": "ë", "i": "ì", "o": "ö", "n": "ñ"}),
        "quote marks": _once({" ": " “", "-": "~"}), "capital i": _once({"1": "I", "l": "I"}), "spaced": lambda _, t: re.sub(r"(?<=[A-Z])(?=[a-z]{6,})", " ", t, count=1),
    },
)  # fmt: skip
