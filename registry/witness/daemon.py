"""A witness that another organisation runs: it cosigns a ledger's checkpoints and never forgets one.

Plain HTTP of the standard library, for a loopback address or behind what ends TLS. Nothing about callers is logged:
what they send proves itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any

from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.transparency.checkpoint import parse_checkpoint
from registry.transparency.cosignature import Cosigner, cosign, open_cosignatures
from registry.transparency.note import Verifier, line_of, open_note, split_note
from registry.transparency.witness_wire import (
    ADD_CHECKPOINT,
    MAX_BODY_BYTES,
    SIZE_TYPE,
    monitoring_path,
    parse_add_checkpoint,
    size_answer,
)
from registry.transparency.witnessing import CONFLICT, OK, Seen, judge, newest_of
from registry.witness.folder import WitnessFolder
from registry.witness.keys import check_of

UNAVAILABLE = 503
MOST_AT_ONCE = 64
SECONDS = 10.0
_TEXT = "text/plain; charset=utf-8"
_WORDS = {
    400: "malformed",
    403: "not signed by the ledger",
    404: "unknown ledger",
    422: "another history",
    503: "later",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: str
    content_type: str = _TEXT


class Witness:
    """Judges requests, keeps what it cosigned, and cosigns. Its threads take turns."""

    def __init__(self, folder: WitnessFolder, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._own = Cosigner(folder.key.key, check_of(folder.key.key))

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer a request for a cosignature. What is answered 200 is on disk by then."""
        with self._lock:
            try:
                return self._add(body)
            except (OSError, MisconfiguredHome, ProofRejected):
                return Reply(UNAVAILABLE, "later\n")  # nothing is cosigned on a state that is not ours

    def shown(self, path: str) -> Reply:
        """Answer the monitoring request for the last cosigned checkpoint of a ledger."""
        with self._lock:
            try:
                notes = self._folder.notes()
            except MisconfiguredHome:
                return Reply(UNAVAILABLE, "later\n")
        for origin, note in notes.items():
            if monitoring_path(origin) == path:
                return Reply(OK, note)
        return Reply(404, "unknown ledger\n")

    def _add(self, body: bytes) -> Reply:
        notes = self._folder.notes()
        judged = judge(body, self._folder.logs, lambda origin: self._latest(notes.get(origin), origin))
        origin = "" if judged.checkpoint is None else judged.checkpoint.origin
        now = unix_ms(self._clock.now())
        if judged.is_evidence:
            self._folder.keep_evidence(now, body, notes[origin])
        if judged.status == CONFLICT:
            return Reply(CONFLICT, size_answer(judged.latest.size), SIZE_TYPE)
        if judged.status != OK or judged.checkpoint is None:
            return Reply(judged.status, _WORDS[judged.status] + "\n")
        if now // 1000 < self._last_time(notes.get(origin), origin):
            return Reply(UNAVAILABLE, "later\n")  # a clock behind our own word: a cosignature would deny it
        line = cosign(self._own.key, judged.checkpoint, now // 1000, self._folder.key.sign)
        signed = _only(parse_add_checkpoint(body).note, self._folder.logs[origin])
        self._folder.store({**notes, origin: signed + line})
        return Reply(OK, line)

    def _latest(self, note: str | None, origin: str) -> Seen | None:
        """Return what we cosigned; a state that somebody edited does not verify, and is no state."""
        if note is None:
            return None
        self._last_time(note, origin)
        keys = self._folder.logs[origin]
        opened = open_note(note, keys)
        return Seen(parse_checkpoint(opened.text, origin), newest_of(keys, opened))

    def _last_time(self, note: str | None, origin: str) -> int:
        if note is None:
            return 0
        found = open_cosignatures(note, (self._own,), origin)
        if not found:
            raise MisconfiguredHome("the state holds a checkpoint that this witness did not cosign")
        return found[0].unix_s


def _only(note: str, keys: Sequence[Verifier]) -> str:
    """Return the note with the lines of the ledger's keys: lines of others are not ours to pass on."""
    text, lines = split_note(note)
    known = {(one.key.name, one.key.key_id) for one in keys}
    kept = [line_of(line) for line in lines if (line.name, line.key_id) in known]
    return f"{text}\n{''.join(kept)}"


@contextmanager
def serving_witness(witness: Witness, listening: socket) -> Iterator[ThreadingHTTPServer]:
    """Prepare to serve on a socket that listens; ``serve_forever`` is the caller's."""
    server = _Server(listening.getsockname()[:2], _handler(witness), bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    try:
        yield server
    finally:
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection while there is room; else it is closed."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a connection that broke is its client's affair."""


def _handler(witness: Witness) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS
        protocol_version = "HTTP/1.1"
        server_version = "registry-witness"
        sys_version = ""

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdecimal() or self.headers.get("Transfer-Encoding"):
                self._end(Reply(411, "length required\n"))
            elif int(length) > MAX_BODY_BYTES:
                self._end(Reply(413, "too large\n"))
            else:
                body = self.rfile.read(int(length))
                is_call = self.path == f"/{ADD_CHECKPOINT}"
                self._answer(witness.add_checkpoint(body) if is_call else Reply(404, "no such call\n"))

        def do_GET(self) -> None:
            self._answer(witness.shown(self.path.removeprefix("/")))

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

        def _end(self, reply: Reply) -> None:
            self.close_connection = True
            self._answer(reply)

        def _answer(self, reply: Reply) -> None:
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
