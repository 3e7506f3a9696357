"""Disputes and corrections on both engines: who answers, what happens at once, and what the database's owner can do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, EnvelopeRejected, LedgerCorrupt, NotFound
from registry.domain.ids import EntryIndex, PetitionId, RecordId, SubjectId, new_id
from registry.domain.principals import Role
from registry.services.contact import Contact
from registry.services.disclose import Disclosed, DisclosureAsk
from registry.services.kernel import Caller
from registry.services.petition_answers import Reply
from registry.services.petitions import CORRECTION, DISPUTE, NOT_UPHELD, REFUSED, UPHELD, Correction, Sort
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes
from registry.vault.petitions import NOTE
from tests.functional.services.homes import TODAY, Home, person
from tests.functional.services.test_at_once import at_once

NEW = {"kind": "mobile", "number": "816-555-0177"}
NEWER = {"kind": "mobile", "number": "816-555-0178"}
PHONE_ONLY = [{"category": "phone", "value": {"kind": "mobile", "number": "816-555-0190"}}]
LOOKED, ABOUT = "T-0007", "T-0001"


def enrolled(home: Home, number: str = ABOUT, **changes: Any) -> tuple[SubjectId, RecordId]:
    made = home.enroll(person(number, **changes))
    return made.subject, next(record.record for record in made.records if record.category is Category.PHONE)


def own(home: Home, number: str = ABOUT) -> Caller:
    return home.caller(f"self {number}", Role.SUBJECT, number=number)


def dispute(home: Home, subject: SubjectId, reader: Caller) -> PetitionId:
    answer = home.disclose(reader, home.ask(subject, Category.PHONE))
    assert isinstance(answer, Disclosed)
    return home.app.petitions.dispute(own(home), EntryIndex(answer.receipt.index), "nobody had a reason").petition


def correct(home: Home, phone: RecordId, value: dict[str, str] | None = None) -> PetitionId:
    return home.app.petitions.correct(own(home), Correction(phone, "it changed in May", value)).petition


def shown(home: Home, number: str = ABOUT) -> tuple[str, int]:
    """Return the own telephone number and its version."""
    caller = own(home, number)
    tag = home.app.kernel.number_tag(number)
    ask = DisclosureAsk(None, tag, frozenset({Category.PHONE}), frozenset(), None, "self")
    answer = home.disclose(caller, ask)
    assert isinstance(answer, Disclosed)
    (field,) = answer.fields
    return field.expose()["number"], field.version


def answer_any(home: Home, caller: Caller, sort: Sort, petition: PetitionId) -> None:
    home.app.petition_answers.answer(caller, sort, petition, Reply(REFUSED if sort is CORRECTION else NOT_UPHELD, "no"))


@pytest.mark.parametrize("sort", [DISPUTE, CORRECTION])
@pytest.mark.parametrize("named_by", ["subject", "who answers"])
def test_nobody_close_to_whom_it_is_about_answers(home: Home, sort: Sort, named_by: str) -> None:
    def declared(number: str) -> list[dict[str, str]]:
        return [{"kind": "former_partner", "employee_number": number}]

    subject, phone = enrolled(home, relations=declared("T-0009") if named_by == "subject" else [])
    enrolled(home, "T-0009", records=PHONE_ONLY, relations=declared(ABOUT) if named_by == "who answers" else [])
    petition = dispute(home, subject, home.caller("reader", Role.READER)) if sort is DISPUTE else correct(home, phone)
    role = Role.AUDITOR if sort is DISPUTE else Role.ENROLLER
    close = home.caller("the former partner", role, number="T-0009")
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        home.app.petition_answers.reveal(close, sort, petition)
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        answer_any(home, close, sort, petition)
    if sort is CORRECTION:
        with pytest.raises(AccessDenied, match="conflict_of_interest"):
            home.app.petition_answers.accept(close, petition, "yes")
    refused = [entry for entry in home.entries() if (entry.values or {}).get("rules", "").endswith("petition.own")]
    assert {(entry.kind, (entry.values or {})["subject"]) for entry in refused} == {("deny", subject)}
    answer_any(home, home.caller("somebody", role), sort, petition)


@pytest.mark.parametrize("who", ["same account", "second account", "household", "nobody"])
def test_a_dispute_is_answered_by_nobody_on_the_side_of_who_looked(home: Home, who: str) -> None:
    subject, _ = enrolled(home)
    enrolled(home, LOOKED, records=PHONE_ONLY, relations=[{"kind": "household", "employee_number": "T-0008"}])
    reader = home.caller("reader", Role.READER, Role.AUDITOR, number=LOOKED)
    petition = dispute(home, subject, reader)
    answers = {
        "same account": reader,
        "second account": home.caller("second", Role.AUDITOR, number=LOOKED),
        "household": home.caller("spouse", Role.AUDITOR, number="T-0008"),
        "nobody": home.caller("auditor", Role.AUDITOR, number="T-0006"),
    }[who]
    if who == "nobody":
        answer_any(home, answers, DISPUTE, petition)
        return
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        answer_any(home, answers, DISPUTE, petition)
    with pytest.raises(AccessDenied, match="conflict_of_interest"):
        home.app.petition_answers.reveal(answers, DISPUTE, petition)


@pytest.mark.parametrize("number", [None, "T-0005"])
def test_who_looked_needs_no_enrollment_to_be_kept_from_the_dispute(home: Home, number: str | None) -> None:
    subject, _ = enrolled(home)
    reader = home.caller("reader", Role.READER, Role.AUDITOR, number=number)
    petition = dispute(home, subject, reader)
    for auditor in (reader, *([home.caller("second", Role.AUDITOR, number=number)] if number else [])):
        with pytest.raises(AccessDenied, match="conflict_of_interest"):
            answer_any(home, auditor, DISPUTE, petition)


def test_an_account_that_was_given_somebodys_number_does_not_read_what_they_wrote(home: Home) -> None:
    subject, phone = enrolled(home)
    disputed, corrected = dispute(home, subject, home.caller("reader", Role.READER)), correct(home, phone, NEW)
    other = home.caller("given by an administrator", Role.SUBJECT, number=ABOUT)
    home.app.contacts.put(own(home), Contact("email", "safe@mail.example"))
    with pytest.raises(NotFound):
        home.app.contacts.reveal(other)
    assert home.app.contacts.reveal(own(home))[0].value == "safe@mail.example"
    for sort, petition in ((DISPUTE, disputed), (CORRECTION, corrected)):
        assert home.app.petitions.own(other, sort) == []
        with pytest.raises(NotFound):
            home.app.petitions.reveal(other, sort, petition)


def test_answers_at_once_are_one_answer(home: Home) -> None:
    subject, _ = enrolled(home)
    petition = dispute(home, subject, home.caller("reader", Role.READER))
    auditors = [home.caller(f"auditor {number}", Role.AUDITOR) for number in range(4)]
    replies = [Reply(UPHELD if number % 2 else NOT_UPHELD, f"note {number}") for number in range(4)]
    answer = home.app.petition_answers.answer
    given = at_once(
        [partial(answer, auditor, DISPUTE, petition, reply) for auditor, reply in zip(auditors, replies, strict=True)]
    )
    assert sorted(str(one) for one in given if isinstance(one, Conflict)) == ["answered"] * 3, given
    (state,) = [one.state for one in home.app.petitions.own(own(home), DISPUTE)]
    (won,) = [reply for reply, one in zip(replies, given, strict=True) if not isinstance(one, Exception)]
    told = home.app.petitions.reveal(own(home), DISPUTE, petition)
    assert (state, told.note) == (won.finding, won.note)
    verify_ledger(home.app, 1)


def test_accepted_and_refused_at_once_leave_value_and_answer_alike(home: Home) -> None:
    _, phone = enrolled(home)
    before, _ = shown(home)
    for turn in range(4):
        wanted = NEW if turn % 2 == 0 else NEWER
        petition = correct(home, phone, wanted)
        clerks = [home.caller(f"clerk {number}", Role.ENROLLER) for number in range(4)]
        accepting = [partial(home.app.petition_answers.accept, clerk, petition, "yes") for clerk in clerks[:2]]
        given = at_once([*accepting, *(partial(answer_any, home, clerk, CORRECTION, petition) for clerk in clerks[2:])])
        failed = [one for one in given if isinstance(one, Exception)]
        assert {str(one) for one in failed} <= {"answered", "changed"}, given
        assert len(failed) == 3
        state = next(one.state for one in home.app.petitions.own(own(home), CORRECTION) if one.id == petition)
        now, _ = shown(home)
        assert now == (wanted["number"] if state == "accepted" else before)
        before = now
    updates = [(entry.values or {})["result"] for entry in home.entries() if entry.kind == Kind.UPDATE]
    assert updates.count("updated") == shown(home)[1] - 1
    verify_ledger(home.app, 1)


def test_an_old_proposal_does_not_overwrite_what_came_after(home: Home) -> None:
    subject, phone = enrolled(home)
    petition = correct(home, phone, NEW)
    changes = read_changes({"versions": [{"record": phone, "value": NEWER}]}, today=TODAY)
    home.app.update.update(home.caller("hr", Role.ENROLLER), UpdateAsk(subject, changes, None, TODAY))
    clerk = home.caller("clerk", Role.ENROLLER)
    with pytest.raises(Conflict, match="changed"):
        home.app.petition_answers.accept(clerk, petition, "yes")
    assert shown(home) == (NEWER["number"], 2)
    assert [one.state for one in home.app.petitions.own(own(home), CORRECTION)] == ["open"]
    answer_any(home, clerk, CORRECTION, petition)


def test_each_change_of_a_value_and_each_answer_is_an_entry(home: Home) -> None:
    _, phone = enrolled(home)
    petition = correct(home, phone, NEW)
    before = len(home.entries())
    receipt = home.app.petition_answers.accept(home.caller("clerk", Role.ENROLLER), petition, "yes")
    made = [(entry.kind, (entry.values or {})["result"]) for entry in home.entries()[before:]]
    assert made[-4:] == [("audit-read", "read"), ("open", "opened"), ("update", "updated"), ("correct", "accepted")]
    update, answered = home.entries()[-2:]
    assert (update.values or {})["detail"].startswith("via correction")
    assert any(line.record == phone and line.version == 2 for line in update.records)
    assert answered.index == receipt.index


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE petitions SET state = 'accepted'",
        "UPDATE petitions SET sealed_value = NULL",
        "UPDATE petitions SET principal = (SELECT id FROM principals WHERE sub = 'other')",
        "UPDATE petitions SET kind = 'dispute'",
    ],
)
def test_who_holds_the_database_changes_no_petition(home: Home, statement: str) -> None:
    _, phone = enrolled(home)
    home.caller("other", Role.SUBJECT)
    correct(home, phone, NEW)
    home.sql().execute(statement)
    sort = DISPUTE if "'dispute'" in statement else CORRECTION
    with pytest.raises(LedgerCorrupt):
        home.app.petition_answers.listing(home.caller("both", Role.ENROLLER, Role.AUDITOR), sort)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_contact_of_somebody_else_is_not_put_in_anothers_place(
    home: Home, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (ABOUT, "T-0002"):
        enrolled(home, number)
        home.app.contacts.put(own(home, number), Contact("email", f"{number}@mail.example"))
    columns = "id, key_id, wrapped_key, about, sealed, guard"
    mine, theirs = home.sql().execute("SELECT label FROM contacts").fetchall()
    where = "label = ?"
    taken = home.sql().execute(f"SELECT {columns} FROM contacts WHERE {where}", tuple(theirs)).fetchone()
    pairs = ", ".join(f"{name} = ?" for name in columns.split(", "))
    home.sql().execute(f"UPDATE contacts SET {pairs} WHERE {where}", (*taken, *tuple(mine)))
    if not guarded:
        monkeypatch.setattr("registry.storage.guards.RowGuard.demand", lambda *_: None)
    outcomes = []
    for number in (ABOUT, "T-0002"):
        try:
            contact, _ = home.app.contacts.reveal(own(home, number))
            outcomes.append(contact.value == f"{number}@mail.example")
        except (LedgerCorrupt, EnvelopeRejected, NotFound) as failed:
            outcomes.append(type(failed).__name__)
    assert False not in outcomes
    assert outcomes.count(True) == 1


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("DELETE FROM petitions WHERE kind = 'dispute'", "missing"),
        ("DELETE FROM petitions WHERE kind = 'correction'", "missing"),
        ("DELETE FROM contacts", "missing"),
        ("earlier petitions", "does not stand as its answer left it"),
        ("earlier contacts", "not as it was set"),
        ("entries forgotten", "no entry speaks of"),
    ],
)
def test_what_subjects_asked_for_is_not_changed_unseen(home: Home, edit: str, what: str) -> None:
    """A row that its guard accepts may still be an older one, or one that no entry put there."""
    subject, phone = enrolled(home)
    petition = dispute(home, subject, home.caller("reader", Role.READER))
    correct(home, phone, NEW)
    home.app.contacts.put(own(home), Contact("email", "first@mail.example"))
    sql, table = home.sql(), edit.rpartition(" ")[2]
    before = sql.execute(f"SELECT * FROM {table}").fetchall() if edit.startswith("earlier") else []
    home.app.row_check.check()
    answer_any(home, home.caller("auditor", Role.AUDITOR), DISPUTE, petition)
    home.app.contacts.put(own(home), Contact("email", "second@mail.example"))
    home.app.row_check.check()
    if before:
        sql.execute(f"DELETE FROM {table}")
        sql.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(before[0]))})", before)
    elif edit == "entries forgotten":
        with home.app.database.write() as work:
            row = work.petitions.get(petition)
            assert row is not None
            alien = replace(row.petition, id=PetitionId(new_id()))
            work.petitions.insert(replace(row, petition=alien))
            work.commit()
    else:
        sql.execute(edit)
    with pytest.raises(LedgerCorrupt, match=what):
        home.app.row_check.check()


def test_what_was_written_is_not_exchanged_by_who_holds_the_guard(home: Home) -> None:
    """Whoever holds the registry's keys may seal another text; the entry names the bytes that were filed."""
    subject, _ = enrolled(home)
    petition = dispute(home, subject, home.caller("reader", Role.READER))
    vault = home.app.petition_answers._files.vault
    with home.app.database.write() as work:
        row = work.petitions.get(petition)
        assert row is not None
        work.petitions.answer(replace(row, petition=vault.add(row.petition, NOTE, "never mind")))
        work.commit()
    with pytest.raises(LedgerCorrupt, match="does not hold what was written"):
        home.app.row_check.check()
