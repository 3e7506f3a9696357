"""An entry is of the account whose id it begins with, whatever else an issuer lets stand in names."""

from __future__ import annotations

import pytest

from registry.domain.ids import PrincipalId
from registry.services.entry_filter import EntryFilter
from registry.services.entry_reading import ReadEntry

WANTED, OTHER = PrincipalId("a" * 32), PrincipalId("b" * 32)


@pytest.mark.parametrize(
    ("principal", "is_taken"),
    [
        (f"{WANTED} https://issuer.example someone", True),
        (f"{OTHER} https://issuer.example {WANTED}", False),
        (f"{OTHER} {WANTED} someone", False),
        (f"{WANTED}0 https://issuer.example someone", False),
        ("", False),
    ],
)
def test_only_the_id_in_front_says_whose_an_entry_is(principal: str, is_taken: bool) -> None:
    entry = ReadEntry(1, 2, "disclose", {"principal": principal}, ())
    assert EntryFilter(principal=WANTED).takes(entry) is is_taken


def test_an_entry_whose_opening_was_removed_is_of_no_account() -> None:
    assert not EntryFilter(principal=WANTED).takes(ReadEntry(1, 2, "disclose", None, ()))
