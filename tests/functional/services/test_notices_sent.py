"""Ways out: a real mail server, TLS that is verified, receivers that drip, settings that are refused."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from registry.domain.categories import Category
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Role
from registry.notify.mail import Mail
from registry.notify.settings import (
    NONE,
    STARTTLS,
    TLS,
    MailSettings,
    NotifySettings,
    WebhookSettings,
    is_address,
    read_notify,
)
from registry.notify.webhooks import Webhook
from registry.services.contact import Contact
from registry.services.kernel import Caller
from registry.services.notices import NoticeKind
from registry.services.ports_notices import WAITING
from registry.services.send_notices import Letter, SentCount, UnreachableError
from tests.functional.keys.baos import certificate
from tests.functional.services.homes import Home, person
from tests.functional.services.receivers import (
    SECRET,
    VALUES,
    Mailbox,
    hook,
    look_up,
    mailbox,
    mailing,
    notifying,
    receiving,
)

LETTER = Letter("0" * 32, NoticeKind.ALARM, 0, 7, "role:auditor", "")


def no_mailbox(_letter: Letter) -> None:
    """Nobody has set a contact."""


def test_mail_says_what_and_when_and_no_value(sqlite_home: Home) -> None:
    sqlite_home.caller("reader", Role.READER)
    with mailbox() as (kept, port), notifying(sqlite_home, mailing(sqlite_home, port, tls=NONE)) as site:
        seen = look_up(site)
        kept.answer = "451 later"
        assert site.app.notices.send_due() == SentCount(0, 1)
        kept.answer = "250 OK"
        site.clock.step(6)
        assert site.app.notices.send_due() == SentCount(1, 0)
    first, second = (message_from_bytes(raw) for raw in kept.got)
    assert first["Message-ID"] == second["Message-ID"]
    assert f"entry {seen.receipt.index}" in second["Subject"]
    assert "https://portal.example" in str(second.get_payload())
    assert kept.envelopes[0] == ("registry@example.org", ["reader@example.org"])
    assert not [value for value in (*VALUES, seen.subject) if value.encode() in kept.got[1]]


def test_nobody_without_a_mailbox_gets_mail(sqlite_home: Home) -> None:
    with mailbox() as (kept, port), notifying(sqlite_home, mailing(sqlite_home, port, tls=NONE)) as site:
        look_up(site)
        assert site.app.notices.send_due() == SentCount(0, 0)
    assert kept.got == []


def test_a_mail_server_that_speaks_no_tls_gets_nothing(sqlite_home: Home) -> None:
    sqlite_home.caller("reader", Role.READER)
    with mailbox() as (kept, port), notifying(sqlite_home, mailing(sqlite_home, port, tls=STARTTLS)) as site:
        look_up(site)
        assert site.app.notices.send_due() == SentCount(0, 1)
    assert kept.got == []


@pytest.mark.parametrize("tls", [STARTTLS, TLS])
@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_mail_server_is_who_its_certificate_says(
    sqlite_home: Home, tmp_path: Path, tls: str, is_trusted: bool
) -> None:
    pem, key = certificate(tmp_path / "mail", "IP:127.0.0.1")
    other, _ = certificate(tmp_path / "other", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    password = tmp_path / "mail.password"
    password.write_text("made-up word\n")
    password.chmod(0o600)
    signed_in: list[tuple[bytes, bytes]] = []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
        signed_in.append((given.login, given.password))
        return AuthResult(success=True)

    options = {"ssl_context": context} if tls == TLS else {"tls_context": context, "require_starttls": True}
    sqlite_home.caller("reader", Role.READER)
    with mailbox(authenticator=check, auth_required=tls != TLS, auth_require_tls=tls != TLS, **options) as (kept, port):
        settings = mailing(
            sqlite_home,
            port,
            tls=tls,
            ca_file=pem if is_trusted else other,
            username="registry",
            password_file=password,
        )
        with notifying(sqlite_home, settings) as site:
            look_up(site)
            assert site.app.notices.send_due() == (SentCount(1, 0) if is_trusted else SentCount(0, 1))
    assert len(kept.got) == int(is_trusted)
    assert signed_in == [(b"registry", b"made-up word")] * is_trusted


class Picky(Mailbox):
    """Has no room for one of two."""

    async def handle_RCPT(  # noqa: N802 - the name is the library's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("full"):
            return "452 no room"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def test_one_mailbox_that_is_full_holds_up_no_other(sqlite_home: Home) -> None:
    reader, other = (sqlite_home.caller(name, Role.READER) for name in ("reader", "other"))
    addresses = {
        f"principal:{row.id}": f"{'full' if row.sub == 'reader' else 'free'}@example.org"
        for row in sqlite_home.app.principals.listing()
    }
    with mailbox(Picky()) as (kept, port):
        mail = MailSettings("127.0.0.1", "registry@example.org", port, tls=NONE, addresses=addresses)
        with notifying(sqlite_home, NotifySettings(mail=mail)) as site:
            seen = look_up(site)
            for caller in (reader, other):
                site.disclose(caller, site.ask(seen.subject, Category.PHONE))
            assert site.app.notices.send_due() == SentCount(1, 2)
    assert [to for _, to in kept.envelopes] == [["free@example.org"]]


@contextmanager
def dripping(greeting: bytes) -> Iterator[int]:
    """Run a server that takes everything and answers one byte every 0.1 s, for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            while not is_over.wait(0.1):
                try:
                    connection.sendall(greeting)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        is_over.set()
        thread.join()
        listening.close()


def test_a_receiver_that_drips_is_left_after_a_time(sqlite_home: Home) -> None:
    with dripping(b"H") as port:
        settings = hook(sqlite_home, f"http://127.0.0.1:{port}/").webhook
        assert settings is not None
        started = time.monotonic()
        with Webhook(settings, deadline_seconds=0.5).opened() as line, pytest.raises(UnreachableError):
            line.send(LETTER)
        assert time.monotonic() - started < 5


def test_a_mail_server_that_drips_is_left_after_a_time() -> None:
    with dripping(b"2") as port:
        settings = MailSettings(
            "127.0.0.1", "registry@example.org", port, tls=NONE, addresses={LETTER.to: "a@example.org"}
        )
        started = time.monotonic()
        with Mail(settings, no_mailbox, deadline_seconds=0.5).opened() as line, pytest.raises(UnreachableError):
            line.send(LETTER)
        assert time.monotonic() - started < 5


def test_a_way_out_that_hangs_holds_up_no_other(sqlite_home: Home) -> None:
    sqlite_home.caller("reader", Role.READER)
    with mailbox() as (kept, port):
        webhook = hook(sqlite_home, "http://127.0.0.1:9/").webhook
        with notifying(sqlite_home, replace(mailing(sqlite_home, port, tls=NONE), webhook=webhook)) as site:
            look_up(site)
            mail = next(sender for sender in site.app.notices.senders if sender.name == "mail")
            assert mail.send_due() == SentCount(1, 0)
            assert site.app.notices.counts() == {("webhook", WAITING): 1}
    assert len(kept.got) == 1


@pytest.mark.parametrize(
    ("content", "mode"), [(SECRET, 0o644), ("whsec_AAAA", 0o600), ("", 0o600), (f"{SECRET}\n{SECRET}", 0o600)]
)
def test_a_secret_that_others_can_read_or_that_is_weak_signs_nothing(
    sqlite_home: Home, content: str, mode: int
) -> None:
    with receiving() as receiver:
        settings = hook(sqlite_home, receiver.url)
        assert settings.webhook is not None
        settings.webhook.secret_file.write_text(content)
        settings.webhook.secret_file.chmod(mode)
        assert Webhook(settings.webhook).problem()
        with notifying(sqlite_home, settings) as site:
            look_up(site)
            assert site.app.notices.send_due() == SentCount(0, 1)
    assert receiver.got == []


def test_usable_ways_out_have_no_problem(sqlite_home: Home) -> None:
    webhook = hook(sqlite_home, "https://hooks.example/").webhook
    assert webhook is not None
    assert Webhook(webhook).problem() is None
    assert Mail(MailSettings("mail.example", "a@example.org"), no_mailbox).problem() is None
    missing = sqlite_home.app.settings.home / "missing"
    assert Webhook(WebhookSettings("https://hooks.example/", missing)).problem()
    assert Mail(
        MailSettings("mail.example", "a@example.org", username="x", password_file=missing), no_mailbox
    ).problem()


@pytest.mark.parametrize(
    "given",
    [
        {"webhook": {"url": "http://hooks.example/", "secret_file": "s"}},
        {"webhook": {"url": "file:///etc/passwd", "secret_file": "s"}},
        {"webhook": {"url": "https://me:pass@hooks.example/", "secret_file": "s"}},
        {"webhook": {"url": "https://hooks.example/"}},
        {"webhook": {"url": "https://hooks.example/\r\nHost: other", "secret_file": "s"}},
        {"webhook": {"url": "https://hooks.example/", "secret_file": "s", "other": 1}},
        {"mail": {"host": "mail.example", "sender": "a@example.org", "tls": "none"}},
        {"mail": {"host": "mail.example", "sender": "a@example.org", "username": "x"}},
        {"mail": {"host": "mail.example", "sender": "a@example.org\nBcc: b@example.org"}},
        {"mail": {"host": "mail.example", "sender": "a@example.org", "addresses": {"role:auditor": "nobody"}}},
        {"mail": {"host": "mail.example", "sender": "a@example.org", "addresses": {"everybody": "a@example.org"}}},
        {"portal": "https://portal.example\nBcc: b@example.org"},
        {"carrier_pigeon": {}},
        [],
    ],
)
def test_settings_that_would_let_others_read_along_are_refused(given: Any, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredHome):
        read_notify(given, tmp_path)


@pytest.mark.parametrize(
    "text",
    ["a@b@example.org,c@example.org", "a@example.org, c@example.org", "<a@example.org>", "a\r@example.org", "a@", "@a",
     "a b@example.org", "a@example.org\n", "é@example.org", "a@-example.org", "a@[127.0.0.1]"],
)  # fmt: skip
def test_an_address_is_one_mailbox(text: str) -> None:
    assert not is_address(text)
    assert is_address("first.last+tag@mail.example.org")


def own(site: Home, number: str) -> Caller:
    """Return a subject who has just signed in strongly."""
    caller = site.caller(f"own {number}", Role.SUBJECT, number=number)
    return replace(caller, claims=replace(caller.claims, step_up_until=2**53))


def test_a_digest_goes_to_the_safe_contact_of_who_has_set_a_mailbox(home: Home) -> None:
    with mailbox() as (kept, port), notifying(home, mailing(home, port, tls=NONE)) as site:
        site.app.digests.make_due()
        subjects = [site.enroll(person(f"T-000{n}")).subject for n in (1, 2, 3)]
        contacts = (("T-0001", Contact("email", "safe@example.org")), ("T-0002", Contact("phone", "816-555-0199")))
        for number, contact in contacts:
            site.app.contacts.put(own(site, number), contact)
        reader = site.caller("reader", Role.READER)
        for subject in subjects:
            site.disclose(reader, site.ask(subject, Category.PHONE))
        site.clock.step(86_400)
        assert site.app.digests.make_due() == 3
        assert site.app.notices.counts() == {("mail", WAITING): 2}  # who has set none is not reached by mail
        assert site.app.notices.send_due() == SentCount(1, 0)
        assert site.app.notices.counts() == {}
        opened = site.entries()[-1]
        assert (opened.kind, (opened.values or {})["subject"]) == ("open", subjects[0])
    assert kept.envelopes == [("registry@example.org", ["safe@example.org"])]
    assert "1 for safety, by no unit" in str(message_from_bytes(kept.got[0]).get_payload())
    assert not [value for value in (*VALUES, subjects[0]) if value.encode() in kept.got[0]]


def test_a_contact_is_not_opened_while_the_server_is_away(sqlite_home: Home) -> None:
    with notifying(sqlite_home, mailing(sqlite_home, 9, tls=NONE)) as site:
        site.app.digests.make_due()
        subject = site.enroll().subject
        site.app.contacts.put(own(site, "T-0001"), Contact("email", "safe@example.org"))
        site.disclose(site.caller("reader", Role.READER), site.ask(subject, Category.PHONE))
        site.clock.step(86_400)
        site.app.digests.make_due()
        assert site.app.notices.send_due() == SentCount(0, 1)
        assert "open" not in {entry.kind for entry in site.entries()}
