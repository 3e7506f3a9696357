"""Texts with their truth, by class of noise, from one half of what this benchmark knows."""

# ruff: noqa: E501 - tables of one writing a line read best uncut
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from benchmarks.finding.texts import Key, Leak, Truth
from benchmarks.wild import disguises, posts, slips, writing
from benchmarks.wild.places import TOWNS
from benchmarks.wild.population import Human

_SLOT = re.compile(r"(?<!\{)\{(\w+)\}")
CLASSES = ("verbatim", "reformatted", "typo", "partial", "embedded", "ocr", "obfuscated")
_LETTERS = frozenset({"home", "school", "ill", "spouse"})
_DIGITS = frozenset({"cell", "line", "ssn", "card"})
_DISGUISED = _DIGITS | {"home", "email", "school", "spouse"}
_STRONG = ("home", "cell", "line", "ssn", "card", "email", "plate", "name")
_CONTEXT = frozenset({"born", "ill", "spouse"})


def _dashed(digits: str) -> str:
    return (
        f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if len(digits) == 10 else f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"
    )


class Composer:
    """Composes texts. ``half`` 0 is for whoever makes rules, 1 is held back."""

    def __init__(self, seed: int, half: int, enrolled: Sequence[Human], strangers: Sequence[Human]) -> None:
        self._rng, self._half = Random(seed), half
        self._enrolled, self._strangers = enrolled, strangers

    def leaks(self, each: int) -> list[Leak]:
        """Return ``each`` texts of every class, and three times as many without an enrolled value."""
        found = [self._leak(kind, number) for kind in CLASSES for number in range(each)]
        return found + [self._clean(number) for number in range(each * 3)]

    def _fill(self, low: int, high: int) -> str:
        said = [self._rng.choice(posts.FILLER[self._half]) for _ in range(self._rng.randint(low, high))]
        return "".join(one + self._rng.choice((" ", " ", "\n", "\n\n")) for one in said)

    def _leak(self, kind: str, number: int) -> Leak:
        rng = self._rng
        usable = [p for p in (posts.PARTS if kind == "partial" else posts.POSTS)[self._half] if _takes(kind, p)]
        long = kind == "embedded"
        text, truth, used = "", [], set[str]()
        for _ in range(rng.choice((1, 2, 3)) if long else 1):
            post = rng.choice(usable)
            fits = [one for one in self._enrolled if one.number not in used and _has(one, post) and one.ill not in used]
            human = rng.choice(fits)
            used |= {human.number, human.ill}
            text += self._fill(*((10, 60) if long else (0, 2)))
            text, more = self._written(text, post, human, kind)
            truth += more
            text += rng.choice((" ", "\n"))
        return Leak(f"{kind}-{number}", kind, text + self._fill(0, 2), tuple(truth), self._chance(truth))

    def _chance(self, truth: Sequence[Truth]) -> frozenset[Key]:
        """Return what may stand in a text by chance: schools of others who are in it, or whose child has such a name."""
        said = {one.key[0] for one in truth}
        inside = [one for one in self._enrolled if one.number in said]
        named = {kid for one in inside for _, kid, _ in one.kids}
        schools = {_own(school) for one in inside for _, _, school in one.kids}
        kids = {
            (one.number, "school", ref)
            for one in self._enrolled
            for ref, kid, school in one.kids
            if one.number in said or (kid in named and _own(school) in schools)
        }
        return frozenset(kids) - {one.key for one in truth}

    def _written(self, text: str, post: str, human: Human, kind: str) -> tuple[str, list[Truth]]:
        position, truth = 0, []
        kid = self._rng.choice(human.kids) if human.kids else ("", "", "")
        anchored = any(f"{{{slot}}}" in post for slot in _STRONG)
        for match in _SLOT.finditer(post):
            text += post[position : match.start()]
            position = match.end()
            slot = match.group(1)
            surface, how = self._surface(slot, human, kid, kind)
            key = _key(slot, human, kid[0])
            if key and (anchored or slot not in _CONTEXT):
                truth.append(Truth(key, len(text), len(text) + len(surface), f"{slot}: {how}"))
            text += surface
        return text + post[position:], truth

    def _surface(self, slot: str, human: Human, kid: tuple[str, str, str], kind: str) -> tuple[str, str]:
        surface, how = self._usual(slot, human, kid, changed=kind in {"reformatted", "embedded"})
        half = self._half
        table: Mapping[str, Callable[[Random, str], str]] = {}
        if kind == "typo" and slot in _LETTERS:
            table = slips.TYPOS[half]
        elif kind == "ocr" and slot not in {"name", "kid"}:
            table = slips.OCR[half]
        elif kind == "obfuscated" and slot == "email":
            how = self._rng.choice(list(disguises.EMAILS[half]))
            return disguises.EMAILS[half][how](surface), how
        elif kind == "obfuscated" and slot in _DIGITS:
            table = disguises.NUMBERS[half]
        elif kind == "obfuscated" and slot in {"home", "school", "spouse"}:
            table = disguises.WORDS[half]
        if not table:
            return surface, how
        how = self._rng.choice(list(table))
        return table[how](self._rng, surface), how

    def _usual(self, slot: str, human: Human, kid: tuple[str, str, str], *, changed: bool) -> tuple[str, str]:
        """Return a value in a usual writing, and its name."""
        if slot == "street":
            line = self._rng.choice(human.home.lines)
            return line, f"{human.home.shape} {human.home.lines.index(line)}"
        if slot == "home":
            return self._home(human, changed=changed)
        if slot == "born":
            dates = writing.DATES[self._half] if changed else {name: writing.DATES[0][name] for name in ("us", "iso")}
            how = self._rng.choice(list(dates))
            return dates[how](human.born), how
        if slot == "name" and changed:
            names = writing.NAMES[self._half]
            how = self._rng.choice(list(names))
            return names[how](human.given, human.family), how
        value, tables = _plain(slot, human, kid), _TABLES.get(slot)
        if not tables:
            return value, "plain"
        table = tables[self._half] if changed else tables[0]
        how = self._rng.choice(list(table)) if changed else next(iter(table))
        return table[how](value), how

    def _home(self, human: Human, *, changed: bool) -> tuple[str, str]:
        if not changed:
            return human.home.enrolled, human.home.shape
        ways = writing.HOMES[self._half]
        how = self._rng.choice(list(ways))
        return ways[how](human.home, self._rng), f"{how} / {human.home.shape}"

    def _clean(self, number: int) -> Leak:
        rng = self._rng
        human = rng.choice([one for one in self._enrolled if one.kids])
        other = rng.choice([one for one in self._strangers if one.kids and one.ill != human.ill])
        words = _near_misses(rng, human, other)
        text = _SLOT.sub(lambda match: words[match.group(1)], rng.choice(posts.CLEAN[self._half]))
        return Leak(f"none-{number}", "none", f"{self._fill(0, 3)}{text} {self._fill(0, 3)}")


_TABLES: Mapping[str, tuple[writing.Ways, ...]] = {
    "cell": writing.PHONES, "line": writing.PHONES, "ssn": writing.SSNS, "card": writing.CARDS, "email": writing.EMAILS,
    "plate": writing.PLATES, "school": writing.SCHOOLS, "ill": writing.ILLS,
}  # fmt: skip


def _own(school: str) -> str:
    return school[:8]


def _takes(kind: str, post: str) -> bool:
    slots = set(_SLOT.findall(post))
    return bool(slots & {"typo": _LETTERS, "obfuscated": _DISGUISED}.get(kind, slots))


def _has(human: Human, post: str) -> bool:
    slots = set(_SLOT.findall(post))
    return not (slots & {"kid", "school"} and not human.kids) and not ("street" in slots and not human.home.short)


def _plain(slot: str, human: Human, kid: tuple[str, str, str]) -> str:
    return {
        "cell": human.cell, "line": human.landline, "ssn": human.ssn, "card": human.card, "email": human.email,
        "plate": human.plate, "spouse": " ".join(human.spouse), "kid": kid[1], "school": kid[2], "ill": human.ill,
        "ssn4": human.ssn[-4:], "cell4": human.cell[-4:], "born": "", "name": human.name,
    }[slot]  # fmt: skip


def _key(slot: str, human: Human, kid: str) -> Key | None:
    kinds: dict[str, tuple[str, str | None]] = {
        "home": ("home_address", None), "street": ("home_address", None), "cell": ("phone:mobile", None),
        "cell4": ("phone:mobile", None), "line": ("phone:home", None), "ssn": ("ssn", None), "ssn4": ("ssn", None),
        "born": ("date_of_birth", None), "card": ("payment_card", None), "email": ("email", None),
        "plate": ("vehicle_plate", None), "ill": ("health", None), "spouse": ("family_member:spouse", "s1"),
        "school": ("school", kid),
    }  # fmt: skip
    return (human.number, *kinds[slot]) if slot in kinds else None


def _off(rng: Random, digits: str) -> str:
    at = rng.randrange(len(digits) - 4, len(digits))
    return digits[:at] + str((int(digits[at]) + rng.randint(1, 9)) % 10) + digits[at + 1 :]


def _turned(digits: str) -> str:
    at = next(at for at in range(len(digits) - 2, 2, -1) if digits[at] != digits[at + 1])
    return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]


def _near_misses(rng: Random, human: Human, other: Human) -> dict[str, str]:
    home = human.home
    town, state, prefix = rng.choice([one for one in TOWNS if one[0] != home.city and one[1] != home.state])
    unit = f" {home.unit[0]}" if home.unit else ""
    line = home.lines[0]
    boxed = home.shape in {"rural", "military", "pr"}
    away = f"{'PO Box 18' if boxed else line + unit}, {town}, {state} {prefix}{rng.randint(10, 98)}"
    name, host = human.email.split("@")
    ref, kid, school = human.kids[0]
    del ref
    return {
        "name": human.name, "o_name": other.name, "o_home": other.home.enrolled, "o_cell": _dashed(other.cell),
        "o_ssn": _dashed(other.ssn), "o_born": f"{other.born:%m/%d/%Y}", "o_kid": other.kids[0][1],
        "o_school": other.kids[0][2], "o_spouse": " ".join(other.spouse), "o_family": other.family, "o_email": other.email,
        "near_home": f"{home.near}{unit}, {home.city}, {home.state} {home.zip5}",
        "askew_home": f"{home.askew or home.near}, {home.city}, {home.state} {home.zip5}",
        "far_home": away, "far_zip": f"{'PO Box 17' if boxed else line}, {prefix}{rng.randint(10, 98)}",
        "off_cell": _dashed(_off(rng, human.cell)), "off_ssn": _dashed(_off(rng, human.ssn)), "off_ssn9": _off(rng, human.ssn), "off_card": _off(rng, human.card),
        "swapped_cell": _dashed(_turned(human.cell)), "swapped_ssn": _dashed(_turned(human.ssn)), "off4": _off(rng, human.ssn[-4:]),
        "born": f"{human.born:%m/%d/%Y}", "school": school, "kid": kid, "ill": human.ill, "ssn4": human.ssn[-4:],
        "cell4": human.cell[-4:], "cell": human.cell, "ssn": human.ssn, "town": home.city, "zip": home.zip5,
        "number": re.sub(r"\D.*", "", line.lstrip("NWPOBox. ")) or "12", "road": line.partition(" ")[2],
        "off_email": f"{name[:-1]}{(int(name[-1]) + 3) % 10}@{host}", "off_plate": f"{human.plate[:-1]}{(int(human.plate[-1]) + 4) % 10}",
    }  # fmt: skip
