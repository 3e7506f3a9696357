"""Hiding look-ups from a trace and from the person: what somebody with the database does, and who notices."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import SubjectId, new_id
from registry.domain.principals import Role
from registry.services.accounting import AccountingAsk
from registry.services.copies import Histories, chain_gaps
from registry.services.disclose import Failed
from registry.services.entry_reading import ReadEntry
from tests.functional.services.homes import Home


def looked_up(home: Home, times: int) -> SubjectId:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    for _ in range(times):
        home.disclose(reader, home.ask(subject, Category.PHONE))
    return subject


def gaps(home: Home, subject: SubjectId) -> tuple[str, ...]:
    with home.app.database.reader() as reader:
        (history,) = Histories(home.app.audit).read(reader, {subject: {}}, below=10_000)
    return history.gaps


def cut_posting(home: Home, subject: SubjectId, counter: int) -> None:
    label, _ = home.app.kernel.log.chains.posting(subject, counter, 0)
    home.sql().execute("DELETE FROM ledger_postings WHERE label = ?", (label,))


def test_a_sound_history_has_no_gap(home: Home) -> None:
    assert gaps(home, looked_up(home, 3)) == ()


def test_an_opening_removed_to_hide_a_lookup_is_a_gap(home: Home) -> None:
    subject = looked_up(home, 3)
    index = home.entries()[-2].index
    home.sql().execute("UPDATE ledger_body SET sealed = NULL, erased_at = 1 WHERE i = ?", (index,))
    assert any(str(index) in gap for gap in gaps(home, subject))


def test_a_body_deleted_to_hide_a_lookup_is_a_gap(home: Home) -> None:
    subject = looked_up(home, 3)
    index = home.entries()[-2].index
    home.sql().execute("DELETE FROM ledger_body WHERE i = ?", (index,))
    assert gaps(home, subject)


def test_a_leaf_deleted_to_hide_a_lookup_is_a_gap(home: Home) -> None:
    subject = looked_up(home, 3)
    index = home.entries()[-2].index
    home.sql().execute("DELETE FROM ledger_leaf WHERE i = ?", (index,))
    assert gaps(home, subject)


def test_a_chain_rolled_back_with_its_postings_cut_is_a_gap(home: Home) -> None:
    """The state is an earlier one of the same person, so it opens; this process remembers a later one."""
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    home.disclose(reader, home.ask(subject, Category.PHONE))
    sql = home.sql()
    ((early,),) = sql.execute("SELECT chain FROM subjects").fetchall()
    home.disclose(reader, home.ask(subject, Category.PHONE))
    cut_posting(home, subject, 3)
    sql.execute("UPDATE subjects SET chain = ?", (early,))
    assert any("rolled back" in gap for gap in gaps(home, subject))
    answer = home.disclose(home.caller("other", Role.READER), home.ask(subject, Category.PHONE))
    assert isinstance(answer, Failed)


@pytest.mark.parametrize("counter", [2, 4])
def test_an_accounting_is_complete_or_refused(home: Home, counter: int) -> None:
    subject = looked_up(home, 3)
    own = home.caller("dana", Role.SUBJECT, number="T-0001")
    assert len(home.app.audit.accounting(own).entries) == 6
    auditor, ask = home.caller("auditor", Role.AUDITOR), AccountingAsk(subject, None)
    assert len(home.app.accountings.produce(auditor, ask).lines) == 3
    cut_posting(home, subject, counter)
    with pytest.raises(LedgerCorrupt):
        home.app.audit.accounting(own)
    with pytest.raises(LedgerCorrupt):
        home.app.accountings.produce(auditor, ask)


@pytest.mark.parametrize("counter", [1, 3, 4])
def test_a_posting_cut_to_hide_lookups_is_a_gap(home: Home, counter: int) -> None:
    subject = looked_up(home, 3)
    cut_posting(home, subject, counter)
    assert any("were counted" in gap for gap in gaps(home, subject))


@pytest.mark.parametrize(("counter", "previous"), [("2", "-"), ("1", "5"), ("1 1", "-")])
def test_an_entry_out_of_its_place_is_a_gap(counter: str, previous: str) -> None:
    subject = SubjectId(new_id())
    values = {"subject": subject, "counter": counter, "previous": previous}
    assert chain_gaps([ReadEntry(9, 0, "disclose", values, ())], subject, 1)
    assert not chain_gaps([ReadEntry(9, 0, "disclose", values | {"counter": "1", "previous": "-"}, ())], subject, 1)
