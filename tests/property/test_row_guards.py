"""What a guard is made over: the JSON of the guarded columns, however it is written faster."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from registry.storage.guards import GUARDED, RowGuard, json_text

PARTS = st.lists(st.one_of(st.text(), st.integers(), st.none(), st.booleans(), st.text("0123456789abcdef_ ./:+-")))
GUARD = RowGuard(bytes(range(32)))


@given(PARTS)
def test_the_text_is_that_of_the_json_module(parts: list[object]) -> None:
    assert json_text(parts) == json.dumps(parts)


@given(st.lists(st.text(max_size=8), min_size=10, max_size=10), st.lists(st.text(max_size=8), min_size=10, max_size=10))
def test_two_rows_have_one_tag_only_if_they_are_alike(one: list[str], other: list[str]) -> None:
    assert len(GUARDED["principals"]) == 10
    assert GUARD.holds("principals", one, GUARD.tag("principals", one))
    assert GUARD.holds("principals", other, GUARD.tag("principals", one)) == (one == other)
