"""Places that stay in a released copy: only with another person's word, only these, only there, only then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.documents.formats import open_document
from registry.domain.approvals import State, Verdict
from registry.domain.errors import AccessDenied, ApprovalNeeded, InvalidInput, NotFound
from registry.domain.ids import RequestId
from registry.domain.principals import Role
from registry.domain.purposes import ReleasePurpose
from registry.services.approvals import Word
from registry.services.kernel import Caller
from registry.services.redaction import NOT_REMOVED, redact
from registry.services.release_check import ReleaseAsk, ReleaseChecked
from registry.services.uploads import Upload
from registry.services.waivers import Waive
from tests.functional.services.homes import Home, person
from tests.functional.services.test_brakes import limited
from tests.functional.services.test_release_check import DOCUMENTS, OTHER, PHONE, SAID, SSN, officer
from tests.unit.documents.making import holds, line, pdf, xlsx

REASON = "The office line, published by the person"
HOURS = 3_600


def ask(content: bytes, waive: Waive | None = None, name: str = "a.txt", case: str = "RR-1") -> ReleaseAsk:
    return ReleaseAsk(Upload(content, name), ReleasePurpose.RECORDS_REQUEST, case, waive=waive)


def check(home: Home, caller: Caller, asked: ReleaseAsk) -> ReleaseChecked:
    return home.app.release_check.check(caller, asked)


def waived(home: Home, content: bytes, *kinds: str, name: str = "a.txt") -> Waive:
    """Ask for every place of these kinds."""
    places = check(home, officer(home), ask(content, name=name)).places
    return Waive(frozenset(place.id for place in places if place.kind in kinds), REASON)


def needed(home: Home, caller: Caller, asked: ReleaseAsk) -> RequestId:
    with pytest.raises(ApprovalNeeded) as waiting:
        check(home, caller, asked)
    return waiting.value.request


def approve(home: Home, request: RequestId, caller: Caller | None = None) -> State:
    view, _ = home.app.approvals.decide(caller or home.caller("ada", Role.APPROVER), Word(request, Verdict.APPROVE, ""))
    return view.state


@pytest.mark.parametrize("name", DOCUMENTS)
def test_just_what_another_person_agreed_to_stays(sqlite_home: Home, name: str) -> None:
    sqlite_home.enroll()
    content = DOCUMENTS[name]
    places = check(sqlite_home, officer(sqlite_home), ask(content, name=name)).places
    one = next(place for place in places if place.kind == "phone:mobile")
    asked = ask(content, Waive(frozenset({one.id}), REASON), name)
    approve(sqlite_home, needed(sqlite_home, officer(sqlite_home), asked))
    checked = check(sqlite_home, officer(sqlite_home), asked)
    assert [place.id for place in checked.places if place.is_waived] == [one.id]
    assert not checked.is_clean
    assert checked.copy is not None
    assert checked.copy.problem == ""
    copy = open_document(checked.copy.content, checked.form).text
    assert copy.count(PHONE) == 1
    assert OTHER in copy
    assert not any(holds(checked.copy.content, value) for value in ("1207 Larkspur", SSN))
    entry = sqlite_home.entries()[checked.receipt.index]
    assert (entry.values or {})["result"].endswith("waived 1")
    assert sqlite_home.entries()[checked.receipt.index - 1].kind == "use"


def test_no_setting_lets_one_person_do_it(home: Home) -> None:
    home.enroll()
    assert not home.app.kernel.rules.dual_control
    asked = ask(SAID.encode(), waived(home, SAID.encode(), "phone:mobile"))
    request = needed(home, officer(home), asked)
    assert home.entries()[-1].kind == "request"
    assert needed(home, officer(home), asked) == request  # the same one waits
    both = home.caller("officer", Role.RECORDS_OFFICER, Role.APPROVER)
    with pytest.raises(AccessDenied):
        approve(home, request, both)
    approve(home, request)
    assert check(home, officer(home), asked).copy is not None
    assert needed(home, officer(home), asked) != request  # once
    verify_ledger(home.app, 1)


def test_who_it_is_about_does_not_approve_it_and_nobody_learns_whom(sqlite_home: Home) -> None:
    enrolled = sqlite_home.enroll()
    waive = waived(sqlite_home, SAID.encode(), "phone:mobile", "ssn")
    request = needed(sqlite_home, officer(sqlite_home), ask(SAID.encode(), waive))
    for caller in (officer(sqlite_home), sqlite_home.caller("ada", Role.APPROVER)):
        detail = sqlite_home.app.approvals.get(caller, request)
        assert detail.subject is None
        assert f"phone:mobile at line 1, column {SAID.index(PHONE) + 1}" in detail.told
        assert REASON in detail.told
        assert not any(told in detail.told for told in (PHONE, SSN, "Larkspur", "Brightwater", enrolled.subject))
    concerned = sqlite_home.caller("dana", Role.APPROVER, number="T-0001")
    with pytest.raises(NotFound):
        sqlite_home.app.approvals.get(concerned, request)
    with pytest.raises(AccessDenied):
        approve(sqlite_home, request, concerned)


@pytest.mark.parametrize("changed", ["document", "place", "reason", "case", "account"])
def test_an_approval_is_for_exactly_this(sqlite_home: Home, changed: str) -> None:
    sqlite_home.enroll()
    content = SAID.encode()
    waive = waived(sqlite_home, content, "phone:mobile")
    approve(sqlite_home, needed(sqlite_home, officer(sqlite_home), ask(content, waive)))
    caller = officer(sqlite_home, "another") if changed == "account" else officer(sqlite_home)
    asked = ask(content, waive)
    if changed == "document":
        other = content + b" Thanks."
        asked = ask(other, waived(sqlite_home, other, "phone:mobile"))
    elif changed == "place":
        asked = ask(content, waived(sqlite_home, content, "ssn"))
    elif changed == "reason":
        asked = ask(content, replace(waive, reason="For another reason"))
    elif changed == "case":
        asked = ask(content, waive, case="RR-2")
    needed(sqlite_home, caller, asked)
    assert check(sqlite_home, officer(sqlite_home), ask(content, waive)).copy is not None


def test_an_approval_ends(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    asked = ask(SAID.encode(), waived(sqlite_home, SAID.encode(), "phone:mobile"))
    request = needed(sqlite_home, officer(sqlite_home), asked)
    approve(sqlite_home, request)
    sqlite_home.clock.step(sqlite_home.app.kernel.rules.use_hours * HOURS)
    assert needed(sqlite_home, officer(sqlite_home), asked) != request


def test_a_place_of_another_document_is_refused_and_an_entry(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    waive = waived(sqlite_home, SAID.encode(), "phone:mobile")
    for content in (SAID.encode() + b" ", b"The council met."):
        with pytest.raises(InvalidInput) as refused:
            check(sqlite_home, officer(sqlite_home), ask(content, waive))
        assert [(one.pointer, one.code) for one in refused.value.problems] == [("/waive/places", "unknown_place")]
        entry = sqlite_home.entries()[-1]
        assert (entry.kind, (entry.values or {})["result"]) == ("release-check", "refused unknown_place")
    assert not any(entry.kind == "request" for entry in sqlite_home.entries())


def test_what_is_only_possible_stays_anyhow_and_is_not_asked(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    content = b"Dana Brightwater has 0142 at the end."
    places = check(sqlite_home, officer(sqlite_home), ask(content)).places
    possible = [place.id for place in places if not place.is_certain]
    for identifier in [*possible, "0" * 32]:
        with pytest.raises(InvalidInput):
            check(sqlite_home, officer(sqlite_home), ask(content, Waive(frozenset({identifier}), REASON)))


def test_a_value_of_two_people_stays_when_it_is_asked_for_both(sqlite_home: Home) -> None:
    record = {"category": "phone", "value": {"kind": "home", "number": PHONE}}
    sqlite_home.enroll()
    sqlite_home.enroll(person("T-0002", family=[], records=[record]))
    content = f"Call {PHONE}.".encode()
    places = check(sqlite_home, officer(sqlite_home), ask(content)).places
    assert len({place.id for place in places}) == 2
    for chosen, stays in ((places[:1], False), (places, True)):
        asked = ask(content, Waive(frozenset(place.id for place in chosen), REASON))
        approve(sqlite_home, needed(sqlite_home, officer(sqlite_home), asked))
        copy = check(sqlite_home, officer(sqlite_home), asked).copy
        assert copy is not None
        assert (PHONE.encode() in copy.content) is stays


def test_who_tried_values_out_is_told_nothing_of_waivers_either(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    waive = waived(sqlite_home, SAID.encode(), "phone:mobile")
    approve(sqlite_home, needed(sqlite_home, officer(sqlite_home), ask(SAID.encode(), waive)))
    for number in range(1, 4):
        check(sqlite_home, officer(sqlite_home), ask(f"Dana Brightwater, 816-555-010{number}".encode()))
    for asked in (ask(SAID.encode(), waive), ask(b"x", Waive(frozenset({"0" * 32}), REASON))):
        assert check(sqlite_home, officer(sqlite_home), asked).is_refused
    assert not any(entry.kind == "use" for entry in sqlite_home.entries())


def test_who_is_braked_by_this_very_document_asks_for_nothing(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    tried = ", ".join(f"816-555-01{number}" for number in range(50, 70))
    content = f"Dana Brightwater, SSN {SSN}, {tried}".encode()
    # At the keyboard nobody is braked: ids of places that are there.
    places = check(sqlite_home, sqlite_home.app.local_caller(), ask(content)).places
    asked = ask(content, Waive(frozenset(place.id for place in places if place.is_certain), REASON))
    assert check(sqlite_home, officer(sqlite_home), asked).is_refused
    assert not any(entry.kind == "request" for entry in sqlite_home.entries())


def test_asking_counts_as_a_check_of_the_document(sqlite_home: Home) -> None:
    with limited(sqlite_home, checks_per_day=1) as braked:
        braked.enroll()
        waive = waived(braked, SAID.encode(), "phone:mobile")
        needed(braked, officer(braked), ask(SAID.encode(), waive))  # the same document
        assert check(braked, officer(braked), ask(b"another", waive)).is_refused


def test_after_a_restart_with_dual_control_given_up_it_still_takes_two(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    settings = replace(sqlite_home.app.settings, approvals={"dual_control": frozenset()})
    sqlite_home.app.close()
    sqlite_home.app = open_application(settings, sqlite_home.clock)
    needed(sqlite_home, officer(sqlite_home), ask(SAID.encode(), waived(sqlite_home, SAID.encode(), "ssn")))


def test_one_cell_of_a_shared_string_stays(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    strings = f"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>{PHONE}</t></si></sst>"
    cells = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>0</v></c></row>"
    book = xlsx([cells], xl_0_sharedStrings__xml=strings)
    places = check(sqlite_home, officer(sqlite_home), ask(book, name="a.xlsx")).places
    asked = ask(book, Waive(frozenset({places[0].id}), REASON), "a.xlsx")
    approve(sqlite_home, needed(sqlite_home, officer(sqlite_home), asked))
    copy = check(sqlite_home, officer(sqlite_home), asked).copy
    assert copy is not None
    assert open_document(copy.content, "xlsx").text.startswith(f"{PHONE}\t[redacted]\n")


def test_where_just_that_cannot_be_done_there_is_no_copy_and_nothing_to_approve(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    content = pdf(line("The council met."), trailer=f"/Info<</Title(Call {PHONE})>>")  # in no copy of a PDF
    asked = ask(content, waived(sqlite_home, content, "phone:mobile"), "a.pdf")
    checked = check(sqlite_home, officer(sqlite_home), asked)
    assert checked.copy is not None
    assert (checked.copy.content, checked.copy.problem) == (b"", NOT_REMOVED)
    assert not any(place.is_waived for place in checked.places)
    assert not any(entry.kind == "request" for entry in sqlite_home.entries())


def test_a_copy_keeps_this_place_and_no_other() -> None:
    text = f"SSN {SSN} again {SSN}, not 9{SSN}0"
    document = open_document(text.encode(), "txt")
    first, second = (4, 15), (22, 33)
    assert redact(document, "txt", [first, second], kept=frozenset({second})).content.decode() == (
        f"SSN [redacted] again {SSN}, not 9{SSN}0"
    )
    # What is said again goes, although only the other place was found.
    assert redact(document, "txt", [first], kept=frozenset({first})).content.decode() == (
        f"SSN {SSN} again [redacted], not 9{SSN}0"
    )
    # What overlaps with something that goes does not stay.
    copy = redact(document, "txt", [first, second, (0, 10)], kept=frozenset({first})).content.decode()
    assert copy.startswith("[redacted] again [redacted]")


def test_something_that_goes_is_not_kept_by_what_stays_around_it() -> None:
    text = f"Write to Dana, {SSN}, Fairhollow. Also {SSN}."
    document = open_document(text.encode(), "txt")
    around, alone = (9, 38), (45, 56)
    assert text[slice(*alone)] == SSN
    copy = redact(document, "txt", [around, alone], kept=frozenset({around})).content.decode()
    assert SSN not in copy


def test_what_stays_somewhere_is_not_cut_out_of_what_stays_around_it() -> None:
    text = f"Write to Dana, {SSN}, Fairhollow. Also {SSN}."
    around, alone = (9, 38), (45, 56)
    document = open_document(text.encode(), "txt")
    copy = redact(document, "txt", [around, alone], kept=frozenset({around, alone}))
    assert (copy.problem, copy.content.decode()) == ("", text)


def test_a_copy_in_which_what_stays_is_gone_is_not_given() -> None:
    class Emptied:
        text = f"SSN {SSN}"
        unread = ()

        def places(self, spans: object) -> list[object]:
            raise AssertionError(spans)

        def redacted(self, _spans: object) -> bytes:
            return b"SSN [redacted]"

    span = (4, 15)
    assert redact(Emptied(), "txt", [span], kept=frozenset({span})).problem == NOT_REMOVED  # type: ignore[arg-type]  # a document that cuts too much
