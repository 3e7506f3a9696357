"""What becomes of a trace: notes, replies and states, sealed, each an entry; the report prints the replies."""

from __future__ import annotations

import pytest

from registry.audit.kinds import Kind
from registry.crypto.envelope import ciphertext_digest
from registry.domain.case_states import CaseState
from registry.domain.errors import AccessDenied, Conflict, EnvelopeRejected, LedgerCorrupt, NotFound, ReceiptRefused
from registry.domain.ids import TraceId
from registry.domain.principals import Role
from registry.services import case_parts
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from registry.vault.cases import TEXT
from tests.functional.services.homes import Home

SAID = "The card was for the call of 2 March."


@pytest.fixture
def who(home: Home) -> Caller:
    return home.caller("investigator", Role.INVESTIGATOR)


@pytest.fixture
def trace(home: Home, who: Caller) -> TraceId:
    return home.app.trace.trace(who, TraceAsk("nobody is in here")).trace


def state(home: Home, who: Caller) -> CaseState:
    (row,) = home.app.trace.listing(who)
    return row.state


def test_a_case_goes_from_open_to_closed_and_back(home: Home, who: Caller, trace: TraceId) -> None:
    file = home.app.trace.file
    assert state(home, who) is CaseState.OPEN
    file.note(who, trace, "asked the forum for its log")
    assert state(home, who) is CaseState.OPEN
    assert file.reply(who, trace, "Account 1", SAID).state is CaseState.ANSWERED
    assert file.set_state(who, trace, CaseState.CLOSED, "nothing follows").state is CaseState.CLOSED
    with pytest.raises(Conflict, match="closed"):
        file.note(who, trace, "one more")
    with pytest.raises(Conflict, match="closed"):
        file.set_state(who, trace, CaseState.ANSWERED, "from closed")
    with pytest.raises(Conflict, match="exists"):
        file.set_state(who, trace, CaseState.CLOSED, "twice")
    assert file.reply(who, trace, "Account 1", "Late, but heard.").state is CaseState.CLOSED
    assert file.set_state(who, trace, CaseState.OPEN, "a new page was seen").state is CaseState.OPEN
    assert file.note(who, trace, "goes on").state is CaseState.OPEN
    assert state(home, who) is CaseState.OPEN


def test_everything_added_is_sealed_and_an_entry_commits_to_it(home: Home, who: Caller, trace: TraceId) -> None:
    added = home.app.trace.file.note(who, trace, "a marker-7421 in a note")
    with home.app.kernel.database.read() as work:
        (row,) = work.traces.parts_of([trace])
    assert b"marker-7421" not in row.sealed
    said = home.entries()[added.receipt.index]
    assert said.kind == Kind.TRACE
    assert said.values["request"] == trace
    assert said.values["detail"] == f"sealed {ciphertext_digest(row.sealed).hex()}"
    told = home.app.trace.reveal(who, trace)
    assert [(one.part, one.text) for one in told.parts] == [(3, "a marker-7421 in a note")]
    assert home.entries()[-1].kind == Kind.AUDIT_READ


def test_a_reply_is_printed_in_the_report_and_a_note_is_not(home: Home, who: Caller, trace: TraceId) -> None:
    home.app.trace.file.note(who, trace, "between us")
    home.app.trace.file.reply(who, trace, "Account 1", SAID)
    report = home.app.trace.get(who, trace).report
    assert [(one.account, one.text) for one in report.replies] == [("Account 1", SAID)]


def test_nobody_adds_to_what_is_not_theirs(home: Home, who: Caller, trace: TraceId) -> None:
    file = home.app.trace.file
    other, reader = home.caller("other investigator", Role.INVESTIGATOR), home.caller("the reader", Role.READER)
    for caller, identifier in ((other, trace), (who, TraceId("0" * 32))):
        with pytest.raises(NotFound):
            file.note(caller, identifier, "mine")
        assert home.entries()[-1].values["result"] == "refused not_found"
    with pytest.raises(AccessDenied):
        file.set_state(reader, trace, CaseState.CLOSED, "away with it")
    assert home.entries()[-1].kind == Kind.DENY
    assert home.app.trace.reveal(who, trace).parts == ()


def test_a_part_in_another_place_does_not_open(home: Home, who: Caller, trace: TraceId) -> None:
    for note in ("first", "second"):
        home.app.trace.file.note(who, trace, note)
    home.sql().execute(
        "UPDATE case_parts SET sealed = (SELECT other.sealed FROM case_parts AS other WHERE other.part = 4) "
        "WHERE part = 3"
    )
    with pytest.raises(EnvelopeRejected):
        home.app.trace.reveal(who, trace)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE case_parts SET kind = 'note' WHERE part = 4",
        "UPDATE case_parts SET kind = 'closed' WHERE part = 3",
        "UPDATE case_parts SET created_at = created_at - 1 WHERE part = 4",
        "DELETE FROM case_parts WHERE part = 3",
    ],
)
def test_who_holds_the_database_hides_no_reply(home: Home, who: Caller, trace: TraceId, statement: str) -> None:
    home.app.trace.file.note(who, trace, "asked the forum for its log")
    home.app.trace.file.reply(who, trace, "Account 1", SAID)
    home.sql().execute(statement)
    with pytest.raises(EnvelopeRejected):
        home.app.trace.get(who, trace)
    with pytest.raises(EnvelopeRejected):
        home.app.trace.reveal(who, trace)


def test_a_part_opens_under_the_receipt_that_names_it_alone(home: Home, who: Caller, trace: TraceId) -> None:
    _, _, before = home.app.trace.entry(who, trace, "reveal text", (TEXT,))
    home.app.trace.file.note(who, trace, "after that reading")
    with home.app.kernel.database.read() as work:
        row, parts = work.traces.get(trace), work.traces.parts_of([trace])
    assert row is not None
    with pytest.raises(ReceiptRefused):
        home.app.trace.file.opened(row.case, parts, before)


def test_a_case_has_a_most(home: Home, who: Caller, trace: TraceId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_parts, "MOST_PARTS", 2)
    for _ in range(2):
        home.app.trace.file.note(who, trace, "one more")
    with pytest.raises(Conflict, match="too_many"):
        home.app.trace.file.reply(who, trace, "Account 1", SAID)


def corrupted(home: Home) -> str:
    with pytest.raises(LedgerCorrupt) as found:
        home.app.row_check.check()
    return str(found.value)


@pytest.mark.parametrize("part", [3, 4, 5])
def test_a_part_that_is_dropped_is_found_the_last_one_too(home: Home, who: Caller, trace: TraceId, part: int) -> None:
    home.app.trace.file.note(who, trace, "asked the forum for its log")
    home.app.trace.file.reply(who, trace, "Account 1", SAID)
    home.app.trace.file.set_state(who, trace, CaseState.CLOSED, "nothing follows")
    home.app.row_check.check()
    home.sql().execute(f"DELETE FROM case_parts WHERE part = {part}")
    assert "the part of a case that it speaks of is missing" in corrupted(home)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE case_parts SET kind = 'note' WHERE part = 4", "not as it was added"),
        ("UPDATE case_parts SET created_at = created_at - 86400001 WHERE part = 4", "not as it was added"),
        ("UPDATE case_parts SET entry = entry - 1 WHERE part = 4", "not as it was added"),
        ("UPDATE case_parts SET sealed = x'01' WHERE part = 4", "not as it was added"),
        (
            "INSERT INTO case_parts SELECT trace, 5, kind, created_at, sealed, entry FROM case_parts WHERE part = 4",
            "that no entry speaks of",
        ),
        (
            "INSERT INTO case_parts SELECT trace, 5, kind, created_at, sealed, NULL FROM case_parts WHERE part = 4",
            "that no entry speaks of",
        ),
    ],
)
def test_a_part_that_is_changed_or_slipped_in_is_found(
    home: Home, who: Caller, trace: TraceId, statement: str, words: str
) -> None:
    home.app.trace.file.note(who, trace, "asked the forum for its log")
    home.app.trace.file.reply(who, trace, "Account 1", SAID)
    home.sql().execute(statement)
    assert words in corrupted(home)
