"""Hands that carry a card on: nothing of theirs comes from what reads or scores, and each does what it says."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from benchmarks.attribution import citizens, hands
from benchmarks.attribution.citizens import TYPES, citizen
from benchmarks.attribution.hands import Hand, Manner, carried, framed, from_outside, taken_apart
from registry.domain.categories import Category
from registry.marks.copies import read_copy, write_copy
from registry.marks.slots import slots_of

SEEDS = range(40)
KINDS = {Category.HOME_ADDRESS: "address", Category.PHONE: "phone"}


def card(seed: int) -> tuple[citizens.Citizen, list[str]]:
    """Serve a card as the product writes it, in forms drawn here."""
    chance = random.Random(seed)
    person = citizen(seed, chance, "Parks")
    lines = []
    for record in person.document()["records"]:
        category = Category(record["category"])
        vector = bytes(chance.randint(1, one.forms) for one in slots_of(category))
        value = write_copy(category, record["value"], vector)
        lines.append(value.get("line") or value.get("number") or value["address"])
    return person, chance.sample(lines, 3)


@pytest.mark.parametrize("module", [hands, citizens])
def test_neither_rates_nor_code_are_shared_with_what_reads(module: object) -> None:
    tree = ast.parse(Path(str(getattr(module, "__file__", ""))).read_text())
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert not {one for one in named if one.split(".")[0] == "registry"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_typist_who_keeps_everything_copies_and_one_who_keeps_nothing_writes_as_from_outside(seed: int) -> None:
    person, lines = card(seed)
    assert taken_apart(person, lines)["type"].rstrip(".") in {person.type, TYPES[person.type]}
    chance, same = random.Random(seed), random.Random(seed)
    assert carried(Hand.VERBATIM, [(person, lines)], chance) == "\n".join((person.name, *lines))
    own = carried(Hand.TYPED, [(person, lines)], same, Manner(care=0.0))
    assert set(own.split("\n")) == set(from_outside([person], random.Random(seed)).split("\n"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_framer_keeps_no_form_and_writes_only_forms_that_somebody_may_have_been_shown(seed: int) -> None:
    person, lines = card(seed)
    text = framed(person, lines, random.Random(seed)).split("\n")
    assert sorted(map(hands.kind_of, text)) == sorted(map(hands.kind_of, lines))
    assert list(map(hands.kind_of, text)) != list(map(hands.kind_of, lines))
    for record in person.document()["records"][:2]:
        category = Category(record["category"])
        stood, written = (
            read_copy(category, record["value"], next(one for one in those if hands.kind_of(one) == KINDS[category]))
            for those in (lines, text)
        )
        assert len(stood) >= 1
        for before, after in zip(stood, written, strict=True):
            assert after.read not in {None, 0, before.read}, (before, after)


def test_a_typist_has_forms_that_no_reader_knows() -> None:
    odd = 0
    for seed in range(200):
        person, lines = card(seed)
        text = carried(Hand.TYPED, [(person, lines)], random.Random(seed), Manner(care=0.3, public_style=0.0, odd=1.0))
        phone = next(line for line in text.split("\n")[1:] if hands.kind_of(line) == "phone" or "/" in line)
        (read,) = read_copy(Category.PHONE, {"kind": "mobile", "number": "-".join(person.digits)}, phone)
        odd += read.read is None
    assert odd > 20
