"""Whatever JSON is sent: an ask or InvalidInput, and no problem names anything that was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registry.api.bodies import (
    read_batch,
    read_disclosure,
    read_grant,
    read_own_disclosure,
    read_search,
)
from registry.api.trace_asks import read_item, read_trace
from registry.domain.categories import Category
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from tests.fakes.purposes import SHIPPED

TODAY = date(2026, 3, 2)
MARK = "Zq7marker"
READERS: tuple[Callable[..., Any], ...] = (
    read_batch,
    read_disclosure,
    read_grant,
    read_own_disclosure,
    read_search,
    read_trace,
    read_item,
)
KEYS = st.sampled_from(
    "subject employee_number categories records purpose form items code case note given_name family_name department "
    f"value category text published_at source issuer sub roles unit {MARK}".split()
)
TEXTS = st.one_of(
    st.text(max_size=8).map(lambda text: MARK + text),
    st.sampled_from([str(category) for category in Category]),
    st.sampled_from(sorted(SHIPPED)),
    st.sampled_from(["0" * 32, "T-1", "reader", "as_entered", "2026-03-02T10:00:00Z", ""]),
)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=20,
)


def problems_of(read: Callable[..., Any], document: Any) -> tuple[FieldProblem, ...]:
    try:
        read(document, today=TODAY)
    except InvalidInput as refused:
        return refused.problems
    return ()


@given(DOCUMENTS)
def test_any_document_is_an_ask_or_is_refused_by_place(document: Any) -> None:
    for read in READERS:
        problems = problems_of(read, document)
        assert len(problems) <= 50
        for problem in problems:
            assert MARK not in problem.pointer + problem.code
            assert problem.pointer == "" or problem.pointer.startswith("/")


IDS = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
WANTED = st.one_of(
    st.fixed_dictionaries({"categories": st.sets(st.sampled_from(list(Category)), min_size=1).map(sorted)}),
    st.fixed_dictionaries({"records": st.sets(IDS, min_size=1, max_size=5).map(sorted)}),
)
WHOSE = st.one_of(
    st.fixed_dictionaries({"subject": IDS}),
    st.fixed_dictionaries({"employee_number": st.from_regex(r"[A-Za-z0-9]{1,8}(-[0-9]{1,5})?", fullmatch=True)}),
)
PURPOSES = st.fixed_dictionaries({"code": st.sampled_from(sorted(SHIPPED))})


@given(WHOSE, WANTED, PURPOSES)
def test_a_good_ask_is_read_as_it_stands(whose: Any, wanted: Any, purpose: Any) -> None:
    card, stated = read_disclosure({**whose, **wanted, "purpose": purpose}, today=TODAY)
    assert (card.subject, card.employee_number) == (whose.get("subject"), whose.get("employee_number"))
    assert sorted(card.categories) == wanted.get("categories", [])
    assert sorted(card.records) == wanted.get("records", [])
    assert stated.code == purpose["code"]
    ((only,), same) = read_batch({"items": [{**whose, **wanted}], "purpose": purpose}, today=TODAY)
    assert (only, same) == (card, stated)
    assert "employee_number" not in repr(card)
