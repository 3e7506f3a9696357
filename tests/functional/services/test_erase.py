"""Erasing: whoever is taken out is unknown afterwards, the others are not touched, and the ledger verifies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, Verdict
from registry.domain.break_glass import Finding
from registry.domain.categories import Category
from registry.domain.enrollment import SubjectChanges
from registry.domain.errors import (
    AccessDenied,
    ApprovalNeeded,
    AuditUnavailable,
    Conflict,
    InvalidInput,
    LedgerCorrupt,
    NotFound,
)
from registry.domain.holds import HoldState, Statement
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services.approvals import Word
from registry.services.break_glass import Emergency, Judgement
from registry.services.contact import Contact
from registry.services.disclose import Disclosed
from registry.services.enroll import Enrolled
from registry.services.entry_reading import ReadEntry
from registry.services.erase import Erased
from registry.services.erase_scope import ErasureAsk
from registry.services.evidence_items import ItemAsk
from registry.services.holds import HoldAsk, HoldView, HoldWord
from registry.services.kernel import Caller
from registry.services.petitions import Correction
from registry.services.provision import Provided, ProvidedNames
from registry.services.trace import TraceAsk
from registry.services.update import UpdateAsk
from registry.storage.roles import APPLICATION, ERASURE
from registry.text.intake import read_changes, read_enrollment
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import TODAY, Home, open_copy, person

REASON, BASIS = "Left the service seven years ago", "Records schedule 4, item 12"
ERASER = "registry_eraser"
LEAK = "Dana Brightwater, 1207 Larkspur Ave Apt 3, Fairhollow, 741-12-3456, 816-555-0142"
CHILDS = "Mika Brightwater goes to Larch Hill Elementary School"


@pytest.fixture
def postgres_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    """Served by an account that may erase: a member of both roles."""
    template, made = postgres_template
    postgres.create_login(ERASER, f"{APPLICATION}, {ERASURE}")
    name = postgres.create_database(made)
    opened = open_copy(template, tmp_path / "home", postgres.url(name, ERASER))
    yield opened
    opened.close()
    postgres.drop_database(name)


def hr(home: Home) -> Caller:
    return home.caller("hr", Role.ENROLLER)


def inspector(home: Home) -> Caller:
    return home.caller("inspector", Role.INVESTIGATOR)


def erase(home: Home, subject: SubjectId, member: str | None = None) -> Erased:
    return home.app.erase.erase(hr(home), ErasureAsk(subject, member, REASON, BASIS))


def search(home: Home, number: str) -> list[SubjectId]:
    found = home.app.search.search(hr(home), home.app.search.by_number(number))
    return [hit.subject for hit in found.hits]


def found_in(home: Home, text: str) -> set[str]:
    traced = home.app.trace.trace(inspector(home), TraceAsk(text))
    return {item.found.kind for one in traced.stored.report.people for item in one.findings}


def update(home: Home, enrolled: Enrolled, **changes: Any) -> Enrolled:
    asked: SubjectChanges = read_changes(changes, today=TODAY)
    return home.app.update.update(hr(home), UpdateAsk(enrolled.subject, asked, None, TODAY))


def last(home: Home, kind: Kind) -> ReadEntry:
    return [entry for entry in home.entries() if entry.kind == kind][-1]


def counts(home: Home, *tables: str) -> dict[str, int]:
    connection = home.sql()
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


PEOPLE = ("subjects", "persons", "records", "record_versions", "marks", "former_directories", "postings", "traces")


def test_who_is_erased_is_unknown_and_may_be_enrolled_anew(home: Home) -> None:
    kept = home.enroll(person("T-0002", given_name="Kim"), key="hers")
    before = counts(home, *PEOPLE, "petitions", "contacts", "idempotency")
    gone = home.enroll(key="theirs")
    reader = home.caller("reader", Role.READER)
    assert isinstance(home.disclose(reader, home.ask(gone.subject, Category.PHONE)), Disclosed)
    assert found_in(home, LEAK)
    update(home, gone, family_name="Stillwater", title="Chief")
    done = erase(home, gone.subject)
    assert done.kept["unfound"] == 0
    assert (done.counts["persons"], done.counts["records"], done.counts["traces"]) == (3, 11, 1)
    assert counts(home, *PEOPLE, "petitions", "contacts", "idempotency") == before
    assert search(home, "T-0001") == []
    assert search(home, "T-0002") == [kept.subject]
    with pytest.raises(NotFound):
        erase(home, gone.subject)
    assert verify_ledger(home.app, 1).subjects == 1
    assert found_in(home, "741-12-3456") == {"ssn"}  # the other one has it too
    again = home.enroll()
    assert again.subject != gone.subject
    assert isinstance(home.disclose(reader, home.ask(again.subject, Category.PHONE)), Disclosed)
    verify_ledger(home.app, 1)


def test_what_they_share_with_others_stays_theirs(home: Home) -> None:
    """In lists of common terms the erased postings are in the middle: those behind them are found all the same."""
    people = [home.enroll(person(f"T-{number:04}")).subject for number in range(1, 6)]
    done = erase(home, people[2])
    assert done.kept["tombstones"] > 0
    found = home.app.search.search(hr(home), home.app.search.by_name("Dana", "Brightwater", ""))
    assert {hit.subject for hit in found.hits} == set(people) - {people[2]}
    erase(home, people[4])
    erase(home, people[3])
    with home.app.database.read() as work:
        work.index_state.demand_whole()
    assert {search(home, f"T-{number:04}")[0] for number in (1, 2)} == set(people[:2])
    verify_ledger(home.app, 1)
    for number in (1, 2):
        erase(home, people[number - 1])
    assert counts(home, "postings") == {"postings": 0}
    verify_ledger(home.app, 1)


def test_earlier_names_and_values_go_too(home: Home) -> None:
    gone = home.enroll()
    phone = next(line.record for line in gone.records if line.category is Category.PHONE)
    update(home, gone, family_name="Stillwater", department="Police")
    update(home, gone, versions=[{"record": phone, "value": {"kind": "mobile", "number": "816-555-0177"}}])
    update(home, gone, given_name="Daphne", ends=[{"record": phone}])
    assert counts(home, "former_directories") == {"former_directories": 2}
    assert erase(home, gone.subject).kept["unfound"] == 0
    assert set(counts(home, *PEOPLE).values()) == {0}
    verify_ledger(home.app, 1)


def test_a_posting_that_was_not_found_is_counted(home: Home) -> None:
    """Names that were replaced before they were kept: what is left is said, not hidden."""
    gone = home.enroll()
    update(home, gone, family_name="Stillwater")
    home.sql().execute("DELETE FROM former_directories")
    done = erase(home, gone.subject)
    assert done.kept["unfound"] == 0  # nothing tells of that version any more
    assert counts(home, "postings")["postings"] == 5


def test_one_member_alone(home: Home) -> None:
    gone = home.enroll()
    subject = home.caller("dana", Role.SUBJECT, number="T-0001")
    childs = next(line.record for line in gone.records if line.category is Category.SCHOOL)
    home.app.petitions.correct(subject, Correction(childs, "It is another school now"))
    assert found_in(home, CHILDS)
    assert found_in(home, "816-555-0142")
    with pytest.raises(InvalidInput, match="unknown_member"):
        erase(home, gone.subject, "c9")
    done = erase(home, gone.subject, "c1")
    assert {name: done.counts[name] for name in ("persons", "records", "traces", "petitions", "openings")} == {
        "persons": 1,
        "records": 2,
        "traces": 1,
        "petitions": 1,
        "openings": 0,
    }
    assert done.kept["unfound"] == 0
    verify_ledger(home.app, 1)
    assert found_in(home, CHILDS) == set()
    assert found_in(home, "816-555-0142") == {"phone:mobile"}
    _, records, _ = home.app.audit.own_records(subject)
    assert Category.SCHOOL not in {one.category for one in records}
    update(home, gone, add_family=[{"ref": "c1", "relation": "child", "given_name": "Mika"}])
    verify_ledger(home.app, 1)
    assert erase(home, gone.subject).kept["unfound"] == 0
    assert set(counts(home, *PEOPLE).values()) <= {0, 1}  # the text about the phone went with them
    verify_ledger(home.app, 1)


def test_everything_that_is_about_them_goes(home: Home) -> None:
    gone = home.enroll(key="once")
    subject = home.caller("dana", Role.SUBJECT, number="T-0001")
    filed = home.app.petitions.correct(subject, Correction(gone.records[0].record, "Not right at all"), key="once")
    home.app.contacts.put(subject, Contact("email", "dana@example.org"))
    assert counts(home, "petitions", "contacts", "idempotency") == {"petitions": 1, "contacts": 1, "idempotency": 2}
    done = erase(home, gone.subject)
    assert counts(home, "petitions", "contacts", "idempotency") == {"petitions": 0, "contacts": 0, "idempotency": 0}
    assert (done.counts["petitions"], done.counts["contacts"], done.counts["outcomes"]) == (1, 1, 2)
    assert filed.petition not in str([entry.values for entry in home.entries()])
    verify_ledger(home.app, 1)


def test_the_entry_says_who_why_and_how_much(home: Home) -> None:
    gone = home.enroll()
    leaves = len(home.entries())
    done = erase(home, gone.subject)
    said = last(home, Kind.ERASE).values or {}
    assert (said["note"], said["case"], said["request"]) == (REASON, BASIS, f"subject {gone.subject}")
    assert "hr" in said["principal"]
    removed = [entry.index for entry in home.entries() if entry.values is None]
    assert len(removed) == done.counts["openings"] > 0
    assert len(home.entries()) == leaves + 2  # every leaf stays
    assert "openings " in said["detail"]
    told = str([entry.values for entry in home.entries()])
    for value in ("Dana", "Brightwater", "741-12-3456", "Larkspur", *(line.record for line in gone.records)):
        assert value not in told


def test_an_opening_that_is_removed_otherwise_is_found(home: Home) -> None:
    kept = home.enroll(person("T-0002"))
    gone = home.enroll()
    home.disclose(home.caller("reader", Role.READER), home.ask(kept.subject, Category.PHONE))
    hidden = last(home, Kind.DISCLOSE).index
    erase(home, gone.subject)
    verify_ledger(home.app, 1)
    home.sql().execute("UPDATE ledger_body SET sealed = NULL, erased_at = 1 WHERE i = ?", (hidden,))
    with pytest.raises(LedgerCorrupt, match="no entry says so") as found:
        verify_ledger(home.app, 1)
    assert found.value.entry == hidden


def test_an_opening_that_is_put_back_is_found(home: Home) -> None:
    gone = home.enroll()
    row = home.rows()[-1]
    erase(home, gone.subject)
    home.sql().execute("UPDATE ledger_body SET sealed = ?, erased_at = NULL WHERE i = ?", (row.sealed, row.index))
    with pytest.raises(LedgerCorrupt, match="its opening is there") as found:
        verify_ledger(home.app, 1)
    assert found.value.entry == row.index


@pytest.mark.parametrize("table", ["subjects", "persons"])
def test_somebody_who_is_put_back_is_found(home: Home, table: str) -> None:
    if home.app.settings.database_url.startswith("postgresql"):
        pytest.skip("rows are copied with SQLite's words")
    gone = home.enroll()
    connection = home.sql()
    for one in ("subjects", "persons"):
        connection.execute(f"CREATE TABLE kept_{one} AS SELECT * FROM {one}")
    erase(home, gone.subject)
    connection.execute("PRAGMA foreign_keys=OFF")
    for one in {"subjects", table}:
        connection.execute(f"INSERT INTO {one} SELECT * FROM kept_{one}")
    with pytest.raises(LedgerCorrupt):
        verify_ledger(home.app, 1)


def test_an_erasure_whose_row_is_gone_is_found(home: Home) -> None:
    erase(home, home.enroll().subject)
    home.sql().execute("DELETE FROM erasures")
    with pytest.raises(LedgerCorrupt, match="the erasure that it speaks of is missing"):
        verify_ledger(home.app, 1)


def controlled(home: Home) -> Home:
    home.app.close()
    settings = replace(home.app.settings, approvals={"dual_control": frozenset({Action.ERASE})})
    from registry.bootstrap import open_application

    home.app = open_application(settings, home.clock)
    return home


def test_a_second_person_approves_exactly_this_erasure(home: Home) -> None:
    home = controlled(home)
    gone, other = home.enroll(), home.enroll(person("T-0002"))
    with pytest.raises(ApprovalNeeded) as needed:
        erase(home, gone.subject)
    assert last(home, Kind.REQUEST).index == home.entries()[-1].index  # nothing was opened for it
    approver = home.caller("boss", Role.APPROVER)
    told = home.app.approvals.get(approver, needed.value.request).told
    assert (gone.subject in told, BASIS in told, REASON in told) == (True, True, True)
    home.app.approvals.decide(approver, Word(needed.value.request, Verdict.APPROVE))
    for subject, member in ((other.subject, None), (gone.subject, "c1")):
        with pytest.raises(ApprovalNeeded):
            erase(home, subject, member)
    erase(home, gone.subject)
    told_now = [(entry.kind, entry.values is None) for entry in home.entries()]
    # Who asked and who approved stays to be read.
    assert {kind for kind, is_gone in told_now if not is_gone} >= {Kind.REQUEST, Kind.APPROVE, Kind.USE, Kind.ERASE}
    home.app.approvals.listing(approver)
    verify_ledger(home.app, 1)


def test_requests_and_emergencies_about_them_are_no_obstacle_afterwards(home: Home) -> None:
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    gone = home.enroll(body)
    reader, approver = home.caller("reader", Role.READER), home.caller("boss", Role.APPROVER)
    home.disclose(reader, home.ask(gone.subject, Category.PHONE))
    emergency, _ = home.app.break_glass.open(
        reader, Emergency(gone.subject, None, frozenset({Category.PHONE}), "Threatened at home", "CASE-1")
    )
    with pytest.raises(Conflict, match="reviews_waiting"):
        erase(home, gone.subject)
    home.app.break_glass.review(approver, Judgement(emergency.id, Finding.JUSTIFIED, "As told"))
    erase(home, gone.subject)
    verify_ledger(home.app, 1)
    (request,) = home.app.approvals.listing(approver)
    assert home.app.approvals.get(approver, request.row.id).subject is None
    assert [view.row.id for view in home.app.break_glass.listing(approver)] == [emergency.id]
    with pytest.raises(NotFound):
        home.app.break_glass.get(approver, emergency.id)


def hold(home: Home, subject: SubjectId, *, is_legal: bool = False) -> HoldView:
    ask = HoldAsk(subject, None, frozenset(), 30, Statement.WRITTEN, "County prosecutor", "Subpoena 12 of the court")
    ask = replace(ask, is_legal=is_legal)
    view, _ = home.app.holds.place(inspector(home), ask)
    home.app.holds.settle(home.caller("boss", Role.APPROVER), HoldWord(view.row.id, HoldState.CONFIRMED))
    return view


@pytest.mark.parametrize("member", [None, "c1"])
def test_a_hold_stops_it_and_the_accounting_does_not_tell(home: Home, member: str | None) -> None:
    gone = home.enroll()
    view = hold(home, gone.subject)
    with pytest.raises(Conflict, match="legal_hold"):
        erase(home, gone.subject, member)
    assert (last(home, Kind.ERASE).values or {})["result"] == "refused legal_hold"
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert Kind.ERASE not in {entry.kind for entry in mine.entries}
    home.app.holds.settle(inspector(home), HoldWord(view.row.id, HoldState.ENDED))
    erase(home, gone.subject, member)
    verify_ledger(home.app, 1)


def test_a_hold_on_somebody_in_the_same_text_stops_it(home: Home) -> None:
    gone = home.enroll()
    other = home.enroll(person("T-0002", given_name="Kim", family_name="Vandermeer"))
    assert found_in(home, LEAK)
    hold(home, other.subject)
    with pytest.raises(Conflict, match="legal_hold"):
        erase(home, gone.subject)


def test_nobody_erases_themselves_nor_somebody_close(home: Home) -> None:
    gone = home.enroll()
    ask = ErasureAsk(gone.subject, None, REASON, BASIS)
    with pytest.raises(AccessDenied):
        home.app.erase.erase(home.caller("dana", Role.ENROLLER, number="T-0001"), ask)
    with pytest.raises(AccessDenied):
        home.app.erase.erase(home.caller("reader", Role.READER), ask)


def test_an_account_that_serves_alone_may_not_erase(postgres_template: Any, postgres: Any, tmp_path: Path) -> None:
    from tests.functional.services.conftest import SERVER

    template, made = postgres_template
    name = postgres.create_database(made)
    home = open_copy(template, tmp_path / "home", postgres.url(name, SERVER))
    gone = home.enroll()
    with pytest.raises(AuditUnavailable, match="not_granted"):
        erase(home, gone.subject)
    assert search(home, "T-0001") == [gone.subject]
    verify_ledger(home.app, 1)
    home.close()
    postgres.drop_database(name)


def test_a_trace_that_is_under_way_meanwhile_keeps_nothing_of_them(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = home.enroll()
    fix = home.app.trace._fix

    def erased_first(*arguments: Any) -> Any:
        erase(home, gone.subject)
        return fix(*arguments)

    monkeypatch.setattr(home.app.trace, "_fix", erased_first)
    with pytest.raises(AuditUnavailable, match="contended"):
        found_in(home, LEAK)
    assert counts(home, "traces") == {"traces": 0}
    verify_ledger(home.app, 1)


def test_a_legal_hold_stops_it_and_keeps_nothing_from_the_subject(home: Home) -> None:
    gone = home.enroll()
    home.disclose(home.caller("reader", Role.READER), home.ask(gone.subject, Category.PHONE))
    view = hold(home, gone.subject, is_legal=True)
    assert home.app.holds.get(home.caller("boss", Role.APPROVER), view.row.id).held.is_legal
    with pytest.raises(Conflict, match="legal_hold"):
        erase(home, gone.subject)
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert Kind.DISCLOSE in {entry.kind for entry in mine.entries}
    home.clock.step(31 * 86_400)
    erase(home, gone.subject)
    verify_ledger(home.app, 1)


def test_what_an_hr_system_called_them_goes_too(home: Home) -> None:
    enrollment = read_enrollment(person(), today=TODAY)
    made = home.app.provision.create(hr(home), Provided(ProvidedNames("dana.b", "A-17"), enrollment, True, TODAY))
    done = erase(home, made.row.subject)
    assert (done.counts["provisions"], counts(home, "provisions")) == (1, {"provisions": 0})
    verify_ledger(home.app, 1)
    home.app.provision.create(hr(home), Provided(ProvidedNames("dana.b", "A-17"), enrollment, True, TODAY))
    verify_ledger(home.app, 1)


def test_a_decoy_that_is_erased_raises_an_alarm_and_anybody_else_does_not(home: Home) -> None:
    plain = home.enroll(person("T-0002", given_name="Kim"))
    decoy = home.enroll()
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
    (label,) = last(home, Kind.DECOY).values["request"].split()
    erase(home, plain.subject)
    assert not [entry for entry in home.entries() if entry.kind == Kind.ALARM]
    gone = erase(home, decoy.subject)
    # The receipt's tree ends at its own entry, as everybody's does: a longer one would tell of the alarm.
    assert gone.receipt.size == gone.receipt.index + 1
    (alarm,) = [entry for entry in home.entries() if entry.kind == Kind.ALARM]
    assert alarm.values["result"] == "decoy erased"
    assert alarm.values["request"] == f"decoy {label}"
    assert alarm.values["principal"] == last(home, Kind.ERASE).values["principal"]
    # It is about nobody's chain, and whoever erased is not stopped: a refusal would tell what it was.
    assert not alarm.values["subject"]
    home.enroll(person("T-0003", given_name="Ann"))
    home.app.row_check.check()


def test_what_was_added_to_a_case_goes_with_it(home: Home) -> None:
    gone = home.enroll()
    home.enroll(person("T-0002", given_name="Kim"))
    theirs = home.app.trace.trace(inspector(home), TraceAsk(LEAK)).trace
    other = home.app.trace.trace(inspector(home), TraceAsk("nobody")).trace
    for trace in (theirs, other):
        home.app.trace.file.note(inspector(home), trace, "asked the forum for its log")
    home.app.later_items.add(inspector(home), theirs, ItemAsk(LEAK))
    erase(home, gone.subject)
    assert counts(home, "case_parts", "traces") == {"case_parts": 1, "traces": 1}
    home.app.row_check.check()
