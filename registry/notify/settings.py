"""Where notices are sent: ``[notify]`` in config.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from registry.domain.errors import MisconfiguredHome

STARTTLS, TLS, NONE = "starttls", "tls", "none"
# One mailbox and nothing else: no list, no name, no comment, no line end, nothing that a mail server reads as more.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_RECIPIENT = re.compile(r"role:[a-z_]+|principal:[0-9a-f]{32}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """One receiver of all notices.

    Attributes:
        url: https; plain http to this machine only.
        secret_file: the signing key, ``whsec_`` and Base64; in the home folder unless absolute.
        ca_file: whom to trust, instead of the machine's certificates.
    """

    url: str
    secret_file: Path
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Check the address.

        Raises:
            MisconfiguredHome: notices could be read or answered by somebody else.
        """
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            raise MisconfiguredHome("config.toml: notify.webhook: url is one word of ASCII")
        parts = urlsplit(self.url)
        if parts.username is not None or parts.fragment or not parts.hostname:
            raise MisconfiguredHome("config.toml: notify.webhook: url needs a host, no user name and no fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise MisconfiguredHome("config.toml: notify.webhook: url must be https; plain http is for this machine")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """One mail server.

    Attributes:
        host, port: of the server.
        sender: address that mails come from.
        tls: ``starttls``, ``tls`` or, to this machine only, ``none``.
        username, password_file: sign-in, where the server wants one.
        ca_file: whom to trust, instead of the machine's certificates.
        addresses: mailbox of ``role:<role>`` or ``principal:<id>``; whoever is not named gets no mail.
    """

    host: str
    sender: str
    port: int = 587
    tls: str = STARTTLS
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check what hangs together.

        Raises:
            MisconfiguredHome: mails or the password could be read on the way, or an address is none.
        """
        if self.tls not in (STARTTLS, TLS, NONE) or (self.tls == NONE and self.host not in _LOOPBACK):
            raise MisconfiguredHome("config.toml: notify.mail: tls is starttls or tls; none is for this machine")
        if bool(self.username) != (self.password_file is not None):
            raise MisconfiguredHome("config.toml: notify.mail: username and password_file go together")
        if not all(map(is_address, (self.sender, *self.addresses.values()))):
            raise MisconfiguredHome("config.toml: notify.mail: an address is not one")
        if not all(map(_RECIPIENT.fullmatch, self.addresses)):
            raise MisconfiguredHome("config.toml: notify.mail: addresses are of role:<role> or principal:<id>")


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """What is said about notices; no transport means that none are made.

    Attributes:
        portal: address of the pages where a recipient finds more, named in mails.
        webhook, mail: the transports.
    """

    portal: str = ""
    webhook: WebhookSettings | None = None
    mail: MailSettings | None = None


NO_NOTICES = NotifySettings()


def is_address(text: object) -> bool:
    """Tell whether something is the address of one mailbox, in plain ASCII."""
    return isinstance(text, str) and _ADDRESS.fullmatch(text) is not None


def read_notify(given: Any, home: Path) -> NotifySettings:
    """Read the table ``[notify]``; files are taken from the home folder.

    Raises:
        MisconfiguredHome: something unknown, missing or of the wrong type.
    """
    told = _table("notify", given, {"portal", "webhook", "mail"})
    portal = told.get("portal", "")
    if not isinstance(portal, str) or not portal.isascii() or not portal.isprintable():
        raise MisconfiguredHome("config.toml: notify: portal is an address in one line of ASCII")
    webhook, mail = told.get("webhook"), told.get("mail")
    return NotifySettings(
        portal,
        None if webhook is None else WebhookSettings(**_read("notify.webhook", webhook, WebhookSettings, home)),
        None if mail is None else MailSettings(**_read("notify.mail", mail, MailSettings, home)),
    )


def _read(where: str, given: Any, kind: type[WebhookSettings | MailSettings], home: Path) -> dict[str, Any]:
    told = dict(_table(where, given, {one.name for one in fields(kind)}))
    needed = ("url", "secret_file") if kind is WebhookSettings else ("host", "sender")
    if missing := [name for name in needed if name not in told]:
        raise MisconfiguredHome(f"config.toml: {where} needs {', '.join(missing)}")
    for name, value in told.items():
        wanted = {"port": int, "addresses": dict}.get(name, str)
        if type(value) is not wanted:
            raise MisconfiguredHome(f"config.toml: {where}: {name} has the wrong type")
    return told | {name: home / told[name] for name in told if name.endswith("_file")}


def _table(where: str, given: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise MisconfiguredHome(f"config.toml: write the settings of notices as a table, [{where}]")
    if unknown := sorted(set(given) - known):
        raise MisconfiguredHome(f"config.toml: {where} has unknown settings: {', '.join(unknown)}")
    return given
