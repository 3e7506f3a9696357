"""The leak: who posts what. Made from one answer that was served, its facts copied as they were on the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any

from registry.cli.demo.clock import WORKING_DAYS, moment_in
from registry.cli.demo.people import Person
from registry.cli.demo.week import Served

FACTS = 3
# After work and before midnight, UTC.
_EVENING = range(23 * 3600 + 300, 24 * 3600 - 300)
_OPENINGS = (
    "so tired of {name} acting like nobody can touch them. you all should know:",
    "Everyone asks who wrote up our street. It was {name}. Do what you want with this.",
    "{name} works for the city and thinks that is the end of it. well here you go",
    "ok since the city will not listen, maybe {name} will.",
    "Funny how {name} knows where WE live. Only fair then.",
    "PSA about {name}, the one from the council video.",
)
_CLOSINGS = (
    "be polite if you go there lol",
    "share before they take it down",
    "You did not get this from me.",
    "just saying hi is not a crime",
    "screenshot this.",
    "",
)


@dataclass(frozen=True, slots=True)
class Leak:
    """One leak.

    Attributes:
        source: the card it was made from; its entry is the truth that the trace does not know.
        post: the text.
        facts: kinds of the facts in it.
        published_at: when it appeared, aware.
    """

    source: Served
    post: str = field(repr=False)
    facts: tuple[str, ...]
    published_at: datetime


@dataclass(frozen=True, slots=True)
class _Fact:
    kind: str
    sentence: str = field(repr=False)


def make_leak(seed: int, served: Sequence[Served], people: Sequence[Person], days: Sequence[date]) -> Leak:
    """Choose who leaks, which card, which three facts, and write the post."""
    chance = Random(f"leak {seed}")  # noqa: S311 - a made-up leak, no secrets
    cards = [(card, makers) for card in served if len(makers := _facts(card)) >= FACTS]
    sub = chance.choice(sorted({card.sub for card, _ in cards}))
    source, makers = chance.choice([pair for pair in cards if pair[0].sub == sub])
    # In the order of the card, as somebody writes who reads from it.
    chosen = set(chance.sample(sorted(makers), FACTS))
    kinds = [kind for kind in makers if kind in chosen]
    facts = [_Fact(kind, makers[kind](chance)) for kind in kinds]
    (person,) = (one for one in people if one.number == source.number)
    published_at = moment_in(days, chance.randrange(source.day, WORKING_DAYS), chance.choice(_EVENING))
    return Leak(source, _write(chance, person, facts), tuple(sorted(kinds)), published_at)


def _write(chance: Random, person: Person, facts: Sequence[_Fact]) -> str:
    opening = chance.choice(_OPENINGS).format(name=f"{person.given_name} {person.family_name}")
    joined = chance.choice((", ", "\n", " - ")).join(fact.sentence for fact in facts)
    return "\n".join(part for part in (opening, joined, chance.choice(_CLOSINGS)) if part) + "\n"


Maker = Callable[[Random], str]


def _facts(card: Served) -> dict[str, Maker]:
    """Return what can be told from a card: for every kind one way to write it."""
    makers: dict[str, Maker] = {}
    for record in card.records:
        category, value = record["category"], record["value"]
        kind = category
        if category == "phone":
            kind = f"phone:{value['kind']}"
        elif category == "family_member":
            kind = f"family_member:{value['relation']}"
        makers[kind] = _maker(category, value)
    return makers


def _maker(category: str, value: Mapping[str, Any]) -> Maker:
    write = _WRITERS[category]
    return lambda chance: write(chance, value)


def _address(chance: Random, value: Mapping[str, Any]) -> str:
    """Write an address as it was on the screen, as far as the writer bothers to copy it."""
    street, _, rest = value["line"].partition(", ")
    city, _, state = rest.partition(", ")
    ways = (
        f"lives at {street} in {city}",
        f"home is {street}, {city}, {state}",
        f"address: {street}, {city} {state}",
        f"you will find the house at {street}, {city}",
    )
    return chance.choice(ways)


def _phone(chance: Random, value: Mapping[str, Any]) -> str:
    return chance.choice(("call {}", "cell {}", "number is {}", "{} if you want to talk")).format(value["number"])


def _ssn(chance: Random, value: Mapping[str, Any]) -> str:
    return chance.choice(("social {}", "SSN is {}", "soc sec # {}")).format(value["number"])


def _birth(chance: Random, value: Mapping[str, Any]) -> str:
    return chance.choice(("born {}", "date of birth {}", "DOB: {}")).format(value["date"])


def _family(chance: Random, value: Mapping[str, Any]) -> str:
    name = f"{value['given_name']} {value['family_name']}"
    if value["relation"] == "spouse":
        return chance.choice(("married to {}", "spouse: {}", "say hello to {} as well")).format(name)
    return chance.choice(("the kid is {}", "child: {}", "has a little one, {}")).format(name)


def _school(chance: Random, value: Mapping[str, Any]) -> str:
    return chance.choice(("kid goes to {}", "school run every morning at {}")).format(value["name"])


def _health(chance: Random, value: Mapping[str, Any]) -> str:
    return chance.choice(("medical stuff: {}", "and get this: {}")).format(value["statement"].lower())


_WRITERS: Mapping[str, Callable[[Random, Mapping[str, Any]], str]] = {
    "home_address": _address,
    "phone": _phone,
    "ssn": _ssn,
    "date_of_birth": _birth,
    "family_member": _family,
    "school": _school,
    "health": _health,
}
