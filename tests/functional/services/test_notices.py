"""Notices: put beside their entries, sent at least once, claimed by one process at a time."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from registry.domain.approvals import Action, Verdict
from registry.domain.categories import Category
from registry.domain.errors import ApprovalNeeded, StatementRefused
from registry.domain.ids import EntryIndex, EventId, PetitionId, SubjectId, new_id
from registry.domain.principals import Role
from registry.keys.ports import WrappedKey
from registry.notify.settings import NotifySettings
from registry.notify.webhooks import key_of, verify
from registry.services.approvals import Word
from registry.services.break_glass import Emergency
from registry.services.contact import Contact
from registry.services.disclose import Disclosed, Waiting
from registry.services.former_mailbox import ToFormerMailbox
from registry.services.notices import Notice, NoticeKind, ToRole, queue, row_of
from registry.services.petition_answers import Reply
from registry.services.petitions import DISPUTE, Correction
from registry.services.ports_notices import DEAD, WAITING
from registry.services.principals import Grant
from registry.services.send_notices import GIVE_UP_MS, KEEP_DEAD_MS, LEASE_MS, SentCount, letter_of
from registry.services.trace import TraceAsk
from registry.vault.petitions import TEXT, SealedPetition
from tests.functional.services.homes import ISSUER, Home, person
from tests.functional.services.receivers import SECRET, VALUES, Receiver, hook, look_up, notifying, receiving

VALUES_OF_ONE = [{"category": "phone", "value": {"kind": "mobile", "number": "816-555-0190"}}]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as told:
        yield told


def kinds(receiver: Receiver) -> list[tuple[str, str]]:
    told = [json.loads(body) for _, body in receiver.got]
    return [(one["type"].removeprefix("registry."), one["data"]["recipient"].partition(":")[0]) for one in told]


def test_the_viewer_is_told_under_a_signature(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        seen = look_up(site)
        assert receiver.got == []  # not on the way of the lookup
        assert site.app.notices.send_due() == SentCount(1, 0)
        assert site.app.notices.counts() == {}
        assert site.app.notices.send_due() == SentCount(0, 0)
    ((headers, body),) = receiver.got
    verify(key_of(SECRET), headers, body, int(headers["webhook-timestamp"]))
    told = json.loads(body)
    assert told["type"] == "registry.viewer_copy"
    assert (told["data"]["entry"], told["data"]["subject"]) == (seen.receipt.index, seen.subject)
    assert not [value for value in VALUES if value in body.decode()]


def test_a_refused_lookup_and_a_registry_without_transport_queue_nothing(home: Home, receiver: Receiver) -> None:
    subject = look_up(home).subject
    with notifying(home, hook(home, receiver.url)) as site:
        site.disclose(site.caller("auditor", Role.AUDITOR), site.ask(subject, Category.HOME_ADDRESS))
        assert site.app.notices.counts() == {}


def test_no_notice_without_its_entry(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        notice = Notice(NoticeKind.ALARM, ToRole(Role.AUDITOR), None, EventId(new_id()))
        with pytest.raises(StatementRefused), site.app.database.write() as work:
            queue(work, site.app.kernel, [notice])
        assert site.app.notices.counts() == {}


def test_what_waits_tells_neither_person_nor_kind(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        seen = look_up(site)
        ((identifier, event, channel, sealed),) = (
            site.sql().execute("SELECT id, event, channel, sealed FROM outbox").fetchall()
        )
    stored = f"{identifier}{event}{channel}".encode() + bytes(sealed)
    for hidden in (seen.subject, "viewer_copy", *VALUES):
        assert hidden.encode() not in stored


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410])
def test_what_is_not_taken_is_sent_again_under_the_same_id(sqlite_home: Home, receiver: Receiver, status: int) -> None:
    receiver.status, receiver.location = status, receiver.url if status < 400 else ""
    with notifying(sqlite_home, hook(sqlite_home, receiver.url)) as site:
        look_up(site)
        assert site.app.notices.send_due() == SentCount(0, 1)
        assert len(receiver.got) == 1  # a redirect is not followed
        assert site.app.notices.send_due() == SentCount(0, 0)  # not at once
        site.clock.step(6)
        receiver.status = 200
        assert site.app.notices.send_due() == SentCount(1, 0)
    first, second = receiver.ids
    assert first == second


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_receiver_in_trouble_is_left_alone_for_a_while(sqlite_home: Home, receiver: Receiver, status: int) -> None:
    receiver.status = status
    with notifying(sqlite_home, hook(sqlite_home, receiver.url)) as site:
        seen = look_up(site)
        site.disclose(site.caller("reader", Role.READER), site.ask(seen.subject, Category.PHONE))
        for seconds in (5, 10, 20, 40, 80, 160, 300, 300):
            before = len(receiver.got)
            assert site.app.notices.send_due() == SentCount(0, 1)  # one is enough to know
            assert len(receiver.got) == before + 1
            site.clock.step(seconds - 1)
            assert site.app.notices.send_due() == SentCount(0, 0)
            site.clock.step(2)
        receiver.status = 200
        site.clock.step(3_600)
        assert site.app.notices.send_due() == SentCount(2, 0)
    assert len(set(receiver.ids)) == 2


def test_one_that_is_not_taken_holds_up_no_other(sqlite_home: Home, receiver: Receiver) -> None:
    with notifying(sqlite_home, hook(sqlite_home, receiver.url)) as site:
        seen = look_up(site)
        receiver.status = 400
        site.app.notices.send_due()
        receiver.status = 200
        site.disclose(site.caller("reader", Role.READER), site.ask(seen.subject, Category.PHONE))
        assert site.app.notices.send_due() == SentCount(1, 0)


def test_attempts_end_and_what_was_given_up_is_kept_for_a_time(sqlite_home: Home) -> None:
    with notifying(sqlite_home, hook(sqlite_home, "http://127.0.0.1:9/")) as site:
        look_up(site)
        for _ in range(GIVE_UP_MS // 3_600_000):
            assert site.app.notices.send_due() == SentCount(0, 1)
            assert site.app.notices.counts() == {("webhook", WAITING): 1}
            site.clock.step(3_600)
        assert site.app.notices.send_due() == SentCount(0, 1)
        site.clock.step(3_600)
        assert site.app.notices.send_due() == SentCount(0, 0)
        assert site.app.notices.counts() == {("webhook", DEAD): 1}
        assert site.app.notices.revive() == 1
        assert site.app.notices.send_due() == SentCount(0, 1)
        assert site.app.notices.counts() == {("webhook", WAITING): 1}  # as if it were new
        site.sql().execute(f"UPDATE outbox SET state = '{DEAD}', due_at = {site.app.kernel.now_ms()}")
        site.clock.step(KEEP_DEAD_MS / 1000 + 1)
        look_up_again(site)
        site.app.notices.send_due()
        assert site.app.notices.counts() == {("webhook", WAITING): 1}


def test_a_decoy_and_values_tried_out_are_told_to_administrators(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        subject = site.enroll().subject
        site.app.decoys.add(site.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
        site.disclose(site.caller("reader", Role.READER), site.ask(subject, Category.HOME_ADDRESS))
        site.app.notices.send_due()
        assert sorted(kinds(receiver)) == [("alarm", "role"), ("viewer_copy", "principal")]
        assert json.loads(receiver.got[0][1])["data"]["recipient"] == "role:security_admin"
        prober = site.caller("prober", Role.INVESTIGATOR)
        for number in (1, 2, 3, 42):
            site.app.trace.trace(prober, TraceAsk(f"Dana Brightwater, 816-555-01{number:02}"))
        site.app.notices.send_due()
    assert kinds(receiver)[2:] == [("alarm", "role")]


def test_a_limit_that_was_reached_is_told_once_a_day(home: Home, receiver: Receiver) -> None:
    limits = {"subjects_per_day": 1, "checks_per_day": 1}
    with notifying(home, hook(home, receiver.url), brakes=limits) as site:
        reader, officer = site.caller("reader", Role.READER), site.caller("officer", Role.RECORDS_OFFICER)
        asks = [site.ask(site.enroll(person(f"T-000{n}")).subject, Category.PHONE) for n in range(4)]
        for _ in range(2):
            site.app.disclose.disclose_many([(reader, ask) for ask in asks])
            for number in (41, 42, 43):
                value = {"kind": "mobile", "number": f"816-555-01{number}"}
                site.app.check_value.check(officer, Category.PHONE, value)
        site.app.notices.send_due()
        assert Counter(kinds(receiver)) == {("viewer_copy", "principal"): 2, ("quota", "role"): 2}
        site.clock.step(86_400)
        site.app.disclose.disclose_many([(reader, ask) for ask in asks])
        site.app.notices.send_due()
    assert Counter(kinds(receiver))["quota", "role"] == 3


def test_approvers_are_told_of_a_request_and_who_asked_of_the_decision(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        body = person()
        body["records"][1]["confidentiality"] = "restricted"
        reader, ask = site.caller("reader", Role.READER), site.ask(site.enroll(body).subject, Category.PHONE)
        answer = site.disclose(reader, ask)
        assert isinstance(answer, Waiting)
        site.disclose(reader, ask)  # asked again it is the same request
        site.app.notices.send_due()
        assert kinds(receiver) == [("approval_wanted", "role")]
        word = Word(answer.request.id, Verdict.APPROVE, "seen")
        site.app.approvals.decide(site.caller("approver", Role.APPROVER), word)
        site.app.notices.send_due()
    assert kinds(receiver)[1:] == [("approval_decided", "principal")]
    assert json.loads(receiver.got[1][1])["data"]["recipient"] == f"principal:{answer.request.principal}"


def look_up_again(site: Home) -> None:
    subject = SubjectId(site.entries()[-1].values["subject"])  # type: ignore[index]  # nothing is erased
    site.disclose(site.caller("reader", Role.READER), site.ask(subject, Category.PHONE))


def test_two_processes_do_not_send_the_same_and_use_few_connections(home: Home, receiver: Receiver) -> None:
    settings = hook(home, receiver.url)
    with notifying(home, settings) as one, notifying(home, settings) as other:
        seen = look_up(one)
        reader = one.caller("reader", Role.READER)
        for _ in range(49):
            one.disclose(reader, one.ask(seen.subject, Category.PHONE))
        threads = [threading.Thread(target=site.app.notices.send_due) for site in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one.app.notices.send_due()
    assert len(receiver.ids) == len(set(receiver.ids)) == 50
    assert receiver.connections <= 6


def test_what_a_killed_process_had_claimed_is_sent_by_another(home: Home, receiver: Receiver) -> None:
    """The process ends by SIGKILL after the receiver has the notice and before the outbox knows."""
    settings = hook(home, receiver.url)
    with notifying(home, settings) as site:
        look_up(site)
    child = os.fork()
    if child == 0:
        with notifying(home, settings) as site:
            (sender,) = site.app.notices.senders
            sender._settle = lambda _done: os.kill(os.getpid(), 9)  # type: ignore[method-assign]  # killed where it matters
            sender.send_due()
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == 9
    with notifying(home, settings) as site:
        assert site.app.notices.send_due() == SentCount(0, 0)  # still claimed
        site.clock.step(LEASE_MS / 1000 + 1)
        assert site.app.notices.send_due() == SentCount(1, 0)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def test_a_row_that_somebody_changed_is_given_up(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        look_up(site)
        look_up_again(site)
        site.sql().execute("UPDATE outbox SET event = (SELECT max(event) FROM outbox)")
        assert site.app.notices.send_due() == SentCount(1, 1)
        assert site.app.notices.counts() == {("webhook", DEAD): 1}


NEWER = [
    ("viewer_copy", "principal:" + "1" * 32, {"counts": [], "entries": [], "instead": "somebody else"}),
    ("viewer_copy", "delegate:" + "1" * 32, []),
    ("read_receipt", "role:auditor", []),
    ("contact", "subject:" + "1" * 32, {}),
]


@pytest.mark.parametrize(("kind", "to", "told"), NEWER)
def test_what_a_newer_version_says_is_sent_to_nobody(
    sqlite_home: Home, receiver: Receiver, kind: str, to: str, told: object
) -> None:
    """Left out of what is not understood, a notice could reach whom it must not reach."""
    with notifying(sqlite_home, hook(sqlite_home, receiver.url)) as site:
        look_up(site)
        ((row, letter),) = site.app.notices.listing(2)
        assert letter is not None
        said = f"{kind} {letter.at_ms} {to}  {json.dumps(told)}".encode()
        sealed = site.app.kernel.outlets.seal.seal(row.id, row.event, said)
        site.sql().execute("UPDATE outbox SET sealed = ?", (sealed,))
        assert site.app.notices.send_due() == SentCount(0, 1)
        assert site.app.notices.counts() == {("webhook", DEAD): 1}
    assert receiver.got == []


def test_a_notice_to_a_former_mailbox_says_nothing_that_an_earlier_version_reads(sqlite_home: Home) -> None:
    """One that knows no former mailbox reads ``counts`` first; without it the row is given up, not sent."""
    sealed = SealedPetition(PetitionId("2" * 32), WrappedKey("k", b"w"), b"a", {TEXT: b"t"})
    to = ToFormerMailbox(SubjectId("1" * 32), sealed)
    notice = Notice(NoticeKind.CONTACT, to, None, EventId(new_id()))
    row = row_of(sqlite_home.app.kernel.outlets.seal, notice, "mail", 5)
    said = sqlite_home.app.kernel.outlets.seal.open(row.id, row.event, row.sealed).decode()
    assert list(json.loads(said.split(" ", 4)[4])) == ["mailbox"]
    letter = letter_of(sqlite_home.app.kernel, row)
    assert letter is not None
    assert letter.mailbox == sealed


def test_what_has_no_way_out_any_more_waits_for_it(sqlite_home: Home, receiver: Receiver) -> None:
    settings = hook(sqlite_home, receiver.url)
    with notifying(sqlite_home, settings) as site:
        look_up(site)
    with notifying(sqlite_home, NotifySettings()) as site:
        assert site.app.notices.send_due() == SentCount(0, 0)
        site.clock.step(GIVE_UP_MS / 1000)
        assert site.app.notices.counts() == {("webhook", WAITING): 1}
        assert site.app.notices.oldest_ms() == GIVE_UP_MS
    with notifying(sqlite_home, settings) as site:
        assert site.app.notices.send_due() == SentCount(1, 0)


def test_an_emergency_tells_supervisor_person_and_reviewers(home: Home, receiver: Receiver) -> None:
    subject = home.enroll(person()).subject
    with notifying(home, hook(home, receiver.url)) as site:
        chief = site.caller("chief", Role.AUDITOR, number="T-0044")
        grant = Grant(ISSUER, "reader", frozenset({Role.READER}), supervisor="T-0044")
        site.app.principals.ensure(grant, operator="local:test")
        asked = Emergency(subject, None, frozenset({Category.PHONE}), "Threat called in just now")
        _, receipt = site.app.break_glass.open(site.caller("reader", Role.READER), asked)
        site.app.notices.send_due()
    assert sorted(kinds(receiver)) == [
        ("break_glass", "principal"),
        ("break_glass", "role"),
        ("break_glass", "subject"),
    ]
    told = [json.loads(body)["data"] for _, body in receiver.got]
    assert {one["entry"] for one in told} == {receipt.index}
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, chief.claims.subject)
    assert row is not None
    assert {one["recipient"] for one in told} == {f"principal:{row.id}", f"subject:{subject}", "role:approver"}


def test_what_is_under_dual_control_tells_approvers_and_who_asked(home: Home, receiver: Receiver) -> None:
    dual = {"dual_control": frozenset({Action.TRACE})}
    with notifying(home, hook(home, receiver.url), approvals=dual) as site:
        investigator = site.caller("investigator", Role.INVESTIGATOR)
        with pytest.raises(ApprovalNeeded) as waiting:
            site.app.trace.trace(investigator, TraceAsk("816-555-0142"))
        site.app.approvals.decide(site.caller("approver", Role.APPROVER), Word(waiting.value.request, Verdict.APPROVE))
        site.app.notices.send_due()
    assert sorted(kinds(receiver)) == [("approval_decided", "principal"), ("approval_wanted", "role")]


def test_who_answers_is_told_of_a_petition_and_who_filed_it_of_the_answer(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        made = site.enroll()
        phone = next(record.record for record in made.records if record.category is Category.PHONE)
        own = site.caller("own", Role.SUBJECT, number="T-0001")
        clerk, auditor = site.caller("clerk", Role.ENROLLER), site.caller("auditor", Role.AUDITOR)
        entry = EntryIndex(site.app.audit.accounting(own).entries[-1].index)
        dispute = site.app.petitions.dispute(own, entry, "nobody had a reason").petition
        value = {"kind": "mobile", "number": "816-555-0177"}
        correction = site.app.petitions.correct(own, Correction(phone, "it changed in May", value)).petition
        site.app.petition_answers.answer(auditor, DISPUTE, dispute, Reply("upheld", "told the unit"))
        site.app.petition_answers.accept(clerk, correction, "from the bill")
        site.app.contacts.put(own, Contact("email", "quillfeather@mail.example"))
        other = site.caller("given the number", Role.SUBJECT, number="T-0001")
        site.app.contacts.put(other, Contact("email", "other@mail.example"))
        site.app.notices.send_due()
    told = [json.loads(body)["data"]["recipient"] for _, body in receiver.got]
    assert sorted(kinds(receiver)) == [
        *[("contact", "principal")] * 3,
        *[("correction", "principal"), ("correction", "role"), ("dispute", "principal"), ("dispute", "role")],
    ]
    assert {"role:auditor", "role:enroller"} <= set(told)
    words = ("reason", "0177", "May", "unit", "uillfeather", "T-0001")
    assert not [word for word in words for _, body in receiver.got if word in body.decode()]


def test_who_looks_many_up_at_once_is_told_once_of_each(home: Home, receiver: Receiver) -> None:
    """Each entry stands in exactly one notice, and what several looked up in one transaction is told apart."""
    subjects = [home.enroll(person(f"T-{n:04d}", records=VALUES_OF_ONE)).subject for n in range(1, 8)]
    with notifying(home, hook(home, receiver.url)) as site:
        many, one = site.caller("many", Role.READER), site.caller("one", Role.READER)
        asks = [(many, site.ask(subject, Category.PHONE)) for subject in subjects[:-1]]
        asks[3:3] = [(one, site.ask(subjects[-1], Category.PHONE))]
        answers = site.app.disclose.disclose_many([*asks, (many, site.ask(SubjectId(new_id()), Category.PHONE))])
        assert [isinstance(answer, Disclosed) for answer in answers] == [True] * 7 + [False]
        assert site.app.notices.counts() == {("webhook", WAITING): 2}
        site.app.notices.send_due()
    told = [json.loads(body)["data"] for _, body in receiver.got]
    (whole,) = [data for data in told if "entries" in data]
    (single,) = [data for data in told if "entries" not in data]
    assert (whole["counts"], whole["subject"]) == ([{"purpose": "safety", "unit": "", "number": 6}], None)
    assert whole["entry"] == whole["entries"][0]
    indexes = [answer.receipt.index for answer in answers if isinstance(answer, Disclosed)]
    assert sorted([*whole["entries"], single["entry"]]) == sorted(indexes)
    assert single["subject"] == subjects[-1]
