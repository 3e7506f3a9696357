"""Noise on one written value: slips of the finger, of text recognition, and writing meant to slip past a filter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

Noise = Callable[[Random, str], str]

_NEAR_KEYS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "kp", "m": "nj", "n": "bm", "o": "ip", "p": "ol", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xs",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-zÀ-ž]{5,}")
# Words that do not tell one value from another: a slip there is no test.
_ALL_COMMON = """
street avenue north south east west drive court place boulevard terrace circle trail parkway apartment school
elementary middle academy charter missouri kansas
"""
_COMMON = frozenset(_ALL_COMMON.split())


def in_word(rng: Random, surface: str, change: Callable[[Random, str, int], str]) -> str:
    """Change one letter inside the longest telling word before the first comma (beyond it stands the city)."""
    end = surface.find(",")
    words = [
        m for m in _WORD.finditer(surface, 0, len(surface) if end < 0 else end) if m.group().lower() not in _COMMON
    ]
    if not words:
        return surface
    match = max(words, key=lambda found: len(found.group()))
    place = rng.randrange(match.start() + 1, match.end() - 1)
    return change(rng, surface, place)


def _neighbour(rng: Random, text: str, place: int) -> str:
    near = _NEAR_KEYS.get(text[place].lower(), "")
    return text[:place] + rng.choice(near) + text[place + 1 :] if near else _dropped(rng, text, place)


def _swapped(rng: Random, text: str, place: int) -> str:
    if text[place] == text[place + 1]:
        return _dropped(rng, text, place)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _dropped(_: Random, text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]


def _doubled(_: Random, text: str, place: int) -> str:
    return text[:place] + text[place] + text[place:]


def _vowel(_: Random, text: str, place: int) -> str:
    vowels = dict(zip("aeiou", "eaeao", strict=True))
    spot = next((at for at in range(place, len(text)) if text[at] in vowels), place)
    return text[:spot] + vowels.get(text[spot], text[spot]) + text[spot + 1 :]


def _split(_: Random, text: str, place: int) -> str:
    return f"{text[:place]} {text[place:]}"


def _joined(_: Random, surface: str) -> str:
    """Leave the blank between two words of a name out."""
    return re.sub(r"(?<=[a-z]{3}) (?=[A-Z][a-z]{2})", "", surface, count=1)


def _by_sound(_: Random, surface: str) -> str:
    for old, new in (("ck", "k"), ("ph", "f"), ("tch", "ch"), ("ee", "ea"), ("ie", "ei"), ("qu", "kw"), ("z", "s")):
        if old in surface:
            return surface.replace(old, new, 1)
    return surface


TYPOS: Mapping[str, Noise] = {
    "neighbour": lambda rng, text: in_word(rng, text, _neighbour),
    "swapped": lambda rng, text: in_word(rng, text, _swapped),
    "dropped": lambda rng, text: in_word(rng, text, _dropped),
    "doubled": lambda rng, text: in_word(rng, text, _doubled),
}
UNSEEN_TYPOS: Mapping[str, Noise] = {
    "vowel": lambda rng, text: in_word(rng, text, _vowel),
    "split": lambda rng, text: in_word(rng, text, _split),
    "joined": _joined,
    "sound": _by_sound,
    "capital slip": lambda _, text: re.sub(r"\b([A-Z])([a-z])", lambda m: m.group(1) + m.group(2).upper(), text),
}


def misread(table: Mapping[str, str], share: float) -> Noise:
    """Return a noise that misreads some of the characters a table has."""

    def noise(rng: Random, surface: str) -> str:
        text = surface
        for old, new in table.items():
            places = [match.start() for match in re.finditer(re.escape(old), text)]
            for place in reversed(places):
                if rng.random() < share:
                    text = text[:place] + new + text[place + len(old) :]
        return text

    return noise


def _anywhere(mark: str, most: int = 1) -> Noise:
    """Return a noise that puts something between two characters of a run of letters or digits."""

    def noise(rng: Random, surface: str) -> str:
        text = surface
        for _ in range(most):
            places = [match.end() for match in re.finditer(r"\w(?=\w)", text)]
            if places:
                place = rng.choice(places)
                text = text[:place] + mark + text[place:]
        return text

    return noise


OCR: Mapping[str, Noise] = {
    "zero and o": misread({"0": "O", "1": "l"}, 0.6),
    "five and s": misread({"5": "S", "8": "B"}, 0.5),
    "rn": misread({"m": "rn", "d": "cl", "w": "vv"}, 0.3),
    "i and l": misread({"i": "l", "l": "1", "1": "I"}, 0.3),
    "wide blanks": lambda _, text: text.replace(" ", "  "),
}
UNSEEN_OCR: Mapping[str, Noise] = {
    "pipes": misread({"1": "|", "l": "|"}, 0.3),
    "two and z": misread({"2": "Z", "6": "G", "9": "g"}, 0.5),
    "e and c": misread({"e": "c", "h": "b"}, 0.12),
    "line break": _anywhere("-\n"),
    "line break at a blank": lambda rng, text: at_blank(rng, text, "\n"),
    "ligatures": misread({"fi": "ﬁ", "fl": "ﬂ", "-": "—"}, 1.0),
    "dots lost": lambda _, text: text.replace(".", "").replace(", ", " "),
    "torn digits": lambda _, text: re.sub(r"(\d\d)(\d)", lambda m: f"{m.group(1)} {m.group(2)}", text, count=1),
    "speckles": lambda rng, text: at_blank(rng, text, " ' "),
    "commas for dots": lambda _, text: text.replace(".", ","),
    "u and v": misread({"u": "v", "n": "ri", "t": "f"}, 0.12),
}


def at_blank(rng: Random, text: str, mark: str) -> str:
    places = [match.start() for match in re.finditer(" ", text)]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + mark + text[place + 1 :]


_ALL_NAMES = """
zero one two three four five six seven eight nine
"""
_NAMES = _ALL_NAMES.split()
_ALL_SPANISH = """
cero uno dos tres cuatro cinco seis siete ocho nueve
"""
_SPANISH = _ALL_SPANISH.split()
_ALL_TEENS = """
ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_TEENS = _ALL_TEENS.split()
_ALL_TENS = """
_ _ twenty thirty forty fifty sixty seventy eighty ninety
"""
_TENS = _ALL_TENS.split()


def each_digit(write: Callable[[str], str], between: str = "") -> Noise:
    """Return a noise that writes every digit in another way; ``between`` stands between neighbours."""

    def noise(_: Random, surface: str) -> str:
        text = re.sub(r"(?<=\d)[-. ()]{1,2}(?=\d)", between or " ", surface) if between else surface
        runs = re.split(r"(\d+)", text)
        return "".join(between.join(write(char) for char in run) if run.isdigit() else run for run in runs)

    return noise


def _in_pairs(digits: str) -> str:
    """Read digits two by two as one speaks: forty-two, oh five."""
    words = []
    for place in range(0, len(digits) - len(digits) % 2, 2):
        ten, one = int(digits[place]), int(digits[place + 1])
        if ten == 0:
            words.append(f"oh {_NAMES[one] if one else 'oh'}")
        elif ten == 1:
            words.append(_TEENS[one])
        else:
            words.append(_TENS[ten] + (f"-{_NAMES[one]}" if one else ""))
    if len(digits) % 2:
        words.append(_NAMES[int(digits[-1])])
    return " ".join(words)


def _doubles(digits: str) -> str:
    words, place = [], 0
    while place < len(digits):
        same = place + 1 < len(digits) and digits[place] == digits[place + 1]
        name = "oh" if digits[place] == "0" else _NAMES[int(digits[place])]
        words.append(f"double {name}" if same else name)
        place += 2 if same else 1
    return " ".join(words)


def runs_in_words(spoken: Callable[[str], str]) -> Noise:
    """Return a noise that speaks the digits of a run, groups apart as they are."""
    return lambda _, surface: re.sub(
        r"\d+", lambda m: spoken(m.group()), re.sub(r"(?<=\d)[-.()](?=[\d ])", " ", surface)
    )


def _area_hundred(digits: str) -> str:
    if len(digits) != 3:
        return _doubles(digits)
    rest = _in_pairs(digits[1:]) if digits[1:] != "00" else ""
    return f"{_NAMES[int(digits[0])]} hundred {rest}".strip()


_CYRILLIC = str.maketrans("aeopcxyABEHKMOPCTXi", "аеорсхуАВЕНКМОРСТХі")
_LEET = str.maketrans("aeiost", "431057")
_MORE_LEET = str.maketrans("aeosl", "@€0$1")
_FULL = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
_BOLD = {
    **{ord("0") + n: chr(0x1D7CE + n) for n in range(10)},
    **{ord("a") + n: chr(0x1D41A + n) for n in range(26)},
    **{ord("A") + n: chr(0x1D400 + n) for n in range(26)},
}
_CIRCLED = {ord("0"): "⓪", **{ord("1") + n: chr(0x2460 + n) for n in range(9)}}
_CIRCLED_LETTERS = {
    **{ord("a") + n: chr(0x24D0 + n) for n in range(26)},
    **{ord("A") + n: chr(0x24B6 + n) for n in range(26)},
}
_SMALL_CAPITALS = str.maketrans("abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _letters_only(change: Mapping[int, str] | dict[int, int]) -> Noise:
    """Change words of letters only, half of the telling ones whole; numbers stay."""
    return lambda _, text: re.sub(r"[A-Za-z]{4,}", lambda m: m.group().translate(change), text)


OBFUSCATED: Mapping[str, Noise] = {
    "digit names": each_digit(lambda char: _NAMES[int(char)], " "),
    "dots in words": lambda _, text: text.replace("-", " dash ").replace(".", " dot "),
    "spaced digits": each_digit(str, " "),
    "full width": lambda _, text: text.translate(_FULL),
    "look-alikes": lambda _, text: text.translate(_CYRILLIC),
    "leet": _letters_only(_LEET),
    "zero width": lambda _, text: "\u200b".join(text),
    "spaced letters": lambda _, text: re.sub(r"[^\W\d_]{4,}", lambda m: " ".join(m.group()), text),
}
UNSEEN_OBFUSCATED: Mapping[str, Noise] = {
    "bold": lambda _, text: text.translate(_BOLD),
    "keycaps": each_digit(lambda char: f"{char}\ufe0f\u20e3"),
    "circled": lambda _, text: text.translate(_CIRCLED),
    "circled letters": lambda _, text: text.translate(_CIRCLED_LETTERS),
    "doubles": runs_in_words(_doubles),
    "pairs": runs_in_words(_in_pairs),
    "hundreds": runs_in_words(_area_hundred),
    "spanish digits": each_digit(lambda char: _SPANISH[int(char)], " "),
    "brackets": each_digit(lambda char: f"[{char}]"),
    "stars": lambda _, text: re.sub(r"(?<=\w)(?=\w)", "*", text),
    "underscores": each_digit(str, "_"),
    "small capitals": lambda _, text: text.lower().translate(_SMALL_CAPITALS),
    "superscript": lambda _, text: text.translate(_SUPERSCRIPT),
    "struck through": lambda _, text: "".join(f"{char}\u0336" for char in text),
    "mixed names": lambda rng, text: re.sub(
        r"\d", lambda m: _NAMES[int(m.group())] if rng.random() < 0.4 else m.group(), text
    ),
    "html": lambda _, text: "".join(f"&#{ord(char)};" if char.isdigit() else char for char in text),
    "bold marks": lambda _, text: re.sub(r"(\d{2})(?=\d)", r"**\1**", text),
    "signs": _letters_only(_MORE_LEET),
    "percent": lambda _, text: "".join(f"%{ord(char):02X}" if char in " ,#@" else char for char in text),
    "soft hyphens": lambda _, text: re.sub(r"(?<=\w)(?=\w)", "\u00ad", text),
    "commas": each_digit(str, ","),
    "dots between": lambda _, text: re.sub(r"(?<=\w)(?=\w)", ".", text),
}
