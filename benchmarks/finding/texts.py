"""Leaked texts with their truth: which values of whom stand where, in which class of noise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from benchmarks.finding import carriers, further, noise, writings
from benchmarks.finding.world import CITIES, Child, Somebody, World

Key = tuple[str, str, str | None]  # employee number, kind, member
_SLOT = re.compile(r"(?<!\{)\{(\w+)\}")
CLASSES = ("verbatim", "reformatted", "typo", "partial", "embedded", "ocr", "obfuscated")


@dataclass(frozen=True, slots=True)
class Truth:
    """One value in a text: whose, and in which code points; ``how`` says how it is written."""

    key: Key
    start: int
    end: int
    how: str


@dataclass(frozen=True, slots=True)
class Leak:
    """A text with everything enrolled that stands in it; ``neutral`` stands there by coincidence."""

    name: str
    kind: str
    text: str = field(repr=False)
    truth: tuple[Truth, ...] = ()
    neutral: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Half:
    """What one half of the benchmark knows. Nothing of the unseen half's is known to the other."""

    seed: int
    posts: Sequence[str]
    parts: Sequence[str]
    clean: Sequence[str]
    homes: Mapping[str, Callable[..., str]]
    phones: Mapping[str, writings.Way]
    ssns: Mapping[str, writings.Way]
    cards: Mapping[str, writings.Way]
    dates: Mapping[str, Callable[..., str]]
    emails: Mapping[str, writings.Way]
    hidden_emails: Mapping[str, writings.Way]
    plates: Mapping[str, writings.Way]
    schools: Mapping[str, writings.Way]
    ills: Mapping[str, writings.Way]
    names: Mapping[str, Callable[[str, str], str]]
    typos: Mapping[str, noise.Noise]
    ocr: Mapping[str, noise.Noise]
    obfuscated: Mapping[str, noise.Noise]


DEVELOPMENT = Half(
    2601, carriers.POSTS, carriers.PARTS, carriers.CLEAN, writings.HOMES, writings.PHONES, writings.SSNS,
    writings.CARDS, writings.DATES, writings.EMAILS, writings.HIDDEN_EMAILS, writings.PLATES, writings.SCHOOLS,
    writings.ILLS, writings.NAMES, noise.TYPOS, noise.OCR, noise.OBFUSCATED,
)  # fmt: skip
WIDER = Half(
    9173, carriers.UNSEEN_POSTS, carriers.UNSEEN_PARTS, carriers.UNSEEN_CLEAN, writings.UNSEEN_HOMES,
    writings.UNSEEN_PHONES, writings.UNSEEN_SSNS, writings.UNSEEN_CARDS, writings.UNSEEN_DATES,
    writings.UNSEEN_EMAILS, writings.UNSEEN_HIDDEN_EMAILS, writings.UNSEEN_PLATES, writings.UNSEEN_SCHOOLS,
    writings.UNSEEN_ILLS, writings.UNSEEN_NAMES, noise.UNSEEN_TYPOS, noise.UNSEEN_OCR, noise.UNSEEN_OBFUSCATED,
)  # fmt: skip

UNSEEN = Half(
    5417, further.POSTS, further.PARTS, further.CLEAN, further.HOMES, further.PHONES, further.SSNS, further.CARDS,
    further.DATES, further.EMAILS, further.HIDDEN_EMAILS, further.PLATES, further.SCHOOLS, further.ILLS,
    further.NAMES, further.TYPOS, further.OCR, further.OBFUSCATED,
)  # fmt: skip

_LETTERED = frozenset({"home_address", "school", "spouse", "ill"})
_NUMBERED = frozenset({"mobile", "landline", "ssn", "card"})
# Noise that only digits take, and noise that only letters take.
_ALL_OF_DIGITS = (
    "digit names|spaced digits|keycaps|circled|doubles|pairs|hundreds|spanish digits|brackets|underscores|"
    "superscript|mixed names|html|bold marks|commas|dots in words|in round brackets|dashes between|"
    "names with dots|names in capitals|names with commas|names glued|camel|triples|double struck|slashes|"
    "code marks"
)
_OF_DIGITS = frozenset(_ALL_OF_DIGITS.split("|"))
_ALL_OF_LETTERS = (
    "look-alikes|leet|spaced letters|circled letters|small capitals|signs|fraktur|squared|greek|dashed letters"
)
_OF_LETTERS = frozenset(_ALL_OF_LETTERS.split("|"))
_ANY_NOISE = frozenset({"home_address", "mobile", "landline", "ssn", "card", "school", "spouse"})


class Composer:
    """Composes the texts of one half."""

    def __init__(self, world: World, half: Half) -> None:
        self._world = world
        self._half = half
        self._rng = Random(half.seed)

    def leaks(self, each: int) -> list[Leak]:
        """Return ``each`` texts of every class, and twice as many without an enrolled value."""
        found = [self._leak(kind, number) for kind in CLASSES for number in range(each)]
        return found + [self._clean(number) for number in range(each * 2)]

    def _leak(self, kind: str, number: int) -> Leak:
        rng = self._rng
        texts = self._half.parts if kind == "partial" else self._half.posts
        usable = [text for text in texts if self._fits(kind, text)]
        page = _Page(f"{kind}-{number}")
        people: list[Somebody] = []
        for _ in range(rng.choice((1, 1, 2)) if kind != "embedded" else rng.choice((1, 2, 3))):
            page.say(self._filler(rng.randint(20, 120) if kind == "embedded" else rng.randint(0, 2)))
            person = rng.choice([one for one in self._world.enrolled if not any(_alike(one, two) for two in people)])
            people.append(person)
            post = rng.choice([text for text in usable if _has(person, text)])
            self._fill(page, post, person, kind)
        page.say(self._filler(rng.randint(0, 2)))
        return page.leak(kind)

    def _fits(self, kind: str, text: str) -> bool:
        slots = set(_SLOT.findall(text))
        if kind == "typo":
            return bool(slots & _LETTERED)
        if kind == "obfuscated":
            return bool(slots & (_ANY_NOISE | {"email"}))
        return True

    def _filler(self, sentences: int) -> str:
        rng = self._rng
        said = [rng.choice(carriers.FILLER) for _ in range(sentences)]
        return "".join(one + (" " if rng.random() < 0.8 else "\n\n") for one in said)

    def _fill(self, page: _Page, post: str, person: Somebody, kind: str) -> None:
        """Write a post; a value is written in the class's way."""
        position = 0
        stranger = self._rng.choice(self._world.strangers)
        child = self._rng.choice(person.children) if person.children else None
        anchored = "{name}" in post or any("{" + slot + "}" in post for slot in _STRONG)
        for match in _SLOT.finditer(post):
            page.say(post[position : match.start()])
            position = match.end()
            slot = match.group(1)
            if slot == "o_name":
                page.say(writings.whole_name(stranger))
                continue
            surface, how = self._surface(slot, person, child, kind)
            key = _key(slot, person, child)
            if key and (anchored or slot not in {"born", "ill", "spouse", "childname"}):
                page.put(surface, key, f"{slot}: {how}")
            else:
                page.say(surface)
        page.say(post[position:] + self._rng.choice((" ", "\n", "\n\n")))

    def _surface(self, slot: str, person: Somebody, child: Child | None, kind: str) -> tuple[str, str]:
        """Return a value as written, and how."""
        surface, how = self._written(slot, person, child, changed=kind in {"reformatted", "embedded"})
        if kind == "typo" and slot in _LETTERED:
            return self._noised(self._half.typos, slot, surface)
        if kind == "ocr" and slot != "name":
            return self._noised(self._half.ocr, slot, surface)
        if kind == "obfuscated" and slot == "email":
            name = self._rng.choice(list(self._half.hidden_emails))
            return self._half.hidden_emails[name](surface), name
        if kind == "obfuscated" and slot in _ANY_NOISE:
            table = {
                name: change
                for name, change in self._half.obfuscated.items()
                if not (slot in _NUMBERED and name in _OF_LETTERS)
                and not (slot in {"school", "spouse", "home_address"} and name in _OF_DIGITS)
            }
            return self._noised(table, slot, surface)
        return surface, how

    def _noised(self, table: Mapping[str, noise.Noise], slot: str, surface: str) -> tuple[str, str]:
        del slot
        name = self._rng.choice(list(table))
        return table[name](self._rng, surface), name

    def _written(self, slot: str, person: Somebody, child: Child | None, *, changed: bool) -> tuple[str, str]:
        rng, half = self._rng, self._half
        if slot == "name":
            name = rng.choice(list(half.names)) if changed else "usual"
            return {**writings.NAMES, **half.names}[name](person.given, person.family), name
        if slot == "home_address":
            name = rng.choice(list(half.homes)) if changed else "short"
            return {**writings.HOMES, **half.homes}[name](person.home, rng), name
        if slot == "street":
            return writings.number_and_street(person.home, rng), "street"
        value = _plain(slot, person, child)
        table = self._tables().get(slot)
        if table is None or (not changed and slot not in {"mobile", "landline", "ssn", "card", "born"}):
            return value, "as is"
        if slot == "born":
            name = rng.choice(list(half.dates)) if changed else "us"
            return {**writings.DATES, **half.dates}[name](person.born), name
        usual = {"mobile": "dashes", "landline": "bracket", "ssn": "dashes", "card": "blanks"}
        name = rng.choice(list(table)) if changed else usual[slot]
        every = {**writings.PHONES, **table} if slot in {"mobile", "landline"} else {**_USUAL.get(slot, {}), **table}
        return every[name](value), name

    def _tables(self) -> Mapping[str, Mapping[str, Callable[..., str]]]:
        half = self._half
        return {
            "mobile": half.phones, "landline": half.phones, "ssn": half.ssns, "card": half.cards, "born": half.dates,
            "email": half.emails, "plate": half.plates, "school": half.schools, "ill": half.ills,
        }  # fmt: skip

    def _clean(self, number: int) -> Leak:
        """A text without an enrolled value, or without enough of it."""
        rng = self._rng
        page = _Page(f"none-{number}")
        page.say(self._filler(rng.randint(0, 3)))
        person = rng.choice([one for one in self._world.enrolled if one.children])
        others = [one for one in self._world.strangers if one.children]
        known = {writings.whole_name(one) for one in self._world.enrolled}
        stranger = rng.choice([one for one in others if writings.whole_name(one) not in known])
        words = _clean_words(rng, person, stranger)
        page.say(_SLOT.sub(lambda match: words[match.group(1)], rng.choice(self._half.clean)))
        page.say(" " + self._filler(rng.randint(0, 3)))
        return page.leak("none")


_USUAL: Mapping[str, Mapping[str, writings.Way]] = {"ssn": writings.SSNS, "card": writings.CARDS}
_STRONG = ("home_address", "mobile", "landline", "ssn", "card", "email", "plate")


def _plain(slot: str, person: Somebody, child: Child | None) -> str:
    given, school = (child.given, child.school) if child else ("", "")
    return {
        "mobile": person.mobile, "landline": person.landline, "ssn": person.ssn, "card": person.card,
        "born": person.born.isoformat(), "email": person.email, "plate": person.plate, "school": school,
        "child": given, "childname": f"{given} {person.family}", "spouse": " ".join(person.spouse),
        "ill": person.ill, "ssn4": person.ssn[-4:], "phone4": person.mobile[-4:],
    }[slot]  # fmt: skip


def _key(slot: str, person: Somebody, child: Child | None) -> Key | None:
    kinds: dict[str, tuple[str, str | None]] = {
        "home_address": ("home_address", None), "street": ("home_address", None), "mobile": ("phone:mobile", None),
        "phone4": ("phone:mobile", None), "landline": ("phone:home", None), "ssn": ("ssn", None),
        "ssn4": ("ssn", None), "born": ("date_of_birth", None), "card": ("payment_card", None),
        "email": ("email", None), "plate": ("vehicle_plate", None), "ill": ("health", None),
        "spouse": ("family_member:spouse", "s1"), "school": ("school", child.ref if child else None),
        "childname": ("family_member:child", child.ref if child else None),
    }  # fmt: skip
    return (person.number, *kinds[slot]) if slot in kinds else None


def _has(person: Somebody, post: str) -> bool:
    slots = set(_SLOT.findall(post))
    if slots & {"child", "childname", "school"} and not person.children:
        return False
    return not ("street" in slots and person.home.special)


def _alike(one: Somebody, two: Somebody) -> bool:
    return one.number == two.number or one.ill == two.ill or one.spouse == two.spouse


def _changed(rng: Random, digits: str) -> str:
    """Return digits with one of the last ones another."""
    place = rng.randrange(len(digits) - 4, len(digits))
    return digits[:place] + str((int(digits[place]) + rng.randint(1, 8)) % 10) + digits[place + 1 :]


def _swapped(digits: str) -> str:
    """Return digits with two unlike neighbours swapped, the last such pair."""
    place = next(at for at in range(len(digits) - 2, -1, -1) if digits[at] != digits[at + 1])
    return digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]


def _clean_words(rng: Random, person: Somebody, stranger: Somebody) -> dict[str, str]:
    """Return what the slots of a clean text stand for."""
    home = person.home
    other = rng.choice([city for city in CITIES if city[1] != home.state])
    away = replace(home, city=other[0], state=other[1], zip5=f"{other[2]}{rng.randrange(1, 99):02}")
    near = replace(home, number=str(int(re.sub(r"\D.*", "", home.number) or "17") + 2), special="")
    return {
        "name": writings.whole_name(person),
        "school": person.children[0].school,
        "born": f"{person.born:%m/%d/%Y}",
        "ssn4": person.ssn[-4:],
        "phone4": person.mobile[-4:],
        "ssn9": person.ssn,
        "ill": person.ill,
        "spouse": " ".join(person.spouse),
        "road": home.name or "river",
        "o_name": writings.whole_name(stranger),
        "o_home_address": writings.HOMES["short"](stranger.home, rng),
        "o_mobile": writings.PHONES["dashes"](stranger.mobile),
        "o_ssn": writings.SSNS["dashes"](stranger.ssn),
        "o_born": f"{stranger.born:%m/%d/%Y}",
        "o_child": stranger.children[0].given,
        "o_school": stranger.children[0].school,
        "near_phone": writings.PHONES["dashes"](_changed(rng, person.mobile)),
        "near_ssn": writings.SSNS["dashes"](_changed(rng, person.ssn)),
        "swapped_phone": writings.PHONES["dashes"](_swapped(person.mobile)),
        "swapped_ssn": writings.SSNS["dashes"](_swapped(person.ssn)),
        "near_home": writings.HOMES["short"](near, rng) if home.name else "2 Box Elder Way, Provo, UT 84601",
        "other_city": writings.HOMES["short"](away, rng),
        "other_state": writings.HOMES["long"](away, rng),
        "wrong4": _changed(rng, person.ssn)[-4:],
        "long_ssn": f"{rng.randint(1, 9)}{person.ssn}{rng.randint(10, 99)}",
        "long_phone": f"1Z{person.mobile}{rng.randint(1000, 9999)}",
        "amount": f"{int(person.mobile):,}.00",
        "card_off": writings.CARDS["blanks"](_swapped(person.card)),
    }


class _Page:
    """A text that grows, with what was put on it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._length = 0
        self._truth: list[Truth] = []

    def say(self, text: str) -> None:
        """Add plain text."""
        self._parts.append(text)
        self._length += len(text)

    def put(self, surface: str, key: Key, how: str) -> None:
        """Add a value."""
        self._truth.append(Truth(key, self._length, self._length + len(surface), how))
        self.say(surface)

    def leak(self, kind: str) -> Leak:
        """Return the text."""
        return Leak(self._name, kind, "".join(self._parts), tuple(self._truth))
