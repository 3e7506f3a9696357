"""What is read as a receipt code, and what is part of something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.leaktrace.receipt_codes import MAX_CODES, chance_of_a_match, codes_in

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.text(ALPHABET, min_size=8, max_size=8).map(lambda text: f"{text[:4]}-{text[4:]}")


def read(text: str) -> list[str]:
    return [one.code for one in codes_in(text)]


@given(CODES, st.sampled_from(["Code ", "(", "receipt:", "\n", ""]), st.sampled_from([".", ")", " entry 5", ""]))
def test_a_code_is_read_where_it_stands(code: str, before: str, after: str) -> None:
    (seen,) = codes_in(before + code + after)
    start, end = seen.span
    assert (seen.code, (before + code + after)[start:end]) == (code, code)


@pytest.mark.parametrize(
    "text",
    ["k7qf-2m9d", "K7QF \u2013 2M9D", "K7QF-\n2M9D", "K7QF\u20112M9D", "Code K7QF-2M9D, entry 12", "(K7QF-2M9D)"],
)
def test_it_is_read_as_people_and_scanners_write_it(text: str) -> None:
    assert read(text) == ["K7QF-2M9D"]


def test_letters_that_codes_do_not_have_are_digits_misread() -> None:
    assert read("KIOF-LM9U") == ["K10F-1M9V"]


@pytest.mark.parametrize(
    "text",
    [
        "4111-1111-1111-1111",
        "816-555-0142",
        "1-816-555-0142",
        "AK7QF-2M9D",
        "K7QF-2M9DA",
        "K7QF 2M9D",
        "K7QF2M9D",
        "",
        "-",
    ],
)
def test_parts_of_other_numbers_are_none(text: str) -> None:
    assert read(text) == []


def test_each_is_read_once_and_not_more_than_a_page_has() -> None:
    assert read("K7QF-2M9D and k7qf-2m9d") == ["K7QF-2M9D"]
    assert len(read(" ".join(f"K7QF-{number:04d}" for number in range(9_999)))) == MAX_CODES


def test_the_chance_of_a_match_by_accident() -> None:
    assert chance_of_a_match(0, 10) == 0.0
    assert chance_of_a_match(2, 500) == pytest.approx(9.0949e-10, rel=1e-4)
    assert chance_of_a_match(2**30, 2**20) == 1.0
