"""Rows put in the way of what is to be written: a named failure, an entry if one can be, nobody else's loss."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.services.disclose import Disclosed, Failed
from tests.functional.services.homes import Home, person


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_leaf SELECT n, x'00' FROM ledger_head",
        "INSERT INTO ledger_body SELECT n, 'x', 1, NULL, NULL FROM ledger_head",
    ],
)
def test_a_row_in_the_place_of_the_next_entry_stops_everything(home: Home, statement: str) -> None:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    home.sql().execute(statement)
    with pytest.raises(AuditUnavailable) as refused:
        home.disclose(reader, home.ask(subject, Category.PHONE))
    assert refused.value.cause == "head_mismatch"


def test_a_posting_in_the_way_costs_nobody_else_theirs(home: Home) -> None:
    """As after a chain state was put back without its postings, and a restart."""
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    reader = home.caller("reader", Role.READER)
    label, value = home.app.kernel.log.chains.posting(subject, 2, 7)
    home.sql().execute("INSERT INTO ledger_postings VALUES (?, ?)", (label, value))
    asks = [(reader, home.ask(subject, Category.PHONE)), (reader, home.ask(other, Category.PHONE))]
    failed, fine = home.app.disclose.disclose_many(asks)
    assert isinstance(failed, Failed)
    assert isinstance(fine, Disclosed)
    assert [entry.kind for entry in home.entries()[-2:]] == ["outcome", "disclose"]
