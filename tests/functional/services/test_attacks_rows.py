"""Rows that policy decides by, edited by somebody with the database and without keys."""

from __future__ import annotations

from functools import partial

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, LedgerCorrupt
from registry.domain.principals import Role
from registry.services.disclose import Disclosed, Failed, Refused
from registry.services.import_people import Existing
from registry.text.intake import read_enrollment
from tests.functional.services.homes import TODAY, Home, person

SEALED = [{**record, "confidentiality": "sealed"} for record in person()["records"]]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE records SET tier = 'none'",
        "UPDATE records SET tier = 'confidential', mark_version = 2",
        "UPDATE records SET tier = 'nonsense'",
        "UPDATE records SET category = 'phone'",
        "UPDATE records SET category = 'nonsense'",
        "UPDATE subjects SET state = 'ACTIVE'",
    ],
)
def test_an_edited_row_releases_nothing_and_costs_nobody_else_theirs(home: Home, edit: str) -> None:
    subject = home.enroll(person(records=SEALED)).subject
    other = home.enroll(person("T-0002")).subject
    reader = home.caller("reader", Role.READER)
    where = "id" if "subjects" in edit else "subject"
    home.sql().execute(f"{edit} WHERE {where} = ?", (subject,))
    asks = [(reader, home.ask(subject, *Category)), (reader, home.ask(other, Category.PHONE))]
    failed, fine = home.app.disclose.disclose_many(asks)
    assert isinstance(failed, Failed)
    assert isinstance(fine, Disclosed)
    assert [entry.kind for entry in home.entries()[-2:]] == ["outcome", "disclose"]


def test_an_ended_record_is_not_brought_back(home: Home) -> None:
    subject = home.enroll().subject
    home.sql().execute("UPDATE records SET state = 'ended' WHERE subject = ?", (subject,))
    assert isinstance(home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE)), Failed)


def test_exchanged_employee_numbers_give_nobody_the_wrong_card(home: Home) -> None:
    """Else a reader's own record, or somebody else's, answers to another number."""
    one, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    sql = home.sql()
    tags = dict(sql.execute("SELECT id, number_tag FROM subjects").fetchall())
    sql.execute("UPDATE subjects SET number_tag = x'00' WHERE id = ?", (other,))
    sql.execute("UPDATE subjects SET number_tag = ? WHERE id = ?", (tags[other], one))
    reader = home.caller("reader", Role.READER)
    assert isinstance(home.disclose(reader, home.ask(one, Category.PHONE)), Failed)
    with pytest.raises(LedgerCorrupt):
        home.app.search.search(reader, home.app.search.by_number("T-0002"))


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE principals SET roles = 'reader'",
        "UPDATE principals SET state = 'active'",
        "UPDATE principals SET roles = 'nonsense'",
        "UPDATE principals SET sub = 'clerk', roles = 'enroller reader'",
    ],
)
def test_a_role_that_nobody_granted_is_refused_and_an_entry(home: Home, edit: str) -> None:
    subject = home.enroll().subject
    clerk = home.caller("clerk", Role.ENROLLER)
    home.sql().execute(f"{edit}, unit = 'x' WHERE sub = 'clerk'")
    answer = home.disclose(clerk, home.ask(subject, Category.PHONE))
    assert isinstance(answer, Refused)
    assert answer.reason == "not_permitted"
    with pytest.raises(AccessDenied):
        home.app.kernel.admit(clerk, frozenset(Role), "look")
    assert home.app.principals.listing()[0].state in ("active", "changed")


def test_a_reader_cannot_be_made_a_stranger_to_their_own_record(home: Home) -> None:
    subject = home.enroll().subject
    dana = home.caller("dana", Role.READER, number="T-0001")
    home.sql().execute("UPDATE principals SET employee = NULL WHERE sub = 'dana'")
    assert isinstance(home.disclose(dana, home.ask(subject, Category.PHONE)), Refused)
    assert isinstance(home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE)), Disclosed)


def test_a_whole_row_of_another_principal_is_not_taken_over(home: Home) -> None:
    subject = home.enroll().subject
    clerk = home.caller("clerk", Role.ENROLLER)
    home.caller("reader", Role.READER)
    sql = home.sql()
    guard, roles = sql.execute("SELECT guard, roles FROM principals WHERE sub = 'reader'").fetchone()
    sql.execute("UPDATE principals SET guard = ?, roles = ? WHERE sub = 'clerk'", (guard, roles))
    assert isinstance(home.disclose(clerk, home.ask(subject, Category.PHONE)), Refused)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE marks SET tier = 'none'",
        "UPDATE marks SET starts_on = '2020-01-01'",
        "UPDATE marks SET ends_on = '2020-01-01'",
        "UPDATE marks SET review_on = NULL",
        "UPDATE marks SET basis = NULL",
        "DELETE FROM marks",
    ],
)
def test_an_edited_mark_is_not_shown_and_is_found(home: Home, edit: str) -> None:
    mark = {"basis": "Threats in 2025", "review_on": "2027-03-01"}
    subject = home.enroll(person(records=[SEALED[0] | mark])).subject
    own = home.caller("dana", Role.SUBJECT, number="T-0001")
    home.app.row_check.check()
    assert home.app.audit.own_records(own)
    where = "record = (SELECT id FROM records WHERE subject = ? AND category = 'home_address')"
    home.sql().execute(f"{edit} WHERE {where}", (subject,))
    with pytest.raises(LedgerCorrupt, match="mark"):
        home.app.row_check.check()
    if "DELETE" not in edit:
        with pytest.raises(LedgerCorrupt, match="marks"):
            home.app.audit.own_records(own)


def test_exchanged_household_members_take_no_value_of_each_other(home: Home) -> None:
    """Else the next whole document would seal the child's values under the spouse's key, and the other way round."""
    home.enroll()
    sql = home.sql()
    (one, its), (other, others) = sql.execute(
        "SELECT persons.id, ref_tag FROM persons JOIN subjects ON subjects.person <> persons.id"
    ).fetchall()
    sql.execute("UPDATE persons SET ref_tag = ? WHERE id = ?", (others, one))
    sql.execute("UPDATE persons SET ref_tag = ? WHERE id = ?", (its, other))
    changed = read_enrollment(person(title="Warden"), today=TODAY)
    with pytest.raises(LedgerCorrupt, match="persons"):
        home.import_people(home.caller("hr", Role.ENROLLER), [changed], Existing.UPDATE)
    with pytest.raises(LedgerCorrupt, match="persons"):
        home.app.row_check.check()


EDITS_OF_THE_INDEX = [
    "DELETE FROM postings WHERE label = (SELECT label FROM postings ORDER BY label LIMIT 1)",
    "UPDATE postings SET value = zeroblob(32) WHERE label = (SELECT label FROM postings ORDER BY label LIMIT 1)",
    "INSERT INTO postings (label, value) VALUES (zeroblob(16), zeroblob(32))",
    "DELETE FROM postings",
    "UPDATE index_state SET count = count - 1",
    "UPDATE index_state SET n = n + 1000",
    "DELETE FROM index_state",
]


@pytest.mark.parametrize("edit", EDITS_OF_THE_INDEX)
def test_a_value_is_not_hidden_from_searches_and_traces_unseen(home: Home, edit: str) -> None:
    home.enroll()
    home.app.row_check.check()
    home.sql().execute(edit)
    with pytest.raises(LedgerCorrupt, match=r"blind index|index_state"):
        home.app.row_check.check()
    if "index_state" in edit:
        with pytest.raises(LedgerCorrupt):
            home.enroll(person("T-0002"))
    else:
        home.enroll(person("T-0002"))
        with pytest.raises(LedgerCorrupt, match="blind index"):
            home.app.row_check.check()


def test_a_posting_taken_for_one_put_in_does_not_fit(home: Home) -> None:
    """As many as before, and the sum of what is there: but whoever has no key cannot make one that fits."""
    home.enroll()
    sql = home.sql()
    label, value = sql.execute("SELECT label, value FROM postings ORDER BY label LIMIT 1").fetchone()
    sql.execute("DELETE FROM postings WHERE label = ?", (label,))
    sql.execute("INSERT INTO postings (label, value) VALUES (?, ?)", (bytes(16), value))
    with pytest.raises(LedgerCorrupt, match="missing, added or changed"):
        home.app.row_check.check()


@pytest.mark.parametrize("how", ["enroll", "update"])
def test_an_earlier_index_put_back_whole_is_older_than_the_entries(home: Home, how: str) -> None:
    home.enroll()
    sql = home.sql()
    state = sql.execute("SELECT k, n, count, total, guard FROM index_state").fetchone()
    before = {bytes(label) for (label,) in sql.execute("SELECT label FROM postings").fetchall()}
    if how == "enroll":
        home.enroll(person("T-0002"))
    else:
        changed = read_enrollment(person(family_name="Moon"), today=TODAY)
        home.import_people(home.caller("hr", Role.ENROLLER), [changed], Existing.UPDATE)
    home.app.row_check.check()
    after = {bytes(label) for (label,) in sql.execute("SELECT label FROM postings").fetchall()}
    assert before < after
    for label in after - before:
        sql.execute("DELETE FROM postings WHERE label = ?", (label,))
    sql.execute("UPDATE index_state SET k = ?, n = ?, count = ?, total = ?, guard = ?", state)
    for check in (home.app.row_check.check, partial(verify_ledger, home.app, 1)):
        with pytest.raises(LedgerCorrupt, match="the blind index is older"):
            check()
