"""A real webhook receiver and a real mail server, and a registry that sends to them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from registry.bootstrap import open_application
from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.notify.settings import MailSettings, NotifySettings, WebhookSettings
from registry.services.disclose import Disclosed
from tests.functional.services.homes import Home

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
# Every word of the template's person: none may be in what is sent or waits.
VALUES = ("Dana", "Brightwater", "Larkspur", "816-555", "T-0001", "CASE-1", "welfare")


@dataclass
class Receiver:
    """What a webhook receiver got, and what it answers."""

    url: str = ""
    status: int = 204
    location: str = ""
    connections: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a webhook receiver on a free port."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            told.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed between the head and the end: nothing was told
                self.close_connection = True
                return
            told.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(told.status)
            if told.location:
                self.send_header("location", told.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/notices?for=registry"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class OnFreePort(Controller):
    """A mail server that says its port once it has one."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailbox:
    """A mail server's handler that keeps what it takes."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answer = "250 OK"

    async def handle_DATA(  # noqa: N802 - the name is the library's
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.got.append(envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.answer


@contextmanager
def mailbox(handler: Mailbox | None = None, **options: Any) -> Iterator[tuple[Mailbox, int]]:
    """Run a mail server on a free port."""
    kept = handler or Mailbox()
    controller = OnFreePort(kept, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield kept, controller.port
    finally:
        controller.stop()


def opened_again(home: Home, notify: NotifySettings, **changes: Any) -> Home:
    """Open the registry of a home a second time, with transports."""
    return Home(open_application(replace(home.app.settings, notify=notify, **changes), home.clock), home.clock)


@contextmanager
def notifying(home: Home, notify: NotifySettings, **changes: Any) -> Iterator[Home]:
    """Open the registry of a home a second time, with transports, for a block."""
    opened = opened_again(home, notify, **changes)
    try:
        yield opened
    finally:
        opened.close()


def hook(home: Home, url: str) -> NotifySettings:
    """Return settings that post to an address."""
    secret = home.app.settings.home / "webhook.secret"
    secret.write_text(SECRET + "\n", "ascii")
    secret.chmod(0o600)
    return NotifySettings(webhook=WebhookSettings(url, secret))


def mailing(home: Home, port: int, **changes: Any) -> NotifySettings:
    """Return settings that mail to every principal there is."""
    addresses = {f"principal:{row.id}": "reader@example.org" for row in home.app.principals.listing()}
    settings = MailSettings("127.0.0.1", "registry@example.org", port, addresses=addresses, **changes)
    return NotifySettings("https://portal.example", mail=settings)


def look_up(home: Home) -> Disclosed:
    """Enroll the template's person, and look them up."""
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(home.enroll().subject, Category.HOME_ADDRESS))
    assert isinstance(answer, Disclosed)
    return answer
