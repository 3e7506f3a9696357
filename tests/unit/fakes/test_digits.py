"""Numbers are found where they are told, and nowhere else."""

from __future__ import annotations

import pytest

from tests.fakes.digits import tells


@pytest.mark.parametrize(
    "text",
    ["call 816 555 0142", "+18165550142", '{"number":"816-555-0142"}', "(816) 5550142", "ends in 0142", "area 816, n"],
)
def test_a_number_is_told(text: str) -> None:
    assert tells(text, "816-555-0142")


@pytest.mark.parametrize("text", ["", "816a", "id 9f8160142ab", "2026-03-02T10:00:00.816Z", "4246638161", "a555"])
def test_an_identifier_tells_no_number(text: str) -> None:
    assert not tells(text, "816-555-0142")
