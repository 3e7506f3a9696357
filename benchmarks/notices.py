"""How fast notices leave: sent from the outbox, beside a bare loop that posts the same bytes over one connection."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.registries import filled, look_up_in_process
from benchmarks.serving import Plan
from benchmarks.table import markdown, number, ratio
from registry.bootstrap import Application, opened
from registry.notify.settings import NotifySettings, WebhookSettings

_NOTICES = 256
_SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


def notices(plan: Plan) -> str:
    """Measure notices sent by webhook to a receiver on this machine, in turn with a bare loop of posts."""
    with TemporaryDirectory(prefix="registry-bench-") as name, _receiver() as (port, bodies):
        registry = filled(Path(name), _NOTICES)
        secret = Path(name) / "webhook.secret"
        secret.touch(0o600)
        secret.write_text(_SECRET + "\n", "ascii")
        hook = NotifySettings(webhook=WebhookSettings(f"http://127.0.0.1:{port}/", secret))
        with opened(replace(registry.settings, notify=hook)) as application:
            rounds = [_round(application, port, bodies) for _ in range(plan.rounds + 1)][1:]
    sent, bare = (median(one[which] for one in rounds) for which in (0, 1))
    rows = [["from the outbox", number(sent), ratio(sent / bare)], ["a bare loop of posts", number(bare), "1"]]
    return f"{_NOTICES} a round.\n\n{markdown(['', 'notices/s', 'over the loop'], rows)}"


def _round(application: Application, port: int, bodies: list[bytes]) -> tuple[float, float]:
    for person in range(_NOTICES):
        look_up_in_process(application, [person])
    bodies.clear()
    started = time.perf_counter()
    sent = application.notices.send_due().sent
    rate = sent / (time.perf_counter() - started)
    posted = list(bodies)
    connection = HTTPConnection("127.0.0.1", port)
    started = time.perf_counter()
    for body in posted:
        connection.request("POST", "/", body)
        connection.getresponse().read()
    bare = len(posted) / (time.perf_counter() - started)
    connection.close()
    return rate, bare


@contextmanager
def _receiver() -> Iterator[tuple[int, list[bytes]]]:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port, bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
