"""Draws: sticky, independent of the value and of one another, even, and opened version by version."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest

from registry.crypto.random import random_bytes
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId
from registry.marks.draw import DATABASE, MarkKey, RecordMarks
from registry.marks.slots import TABLE, forms_of, older, slots_of

SECRET = bytes(range(32))
RECORD = RecordId("a" * 32)
ANN, BEN = PrincipalId("1" * 32), PrincipalId("2" * 32)
ACCOUNTS = [PrincipalId(f"{number:032x}") for number in range(6_000)]


def test_a_copy_is_drawn_once_and_for_all() -> None:
    first, second = MarkKey(SECRET, 1), MarkKey(SECRET, 1)
    for category in TABLE:
        assert first.of_record(RECORD, 1).vector(ANN, category) == second.of_record(RECORD, 1).vector(ANN, category)


def test_a_draw_never_changes() -> None:
    """Known answers: whoever was served a copy once is served the same for ever, and a trace finds it again."""
    told, with_added = sha256(), sha256()
    for epoch, version in ((1, 1), (2, 1), (65_537, 2)):
        marks = MarkKey(SECRET, epoch).of_record(RECORD, version)
        for category in Category:
            for account in ACCOUNTS[:300]:
                usual, canary = marks.vector(account, category), marks.canary_vector(account, category)
                told.update(older(category, usual) + b"|" + older(category, canary) + b"\n")
                with_added.update(usual + b"|" + canary + b"\n")
    assert told.hexdigest() == "213c0627b9c08575695287432573c6af47f8e8605a731d9bab306705f688834d"
    assert with_added.hexdigest() == "a74ca1224541310f96bc7b15bfb2e18c211555194bede87bbf6594bb0472d809"


def test_the_draws_of_another_key_epoch_record_version_or_account_are_others() -> None:
    def many(secret: bytes, epoch: int, record: str, version: int) -> list[bytes]:
        marks = MarkKey(secret, epoch).of_record(RecordId(record), version)
        return [marks.vector(account, Category.HOME_ADDRESS) for account in ACCOUNTS[:200]]

    base = many(SECRET, 1, RECORD, 1)
    others = [
        many(bytes(32), 1, RECORD, 1),
        many(SECRET, 2, RECORD, 1),
        many(SECRET, 1, "b" * 32, 1),
        many(SECRET, 1, RECORD, 2),
    ]
    for drawn in others:
        same = sum(left == right for left, right in zip(base, drawn, strict=True))
        assert same < 20  # one in 1,152 by chance


def test_the_record_key_opens_its_own_version_and_no_other() -> None:
    key = MarkKey(SECRET, 1)
    opened = RecordMarks(key.record_key(RECORD, 3))
    assert [opened.vector(one, Category.PHONE) for one in ACCOUNTS[:50]] == [
        key.of_record(RECORD, 3).vector(one, Category.PHONE) for one in ACCOUNTS[:50]
    ]
    assert key.record_key(RECORD, 3) != key.record_key(RECORD, 4)


@pytest.mark.parametrize("category", TABLE)
def test_every_form_is_as_likely_as_any_other(category: Category) -> None:
    """Chi-square per slot at 1e-6: a bias of the draw would be a bias against somebody."""
    marks = MarkKey(SECRET, 1).of_record(RECORD, 1)
    vectors = [forms_of(category, marks.vector(account, category)) for account in ACCOUNTS]
    limit = {2: 23.93, 3: 27.63, 4: 30.66, 5: 33.38, 6: 35.89}
    for slot in slots_of(category):
        seen, expected = Counter(vector[slot.name] for vector in vectors), len(vectors) / slot.forms
        assert set(seen) == set(range(1, slot.forms + 1))
        assert sum((count - expected) ** 2 / expected for count in seen.values()) < limit[slot.forms]


def test_two_accounts_may_be_drawn_alike() -> None:
    """Never drawn again: else whoever knows their own copy would know what others do not have."""
    marks = MarkKey(SECRET, 1).of_record(RECORD, 1)
    vectors = [marks.vector(account, Category.PHONE) for account in ACCOUNTS[:40]]
    assert len(set(vectors)) <= 5 < len(vectors)


def test_slots_of_one_copy_are_independent() -> None:
    marks = MarkKey(SECRET, 1).of_record(RECORD, 1)
    drawn = [forms_of(Category.HOME_ADDRESS, marks.vector(one, Category.HOME_ADDRESS)) for one in ACCOUNTS]
    both = Counter((one["street-type"], one["state"]) for one in drawn)
    assert all(abs(count / len(drawn) - 0.25) < 0.03 for count in both.values())
    assert len(both) == 4


def test_the_database_has_forms_that_nobody_is_served() -> None:
    assert DATABASE not in ACCOUNTS
    marks = MarkKey(SECRET, 1).of_record(RECORD, 1)
    assert forms_of(Category.PHONE, marks.vector(DATABASE, Category.PHONE))


@pytest.mark.parametrize("vector", [b"", b"\x00", b"\x06", b"\x01\x01"])
def test_what_is_no_vector_is_refused(vector: bytes) -> None:
    with pytest.raises(ValueError, match="not a vector"):
        forms_of(Category.PHONE, vector)


def test_keys_do_not_show() -> None:
    key = MarkKey(random_bytes(32), 1)
    assert repr(key) == "MarkKey(***)"
    assert repr(key.of_record(RECORD, 1)) == "RecordMarks(***)"
