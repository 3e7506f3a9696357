"""The week's sample: drawn by nobody, the same for everybody, reviewed by somebody else."""

from __future__ import annotations

from collections import Counter

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.domain.weeks import Week, week_of
from registry.services import review_sample
from registry.services.disclose import Disclosed
from registry.services.kernel import Caller
from registry.services.review_sample import DUE_MS, LEAST_EACH, SAMPLE, Finding, Judgement, WeekSample
from registry.transparency.leaf import parse_leaf
from tests.functional.services.homes import Home, person

DAY = 86_400
MAIL = Purpose(PurposeCode("official_mail"), "C-1")
SAFETY = Purpose(PurposeCode("safety"), "C-2")


def look_up(home: Home, caller: Caller, subject: SubjectId, times: int, purpose: Purpose = MAIL) -> None:
    asks = [(caller, home.ask(subject, Category.HOME_ADDRESS, purpose=purpose))] * times
    assert all(isinstance(answer, Disclosed) for answer in home.app.disclose.disclose_many(asks))


@pytest.fixture
def week(home: Home) -> Week:
    """A week that is over, with 40 lookups for mail and 4 for safety by one reader, and somebody's own view."""
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    this = week_of(home.clock.now())
    look_up(home, reader, subject, 40)
    look_up(home, reader, subject, 4, SAFETY)
    dana = home.caller("dana", Role.SUBJECT, number="T-0001")
    assert isinstance(home.disclose(dana, home.ask(subject, Category.PHONE, purpose=None)), Disclosed)
    home.clock.step(7 * DAY)
    return this


def drawn(home: Home, week: Week, name: str = "auditor") -> WeekSample:
    return home.app.review_sample.sample(home.caller(name, Role.AUDITOR), week)


def indexes(sample: WeekSample) -> list[int]:
    return [one.entry.index for one in sample.lookups]


def test_the_same_is_drawn_by_everybody_and_some_of_each_purpose(home: Home, week: Week) -> None:
    first = drawn(home, week)
    counted = Counter((one.entry.values or {})["purpose"] for one in first.lookups)
    assert set(counted) == {"official_mail", "safety"}  # a person's own view is nothing to review
    assert counted["safety"] >= LEAST_EACH
    assert SAMPLE <= len(first.lookups) <= SAMPLE + LEAST_EACH
    assert first.looked_at == first.of
    home.clock.step(30 * DAY)
    assert indexes(drawn(home, week, "another")) == indexes(first)
    entry = home.entries()[-1]
    assert (entry.kind, (entry.values or {})["request"]) == ("audit-read", week.name)


def test_nothing_is_drawn_before_the_first_entry_after_the_week(home: Home, week: Week) -> None:
    with home.app.database.reader() as reader:
        assert home.app.review_sample._drawn(reader, week).entries == ()
    home.caller("auditor", Role.AUDITOR)
    with home.app.database.reader() as reader:
        first = home.app.review_sample._drawn(reader, week).entries
    assert len(first) >= SAMPLE
    assert [entry.index for entry in first] == indexes(drawn(home, week))


def test_the_lot_is_the_first_entry_after_the_week(home: Home, week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    before = indexes(drawn(home, week))
    with home.app.database.reader() as reader:
        rows = list(reader.scan(0, reader.head().size))
    after = next(row.leaf for row in rows if parse_leaf(row.leaf).unix_ms >= week.end_ms)
    hashed: list[bytes] = []

    def another_hash(leaf: bytes) -> bytes:
        hashed.append(leaf)
        return bytes(32)

    monkeypatch.setattr(review_sample, "leaf_hash", another_hash)
    assert indexes(drawn(home, week)) != before
    assert hashed[0] == after


def test_the_order_is_that_of_the_lot() -> None:
    orders = [tuple(review_sample._order(bytes([seed] * 32), range(100, 200))) for seed in range(3)]
    assert len(set(orders)) == 3
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(100, 200))}
    assert len(list(review_sample._order(bytes(32), range(10**6)))) == review_sample.LOOKED_AT
    firsts = Counter(next(review_sample._order(seed.to_bytes(32, "big"), range(10))) for seed in range(5_000))
    assert all(400 < firsts[index] < 600 for index in range(10))  # five standard deviations are 106


def test_only_lookups_of_that_week_are_drawn(home: Home, week: Week) -> None:
    drawn(home, week)
    other = home.enroll(person("T-0002")).subject
    look_up(home, home.caller("reader", Role.READER), other, 5)
    home.clock.step(7 * DAY)
    later = drawn(home, home.app.review_sample.last_week())
    assert {(one.entry.values or {})["subject"] for one in later.lookups} == {other}
    assert (len(later.lookups), later.week.start_ms) == (5, week.end_ms)


def test_what_is_found_is_an_entry_and_asked_may_be_settled(home: Home, week: Week) -> None:
    auditor = home.caller("auditor", Role.AUDITOR)
    one, two, *_ = indexes(drawn(home, week))
    row, _ = home.app.review_sample.review(auditor, Judgement(one, Finding.ASKED, "No such case is known"))
    said = home.entries()[-1].values or {}
    assert (home.entries()[-1].kind, said["result"], said["request"]) == ("review", "asked", f"lookup {one}")
    assert said["subject"]
    assert (row.finding, row.entry) == ("asked", one)
    home.app.review_sample.review(auditor, Judgement(one, Finding.DOES_NOT_FIT, "The court knows no such case"))
    home.app.review_sample.review(auditor, Judgement(two, Finding.FITS))
    for index in (one, two):
        with pytest.raises(Conflict, match="decided"):
            home.app.review_sample.review(auditor, Judgement(index, Finding.FITS))
    found = {lookup.entry.index: lookup for lookup in drawn(home, week).lookups}
    assert {index for index, lookup in found.items() if not lookup.is_open} == {one, two}
    verify_ledger(home.app, 1)
    home.app.row_check.check()


def test_only_what_the_lot_chose_is_reviewed(home: Home, week: Week) -> None:
    auditor = home.caller("auditor", Role.AUDITOR)
    chosen = set(indexes(drawn(home, week)))
    lookups = {entry.index for entry in home.entries() if entry.kind == "disclose"}
    for index in (min(lookups - chosen), 0, 10**9):
        with pytest.raises(NotFound):
            home.app.review_sample.review(auditor, Judgement(index, Finding.FITS))
    for role in set(Role) - {Role.AUDITOR}:
        with pytest.raises(AccessDenied):
            home.app.review_sample.review(home.caller(f"a {role}", role), Judgement(min(chosen), Finding.FITS))
        with pytest.raises(AccessDenied):
            home.app.review_sample.sample(home.caller(f"a {role}", role), week)


def test_nobody_reviews_their_own_lookups_under_whatever_account(home: Home) -> None:
    subject = home.enroll().subject
    this = week_of(home.clock.now())
    look_up(home, home.caller("reader", Role.READER), subject, 1)
    look_up(home, home.caller("clerk", Role.READER, number="T-0005"), subject, 2)
    home.clock.step(7 * DAY)
    everything = drawn(home, this)
    twin = home.caller("twin", Role.AUDITOR, number="T-0005")
    seen = home.app.review_sample.sample(twin, this)
    assert (len(everything.lookups), len(seen.lookups)) == (3, 1)
    for index in set(indexes(everything)) - set(indexes(seen)):
        with pytest.raises(AccessDenied):
            home.app.review_sample.review(twin, Judgement(index, Finding.FITS))
        assert home.entries()[-1].kind == "deny"


def test_what_is_overdue_is_told(home: Home, week: Week) -> None:
    first = drawn(home, week)
    assert (first.is_overdue, first.due_ms, home.app.review_sample.late()) == (False, week.end_ms + DUE_MS, {})
    home.clock.step(14 * DAY)
    assert drawn(home, week).is_overdue
    assert home.app.review_sample.late() == {week.name: len(first.lookups)}
    assert drawn(home, home.app.review_sample.last_week()).late == {week.name: len(first.lookups)}
    auditor = home.caller("auditor", Role.AUDITOR)
    for index in indexes(first):
        home.app.review_sample.review(auditor, Judgement(index, Finding.FITS))
    assert home.app.review_sample.late() == {}
    assert not drawn(home, week).is_overdue


@pytest.mark.parametrize(
    "edit", ["UPDATE sample_reviews SET finding = 'fits'", "DELETE FROM sample_reviews", "earlier"]
)
def test_a_review_is_not_changed_unseen(home: Home, week: Week, edit: str) -> None:
    auditor = home.caller("auditor", Role.AUDITOR)
    index = indexes(drawn(home, week))[0]
    home.app.review_sample.review(auditor, Judgement(index, Finding.ASKED, "No such case is known"))
    sql = home.sql()
    before = sql.execute("SELECT finding, reviewed_at, guard FROM sample_reviews").fetchone()
    home.clock.step(1)
    home.app.review_sample.review(auditor, Judgement(index, Finding.DOES_NOT_FIT, "It is nobody's case"))
    home.app.row_check.check()
    if edit == "earlier":
        sql.execute("UPDATE sample_reviews SET finding = ?, reviewed_at = ?, guard = ?", before)
    else:
        sql.execute(edit)
    with pytest.raises(LedgerCorrupt, match=r"review|sample_reviews"):
        home.app.row_check.check()


def test_it_costs_a_bounded_number_of_entries(home: Home, week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_sample, "LOOKED_AT", 10)
    sample = drawn(home, week)
    assert (sample.looked_at, sample.of > 40, len(sample.lookups) <= 10) == (10, True, True)
