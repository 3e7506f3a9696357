"""Notices by mail: an SMTP server that is verified, and texts that hold no value."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from registry.domain.errors import RegistryError
from registry.notify.deadline import ending_after
from registry.notify.secret_files import read_secret
from registry.notify.settings import NONE, TLS, MailSettings, is_address
from registry.notify.words import subject_of, text_of
from registry.services.send_notices import Letter, NobodyError, UndeliveredError, UnreachableError

TIMEOUT_SECONDS = 10.0
DEADLINE_SECONDS = 20.0
_CLOSING = 421
_SUBJECT = "subject:"
# What a server says of one mail; anything else that it does says something of the server.
_OF_ONE_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


MailboxOf = Callable[[Letter], str | None]


class Mail:
    """Sends notices to the mailboxes that the settings name."""

    name = "mail"

    def __init__(
        self,
        settings: MailSettings,
        mailbox_of: MailboxOf,
        portal: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """Take the settings.

        Args:
            settings: the server, and mailboxes of roles and accounts.
            mailbox_of: opens the contact of a subject that a letter is for; None when it is no mailbox.
            portal: address that mails name.
            deadline_seconds: for each mail.
        """
        self._settings = settings
        self._portal = portal
        self._mailbox_of = mailbox_of
        self._deadline_seconds = deadline_seconds

    def problem(self) -> str | None:
        """Say what is wrong with the password's file, or with that of the certificates."""
        try:
            if self._settings.password_file is not None:
                read_secret(self._settings.password_file)
            ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ValueError) as failure:
            return f"notify.mail: {failure}"
        return None

    @contextmanager
    def opened(self) -> Iterator[_Session]:
        """Send some letters over one connection."""
        session = _Session(self._settings, self._portal, self._mailbox_of, self._deadline_seconds)
        try:
            yield session
        finally:
            session.close()


class _Session:
    """One connection to the server, made and signed in with the first letter."""

    def __init__(self, settings: MailSettings, portal: str, mailbox_of: MailboxOf, deadline_seconds: float) -> None:
        self._settings = settings
        self._portal = portal
        self._mailbox_of = mailbox_of
        self._deadline_seconds = deadline_seconds
        self._known: list[smtplib.SMTP] = []
        self._server: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> None:
        """Hand it to the server.

        Raises:
            UndeliveredError: the server did not take it, or the mailbox is not to be known now.
            UnreachableError: the server is not there, or not who it should be.
            NobodyError: there is no mailbox, or no longer.
        """
        try:
            with ending_after(self._deadline_seconds, self._socket):
                server = self._server = self._server or self._connected()
        except (smtplib.SMTPException, OSError, ValueError) as failure:
            raise UnreachableError(type(failure).__name__) from None
        # Not before somebody is there to take it: a contact is opened under an entry, each time.
        address = self._address(letter)
        try:
            with ending_after(self._deadline_seconds, self._socket):
                server.send_message(self._message(letter, address), self._settings.sender, [address])
        except _OF_ONE_MAIL as failure:
            if getattr(failure, "smtp_code", 0) == _CLOSING:
                raise UnreachableError("closing") from None
            raise UndeliveredError(type(failure).__name__) from None
        except (smtplib.SMTPException, OSError, ValueError) as failure:
            # The class name says what went wrong; the text may quote what was received.
            raise UnreachableError(type(failure).__name__) from None

    def _address(self, letter: Letter) -> str:
        address = None if letter.mailbox else self._settings.addresses.get(letter.to)
        if address is None and letter.to.startswith(_SUBJECT):
            try:
                address = self._mailbox_of(letter)
            except RegistryError as failure:
                raise UndeliveredError(type(failure).__name__) from None
        if address is None or not is_address(address):
            raise NobodyError("no mailbox")
        return address

    def close(self) -> None:
        """Say goodbye, and close."""
        for server in self._known:
            with suppress(smtplib.SMTPException, OSError), ending_after(1.0, self._socket):
                server.quit()
            server.close()

    def _socket(self) -> socket.socket | None:
        return self._known[-1].sock if self._known else None

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        tls = ssl.create_default_context(cafile=settings.ca_file)
        # How we greet: the name of this machine is nobody's business, and looking it up may take long.
        greeting = {"local_hostname": _domain(settings.sender), "timeout": TIMEOUT_SECONDS}
        if settings.tls == TLS:
            server: smtplib.SMTP = _TlsServer(self._known, settings.host, settings.port, context=tls, **greeting)
        else:
            server = _PlainServer(self._known, settings.host, settings.port, **greeting)
        if settings.tls not in (TLS, NONE):
            server.starttls(context=tls)
        if settings.password_file is not None:
            server.login(settings.username, read_secret(settings.password_file))
        return server

    def _message(self, letter: Letter, address: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._settings.sender, address
        message["Subject"] = subject_of(letter)
        message["Date"] = formatdate(letter.at_ms / 1000)
        # The same for every attempt: mail programs show such a mail once.
        message["Message-ID"] = f"<{letter.id}@{_domain(self._settings.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text_of(letter, self._portal))
        return message


class _Known:
    """Known before it connects, so that whoever watches the time can end it while it waits for a greeting."""

    def __init__(self, known: list[Any], *given: Any, **named: Any) -> None:
        known.append(self)
        super().__init__(*given, **named)


class _PlainServer(_Known, smtplib.SMTP):
    """A server that may speak TLS later."""


class _TlsServer(_Known, smtplib.SMTP_SSL):
    """A server that speaks TLS from the first byte."""


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
