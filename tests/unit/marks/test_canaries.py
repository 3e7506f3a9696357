"""Numbers of canaries: drawn evenly for each account, written only where they may be, read back, never aimed at."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.evalue import e_value, verdict
from registry.crypto.random import random_bytes
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId
from registry.marks.canaries import Canaries, first_of, number_in, numbers_of, numbers_served, read_digits
from registry.marks.draw import MarkKey
from registry.marks.slots import forms_of, has_digits, slots_of

SECRET = bytes(range(32))
RECORD = RecordId("a" * 32)
RESERVED, OWNED = "81655501", "200240"
CANARIES = Canaries((OWNED, RESERVED))
ACCOUNTS = [PrincipalId(f"{number:032x}") for number in range(9_000)]


def served(within: str, account: PrincipalId, secret: bytes = SECRET) -> str:
    vector = MarkKey(secret).of_record(RECORD, 1).canary_vector(account, Category.PHONE)
    return CANARIES.served(Category.PHONE, {"kind": "home", "number": first_of(within)}, vector)["number"]


def test_a_canarys_draw_begins_like_anybody_elses() -> None:
    marks = MarkKey(SECRET).of_record(RECORD, 1)
    for category in Category:
        usual, canary = marks.vector(ACCOUNTS[0], category), marks.canary_vector(ACCOUNTS[0], category)
        assert canary.startswith(usual)
        assert has_digits(category, canary) == (category is Category.PHONE)
        assert not has_digits(category, usual)


def test_every_number_but_the_enrolled_one_is_served_as_often_as_any_other() -> None:
    """Chi-square at 1e-6 with 89 degrees of freedom: a bias would be one against somebody."""
    seen = Counter(served(RESERVED, account) for account in ACCOUNTS)
    assert len(seen) == numbers_served(RESERVED) == 90
    assert first_of(RESERVED) not in seen
    assert all(number.startswith(RESERVED) for number in seen)
    expected = len(ACCOUNTS) / 90
    assert sum((count - expected) ** 2 / expected for count in seen.values()) < 166.0


def test_an_own_exchange_has_four_digits_for_each_account() -> None:
    numbers = [served(OWNED, account) for account in ACCOUNTS]
    assert all(len(one) == 10 and one.startswith(OWNED) and one[-1] != "0" for one in numbers)
    assert numbers_served(OWNED) == 9_000
    assert len(set(numbers)) > 5_500  # of 9,000 draws of 9,000 numbers, 5,689 are to be expected


@pytest.mark.parametrize(
    ("category", "value"),
    [
        (Category.PHONE, {"kind": "home", "number": "816-555-0142"}),  # in the range, and not its first number
        (Category.PHONE, {"kind": "home", "number": "816-555-0200"}),
        (Category.PHONE, {"kind": "home", "number": "+44 20 7946 0000"}),
        (Category.HOME_ADDRESS, {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}),
        (Category.SSN, {"number": "741-12-3456"}),
    ],
)
def test_no_digit_of_any_other_value_is_altered(category: Category, value: dict[str, str]) -> None:
    for account in ACCOUNTS[:20]:
        vector = MarkKey(SECRET).of_record(RECORD, 1).canary_vector(account, category)
        assert CANARIES.served(category, value, vector) == value


def test_without_digits_in_the_draw_a_canarys_first_number_stays() -> None:
    vector = MarkKey(SECRET).of_record(RECORD, 1).vector(ACCOUNTS[0], Category.PHONE)
    value = {"kind": "home", "number": first_of(RESERVED)}
    assert CANARIES.served(Category.PHONE, value, vector) == value


@pytest.mark.parametrize("within", [RESERVED, OWNED])
def test_what_is_served_is_read_back(within: str) -> None:
    for account in ACCOUNTS[:200]:
        vector = MarkKey(SECRET).of_record(RECORD, 1).canary_vector(account, Category.PHONE)
        number = served(within, account)
        text = f"({number[:3]}) {number[3:6]}-{number[6:]}"
        forms = forms_of(Category.PHONE, vector)
        read = read_digits(within, text)
        assert len(read) == 10 - len(within)
        assert [one.read for one in read] == [forms[one.slot] for one in read]


def test_the_enrolled_number_is_read_as_public_and_what_nobody_has_as_nothing() -> None:
    assert [one.read for one in read_digits(RESERVED, "816.555.0100")] == [0, 0]
    assert [one.read for one in read_digits(RESERVED, "816.555.0130")] == [None, None]
    assert [one.read for one in read_digits(RESERVED, "816.555.0")] == [None, None]
    assert number_in(RESERVED, "816 555 02 42") == ""
    assert len(list(numbers_of(RESERVED))) == 100


def _read(within: str, number: str, accounts: list[PrincipalId], secret: bytes) -> RecordRead:
    """Put the draws of accounts beside a number that stands in a text."""
    read = read_digits(within, number)
    slots = tuple(SlotRead(one.slot, one.forms, one.kept, one.read, one.has_public) for one in read)
    first = len(slots_of(Category.PHONE))
    marks = MarkKey(secret).of_record(RECORD, 1)
    drawn = {
        account: tuple(marks.canary_vector(account, Category.PHONE)[first : first + len(slots)]) for account in accounts
    }
    return RecordRead(slots, drawn)


def test_who_never_saw_anothers_canary_hits_it_no_oftener_than_chance() -> None:
    """20,000 framers with the best guess there is, their own number known to them: seed 20261127.

    To be expected are 222.2 hits of one in ninety; the limits are four standard errors (14.8 each) either way.
    """
    chance = random.Random(20261127)
    hits = 0
    for _ in range(20_000):
        secret = chance.randbytes(32)
        own, victim = served(RESERVED, ACCOUNTS[0], secret), served(RESERVED, ACCOUNTS[1], secret)
        guess = chance.choice([one for one in numbers_of(RESERVED) if one[-1] != "0" and one != own])
        hits += guess == victim
    assert 163 <= hits <= 282


def test_the_e_value_of_who_had_no_part_is_one_in_the_mean_whatever_is_written() -> None:
    """Over all 90 draws of two digits, for the number of somebody else: no model and no rate enters the bound."""
    for number in ("8165550142", "8165550199", "8165550100"):
        slots = _read(RESERVED, number, [], SECRET).slots
        draws = [(last, tens) for last in range(1, 10) for tens in range(1, 11)]
        assert sum(e_value([slots], [one]) for one in draws) / 90 == pytest.approx(1.0)


def test_who_was_served_the_number_stands_out_by_about_the_count_of_numbers() -> None:
    number = served(OWNED, ACCOUNTS[3])
    others = [one for one in ACCOUNTS[:50] if served(OWNED, one) != number]
    record = _read(OWNED, number, [ACCOUNTS[3], *others], SECRET)
    assert 4_000 < verdict([record], ACCOUNTS[3], seed=1, draws=0).e <= 9_000
    assert all(verdict([record], one, seed=1, draws=0).e < 15 for one in others)


def test_who_did_see_anothers_canary_can_write_it_down() -> None:
    """What remains: a copy that was shared is a copy. The report says so, and names nobody for one alone."""
    shared = served(RESERVED, ACCOUNTS[1], random_bytes(32))
    assert number_in(RESERVED, f"call {shared}") == shared
