"""Who took a subject's session over sends the notices elsewhere: the mailbox that stood there before hears of it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from itertools import chain

from registry.domain.principals import Role
from registry.notify.settings import NONE
from registry.services.contact import Contact
from registry.services.erase_scope import ErasureAsk
from registry.services.kernel import Caller
from registry.services.ports_notices import WAITING
from registry.services.send_notices import SentCount
from tests.functional.services.homes import Home
from tests.functional.services.receivers import mailbox, mailing, notifying

OWNERS = Contact("email", "quillfeather@mail.example")
THIEFS = Contact("email", "elsewhere@mail.example")


def own(site: Home, name: str = "own") -> Caller:
    """Return the subject's account, signed in strongly and just now."""
    caller = site.caller(name, Role.SUBJECT, number="T-0001")
    return replace(caller, claims=replace(caller.claims, step_up_until=2**53))


def sent_to(envelopes: list[tuple[str, list[str]]]) -> list[str]:
    return list(chain.from_iterable(to for _, to in envelopes))


def test_the_mailbox_before_hears_of_it_and_the_next_one_does_not(home: Home) -> None:
    with mailbox() as (kept, port), notifying(home, mailing(home, port, tls=NONE)) as site:
        subject = site.enroll().subject
        site.app.contacts.put(own(site), OWNERS)
        changed = site.app.contacts.put(own(site), THIEFS)
        assert site.app.notices.send_due() == SentCount(1, 0)
        opened = site.entries()[-1]
        assert (opened.kind, (opened.values or {})["subject"]) == ("open", subject)
        assert site.app.row_check.check() is not None
    assert sent_to(kept.envelopes) == [OWNERS.value]
    mail = message_from_bytes(kept.got[0])
    text = f"{mail['Subject']} {mail.get_payload(decode=True)!r}"
    assert "If it was not you, tell your security office now" in text
    assert f"Entry of the ledger: {changed.index}" in text
    assert not [word for word in ("uillfeather", "elsewhere", subject, "T-0001") if word in text]


def test_changing_it_many_times_outruns_no_notice(sqlite_home: Home) -> None:
    with mailbox() as (kept, port), notifying(sqlite_home, mailing(sqlite_home, 9, tls=NONE)) as site:
        site.enroll()
        for contact in (OWNERS, Contact("phone", "816-555-0142"), Contact("post", "Box 1"), THIEFS, OWNERS, THIEFS):
            site.app.contacts.put(own(site), contact)
        assert site.app.notices.send_due() == SentCount(0, 1)  # nobody is there to take it
        with notifying(site, mailing(site, port, tls=NONE)) as later:
            later.clock.step(6)
            later.app.notices.send_due()
    assert sorted(sent_to(kept.envelopes)) == sorted([OWNERS.value, THIEFS.value, OWNERS.value])


def test_an_account_that_was_given_the_number_is_told_of_too(sqlite_home: Home) -> None:
    with mailbox() as (kept, port), notifying(sqlite_home, mailing(sqlite_home, port, tls=NONE)) as site:
        site.enroll()
        site.app.contacts.put(own(site), OWNERS)
        site.app.contacts.put(own(site, "given the number"), THIEFS)
        site.app.notices.send_due()
    assert sent_to(kept.envelopes) == [OWNERS.value]


def test_what_waits_holds_no_address_and_goes_with_the_person(sqlite_home: Home) -> None:
    with notifying(sqlite_home, mailing(sqlite_home, 9, tls=NONE)) as site:
        subject = site.enroll().subject
        site.app.contacts.put(own(site), OWNERS)
        site.app.contacts.put(own(site), THIEFS)
        assert site.app.notices.counts() == {("mail", WAITING): 1}
        files = [path.read_bytes() for path in site.app.settings.home.rglob("*") if path.is_file()]
        assert files
        assert not [True for one in files if b"uillfeather" in one or b"elsewhere" in one]
        hr = site.caller("records", Role.ENROLLER, Role.RECORDS_OFFICER)
        site.app.erase.erase(hr, ErasureAsk(subject, None, "left the service", "the schedule of the city"))
        assert site.app.notices.counts() == {}
