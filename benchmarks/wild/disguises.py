"""Writing that is meant to slip past a filter, or that comes out of a voice."""

# ruff: noqa: E501, SIM905 - tables of one writing a line read best uncut
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

Noise = Callable[[Random, str], str]
_SAID = "zero one two three four five six seven eight nine".split()
_CIRCLES = "⓪①②③④⑤⑥⑦⑧⑨"
_DIGIT = re.compile(r"\d")


def _each(change: Callable[[str], str], join: str = " ") -> Noise:
    """Write each digit of each run another way; other characters stay."""
    return lambda _, text: re.sub(r"\d+", lambda run: join.join(change(c) for c in run.group()), text)


def _said(zero: str, join: str = " ") -> Noise:
    return _each(lambda c: zero if c == "0" else _SAID[int(c)], join)


def _doubles(_: Random, text: str) -> str:
    def say(run: re.Match[str]) -> str:
        return re.sub(
            r"(\d)\1?",
            lambda m: (
                ("double " if len(m.group()) == 2 else "")
                + ("oh" if m.group()[0] == "0" else _SAID[int(m.group()[0])])
                + " "
            ),
            run.group(),
        ).strip()

    return re.sub(r"\d+", say, text)


def _some(rng: Random, text: str) -> str:
    return _DIGIT.sub(lambda m: _SAID[int(m.group())] if rng.random() < 0.4 else m.group(), text)


_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()


def _pair(two: str) -> str:
    if two[0] == "0":
        return f"oh {_SAID[int(two[1])] if two[1] != '0' else 'oh'}"
    if two[0] == "1":
        return _TEENS[int(two[1])]
    return _TENS[int(two[0])] + (f" {_SAID[int(two[1])]}" if two[1] != "0" else "")


def _voice(_: Random, text: str) -> str:
    """As a speech engine writes groups that are said in pairs: ``five oh three, five fifty-five, fourteen twelve``."""

    def say(run: re.Match[str]) -> str:
        digits = run.group()
        head = [_SAID[int(digits[0])]] if len(digits) % 2 else []
        rest = digits[len(digits) % 2 :]
        return " ".join([*head, *(_pair(rest[at : at + 2]) for at in range(0, len(rest), 2))])

    return re.sub(r"\d+", say, text)


def _zalgo(rng: Random, text: str) -> str:
    marks = "\u0300\u0316\u0325\u0334\u034f\u0359\u036e"
    return "".join(char + "".join(rng.choice(marks) for _ in range(rng.randint(1, 3))) for char in text)


def _shifted(*ranges: tuple[str, int]) -> Noise:
    table = {}
    for first, to in ranges:
        size = 10 if first == "0" else 26
        table.update({ord(first) + n: chr(to + n) for n in range(size)})
    return lambda _, text: text.translate(table)


def _sprinkled(mark: str, share: float = 1.0) -> Noise:
    def noise(rng: Random, text: str) -> str:
        return "".join(char + (mark if char.isalnum() and rng.random() < share else "") for char in text)

    return noise


def _swap(old: str, new: str, share: float = 1.0) -> Noise:
    table = dict(zip(old, new.split() if " " in new else new, strict=True))
    return lambda rng, text: "".join(table[c] if c in table and rng.random() < share else c for c in text)


NUMBERS: tuple[Mapping[str, Noise], ...] = (
    {
        "said": _said("zero"), "oh": _said("oh"), "doubles": _doubles, "some said": _some, "keycaps": _each(lambda c: f"{c}\ufe0f\u20e3", ""),
        "spaced": _each(str), "dotted": _each(str, "."), "full width": _shifted(("0", 0xFF10)), "no width": _sprinkled("\u200b"),
        "letters o l": _swap("01", "Ol"), "dash word": lambda _, t: re.sub(r"[-. ]+", " dash ", t),
    },
    {
        "voice": _voice, "zalgo": _zalgo, "circles": _each(lambda c: _CIRCLES[int(c)], ""), "arabic": _shifted(("0", 0x0660)),
        "said glued": _said("zero", ""), "said dashed": _said("oh", "-"), "mixed case": _each(lambda c: "".join(x.upper() if i % 2 else x for i, x in enumerate(_SAID[int(c)]))),
        "slashes": _each(str, "/"), "emoji between": _each(str, " 👉 "), "asterisks": _each(str, "*"), "brackets": _each(lambda c: f"[{c}]", ""),
        "bold digits": _shifted(("0", 0x1D7CE)), "devanagari": _shifted(("0", 0x0966)), "word joiner": _sprinkled("\u2060"),
        "spanish": _each(lambda c: "cero uno dos tres cuatro cinco seis siete ocho nueve".split()[int(c)]),
        "commas said": _said("zero", ", "), "s and b": _swap("58", "SB", 0.7), "underscores": _each(str, "_"),
        "line each": _each(str, "\n"), "hash each": _each(lambda c: f"#{c}"), "then": _said("zero", " then "), "tags": _each(lambda c: f"<b>{c}</b>", ""),
        "entities": _each(lambda c: f"&#{ord(c)};", ""), "superscript": lambda _, t: t.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
        "bidi": lambda _, t: f"\u202b{t}\u202c",
    },
)  # fmt: skip
_CYRILLIC = ("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
WORDS: tuple[Mapping[str, Noise], ...] = (
    {
        "cyrillic": _swap(*_CYRILLIC, share=0.5), "leet": _swap("aeios", "4310$", 0.6), "no width": _sprinkled("\u200b", 0.5),
        "spaced": lambda _, t: re.sub(r"[A-Za-z]{5,}", lambda m: " ".join(m.group()), t, count=1), "full width": _shifted(("a", 0xFF41), ("A", 0xFF21)),
    },
    {
        "greek": _swap("aovnkABEHIKMNOPTXYZ", "αονηκΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", 0.6), "zalgo": _zalgo, "bold": _shifted(("a", 0x1D41A), ("A", 0x1D400)),
        "script": _shifted(("a", 0x1D4EA), ("A", 0x1D4D0)), "dotted": lambda _, t: re.sub(r"[A-Za-z]{5,}", lambda m: ".".join(m.group()), t, count=1),
        "at and bang": _swap("ai", "@!", 0.7), "joiner": _sprinkled("\u200d", 0.6), "stars": lambda _, t: re.sub(r"([A-Za-z]{3})([a-z]{3,})", r"\1*\2", t, count=1),
        "alternating": lambda _, t: "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(t)), "combining": _sprinkled("\u0332"),
        "regional": lambda _, t: re.sub(r"[A-Za-z]", lambda m: chr(0x1F1E6 + ord(m.group().lower()) - 97) + "\u200b", t),
        "underscored": lambda _, t: t.replace(" ", "_"), "tripled": lambda _, t: re.sub(r"([aeiou])", r"\1\1\1", t, count=1),
    },
)  # fmt: skip
EMAILS: tuple[Mapping[str, Callable[[str], str]], ...] = (
    {"at dot": lambda e: e.replace("@", " at ").replace(".", " dot "), "brackets": lambda e: e.replace("@", "[at]").replace(".", "[dot]"),
     "round": lambda e: e.replace("@", "(at)"), "no spam": lambda e: e.replace("@", "@NOSPAM."), "spaced": lambda e: e.replace("@", " @ ")},
    {"at dot caps": lambda e: e.replace("@", " AT ").replace(".", " DOT "), "braces": lambda e: e.replace("@", "{at}").replace(".", "{dot}"),
     "arroba": lambda e: e.replace("@", " arroba ").replace(".", " punto "), "dashes": lambda e: e.replace("@", "-at-").replace(".", "-dot-"),
     "wide at": lambda e: e.replace("@", "＠"), "emoji": lambda e: e.replace("@", " 📧 "), "stop": lambda e: e.replace("@", " at ").replace(".", " point "),
     "remove": lambda e: e.replace("@", "@REMOVE-THIS-"), "no width": "\u200b".join},
)  # fmt: skip
