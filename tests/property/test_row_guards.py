"""What a guard is made over: the JSON of the guarded columns, however it is written faster."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from registry.storage.guards import GUARDED, RowGuard, json_of

WORDS = st.one_of(st.text("0123456789abcdef_ ./:+-"), st.sampled_from(["null", "a,b", 'a"b', "a\\b", "\x7f", "\u2028"]))
PARTS = st.lists(st.one_of(st.text(), WORDS, st.integers(), st.none(), st.booleans(), st.binary()))
# SQLite gives back what stands in a column, whatever its type.
NUMBERS = st.lists(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=4)), min_size=3, max_size=3)
GUARD = RowGuard(bytes(range(32)))


@given(PARTS)
def test_the_text_is_that_of_the_json_module(parts: list[object]) -> None:
    told = [part.hex() if isinstance(part, bytes) else part for part in parts]
    assert json_of(parts) == json.dumps(told).encode()


def test_the_text_of_every_sign_and_of_large_numbers_is_that_of_the_json_module() -> None:
    for part in (*map(chr, range(0x180)), *(sign * (2**power + 1) for power in range(130) for sign in (1, -1))):
        for parts in ([part], ["a", part, None]):
            assert json_of(parts) == json.dumps(parts).encode()


@given(NUMBERS, NUMBERS)
def test_no_number_passes_for_anything_else(one: list[object], other: list[object]) -> None:
    assert (json_of(one) == json_of(other)) == (repr(one) == repr(other))


def test_an_endless_number_is_no_empty_column() -> None:
    for number in (float("inf"), float("-inf"), float("nan")):
        assert not GUARD.holds("persons", ["a", "b", number], GUARD.tag("persons", ["a", "b", None]))


@given(st.lists(st.text(max_size=8), min_size=10, max_size=10), st.lists(st.text(max_size=8), min_size=10, max_size=10))
def test_two_rows_have_one_tag_only_if_they_are_alike(one: list[str], other: list[str]) -> None:
    assert len(GUARDED["principals"]) == 10
    assert GUARD.holds("principals", one, GUARD.tag("principals", one))
    assert GUARD.holds("principals", other, GUARD.tag("principals", one)) == (one == other)
