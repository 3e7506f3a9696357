"""The key set cache against a real HTTP server on the loopback interface, many threads, and bad servers."""

from __future__ import annotations

import contextlib
import gzip
import ssl
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread

import pytest

from registry.domain.errors import KeyUnavailable, MisconfiguredHome, TokenRefused
from registry.identity.issuers import IssuerSettings
from registry.identity.jwks import FRESH_SECONDS, RETRY_SECONDS, JwksCache
from registry.identity.jwks_http import HttpFetch
from tests.fakes.issuer import TestIssuer, compact_json
from tests.functional.keys.baos import certificate

ISSUER = TestIssuer.es256()
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


class KeyServer:
    """An issuer's key endpoint that can be told to misbehave."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Answer = lambda handler: send(handler, ISSUER.key_set())
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has seen enough
                    outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/jwks"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    running = KeyServer()
    yield running
    running.close()


class Hands:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


FETCH = HttpFetch(timeout_seconds=2, deadline_seconds=2)


def settings(server: KeyServer) -> IssuerSettings:
    return ISSUER.settings(jwks_uri=server.url)


def in_threads(number: int, work: Callable[[int], str]) -> list[str]:
    """Run the work in many threads that start together; returns what each said."""
    barrier = Barrier(number)
    said: list[str] = []

    def one(index: int) -> None:
        barrier.wait()
        said.append(work(index))

    threads = [Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def outcome(keys: JwksCache, terms: IssuerSettings, key_id: str) -> str:
    try:
        return keys.find(terms, key_id).key_id
    except TokenRefused as refusal:
        return refusal.reason


def test_keys_come_over_http(server: KeyServer) -> None:
    keys = JwksCache(FETCH)
    assert outcome(keys, settings(server), "key-1") == "key-1"
    assert server.paths == ["/jwks"]


def test_request_carries_nothing_of_its_surroundings(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    FETCH(server.url)
    assert not {"authorization", "cookie"} & server.headers[0].keys()
    assert server.headers[0]["accept-encoding"] == "identity"


def test_sixteen_threads_at_a_cold_start_fetch_once(server: KeyServer) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        send(handler, ISSUER.key_set())

    server.answer = slowly
    keys = JwksCache(FETCH)
    assert in_threads(16, lambda _: outcome(keys, settings(server), "key-1")) == ["key-1"] * 16
    assert len(server.paths) == 1


def test_sixteen_threads_with_a_stale_set_fetch_once(server: KeyServer) -> None:
    hands = Hands()
    keys = JwksCache(FETCH, hands)
    outcome(keys, settings(server), "key-1")
    hands.seconds += FRESH_SECONDS
    assert in_threads(16, lambda _: outcome(keys, settings(server), "key-1")) == ["key-1"] * 16
    assert len(server.paths) == 2


def test_sixteen_threads_with_a_failing_server_ask_once(server: KeyServer) -> None:
    def fail(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.1)
        send(handler, b"", 500)

    server.answer = fail
    keys = JwksCache(FETCH)
    assert in_threads(16, lambda _: outcome(keys, settings(server), "key-1")) == ["keys_unavailable"] * 16
    assert len(server.paths) == 1


def test_flood_of_unknown_keys_from_many_threads_fetches_once(server: KeyServer) -> None:
    hands = Hands()
    keys = JwksCache(FETCH, hands)
    outcome(keys, settings(server), "key-1")
    hands.seconds += RETRY_SECONDS
    said = in_threads(16, lambda index: ",".join({outcome(keys, settings(server), f"k{index}-{n}") for n in range(50)}))
    assert said == ["unknown_key"] * 16
    assert len(server.paths) == 2


def test_rollover_reaches_all_threads_with_one_fetch(server: KeyServer) -> None:
    hands = Hands()
    keys = JwksCache(FETCH, hands)
    outcome(keys, settings(server), "key-1")
    new = TestIssuer.es256(key_id="key-2")
    document = compact_json({"keys": [ISSUER.public_jwk(), new.public_jwk()]})

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        send(handler, document)

    server.answer = slowly
    hands.seconds += RETRY_SECONDS
    assert in_threads(16, lambda _: outcome(keys, settings(server), "key-2")) == ["key-2"] * 16
    assert len(server.paths) == 2


def test_server_gone_keeps_the_keys(server: KeyServer) -> None:
    hands = Hands()
    keys = JwksCache(FETCH, hands)
    outcome(keys, settings(server), "key-1")
    server.close()
    hands.seconds += FRESH_SECONDS
    assert outcome(keys, settings(server), "key-1") == "key-1"
    assert keys.status()[0].failure == "key set: ConnectError"
    assert outcome(keys, settings(server), "made-up") == "unknown_key"


def failure_of(server: KeyServer, answer: Answer, fetch: HttpFetch = FETCH) -> str:
    server.answer = answer
    with pytest.raises(KeyUnavailable) as caught:
        fetch(server.url)
    return caught.value.cause


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(server: KeyServer, status: int) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/jwks":
            send(handler, b"", status, Location=server.url.replace("/jwks", "/elsewhere"))
        else:
            send(handler, ISSUER.key_set())

    assert failure_of(server, elsewhere) == f"key set: status {status}"
    assert server.paths == ["/jwks"]


@pytest.mark.parametrize("status", [201, 203, 206, 400, 401, 404, 429, 500, 503])
def test_any_status_but_200_is_a_failure(server: KeyServer, status: int) -> None:
    assert failure_of(server, lambda handler: send(handler, ISSUER.key_set(), status)) == f"key set: status {status}"


def test_endless_body_is_cut_off(server: KeyServer) -> None:
    sent = 0

    def endless(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        while sent < 200_000_000:
            sent += handler.wfile.write(b" " * 65_536)

    assert failure_of(server, endless) == "key set: larger than 256 kB"
    server.close()
    assert sent < 20_000_000  # what fits into socket buffers, not what the server would have sent


def test_body_of_256_kb_passes_and_one_byte_more_does_not(server: KeyServer) -> None:
    whole = ISSUER.key_set().ljust(262_144)
    server.answer = lambda handler: send(handler, whole)
    assert FETCH(server.url) == whole
    assert failure_of(server, lambda handler: send(handler, whole + b" ")) == "key set: larger than 256 kB"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP"])
def test_compressed_body_is_refused_unread(server: KeyServer, encoding: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    cause = failure_of(server, lambda handler: send(handler, bomb, Content_Encoding=encoding))
    assert cause == "key set: compressed although not asked for"


def test_dripping_body_meets_the_deadline(server: KeyServer) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" ")
            time.sleep(0.02)

    begun = time.monotonic()
    assert failure_of(server, drip, HttpFetch(timeout_seconds=1, deadline_seconds=0.2)) == "key set: too slow"
    assert time.monotonic() - begun < 2


def test_silent_server_meets_the_timeout(server: KeyServer) -> None:
    fetch = HttpFetch(timeout_seconds=0.2, deadline_seconds=1)
    assert failure_of(server, lambda _handler: time.sleep(0.6), fetch) == "key set: ReadTimeout"


def test_body_cut_short_is_a_failure(server: KeyServer) -> None:
    def short(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(b'{"keys":')

    assert failure_of(server, short) == "key set: RemoteProtocolError"


def test_plain_http_to_another_machine_is_never_tried() -> None:
    with pytest.raises(MisconfiguredHome):
        FETCH("http://sign-in.example/jwks")


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(server: KeyServer) -> None:
    """A name that leads elsewhere at a second look (DNS rebinding) is not looked at a second time."""
    looked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["169.254.169.254"]

    port = server.url.rsplit(":", 1)[1].split("/")[0]
    fetch = HttpFetch(timeout_seconds=2, deadline_seconds=2, resolve=rebinding)
    assert fetch(f"http://localhost:{port}/jwks") == ISSUER.key_set()
    assert looked == ["localhost"]
    assert server.headers[0]["host"] == f"localhost:{port}"


def test_only_what_was_checked_is_connected_to(server: KeyServer) -> None:
    """Whatever the machine's own name service says: the address here is one where nobody listens."""
    fetch = HttpFetch(timeout_seconds=2, deadline_seconds=2, resolve=lambda _host, _port: ["127.7.7.7"])
    with pytest.raises(KeyUnavailable, match="ConnectError"):
        fetch(server.url.replace("127.0.0.1", "localhost"))
    assert server.paths == []


def test_the_certificate_is_the_names_whatever_the_address(tmp_path: Path) -> None:
    pem, key = certificate(tmp_path / "issuer", "DNS:sign-in.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server = KeyServer(context)
    fetch = HttpFetch(
        ssl.create_default_context(cafile=pem),
        timeout_seconds=2,
        deadline_seconds=2,
        resolve=lambda _host, _port: ["127.0.0.1"],
    )
    inside, port = ("127.0.0.0/8",), server.url.rsplit(":", 1)[1]
    try:
        assert fetch(f"https://sign-in.example:{port}", inside) == ISSUER.key_set()
        with pytest.raises(KeyUnavailable, match="ConnectError"):
            fetch(f"https://other.example:{port}", inside)
    finally:
        server.close()
    assert server.paths == ["/jwks"]


def test_a_name_that_leads_inside_is_not_connected_to(server: KeyServer) -> None:
    port = server.url.rsplit(":", 1)[1].split("/")[0]
    fetch = HttpFetch(timeout_seconds=2, deadline_seconds=2, resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(KeyUnavailable, match="not a public one"):
        fetch(f"https://sign-in.example:{port}/jwks")
    assert server.paths == []


def test_a_first_address_that_is_dead_gives_way_to_the_second(server: KeyServer) -> None:
    port = server.url.rsplit(":", 1)[1].split("/")[0]
    fetch = HttpFetch(timeout_seconds=2, deadline_seconds=2, resolve=lambda _host, _port: ["127.7.7.7", "127.0.0.1"])
    assert fetch(f"http://localhost:{port}/jwks") == ISSUER.key_set()


@pytest.mark.parametrize(
    "document",
    [
        b'{"keys":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
        compact_json({"keys": [{**ISSUER.public_jwk(), "kid": f"k{n}", "x": "AA"} for n in range(1_500)]}),
        b'{"keys":[' + b",".join(b"{}" for _ in range(10_000)) + b"]}",
    ],
    ids=["nested", "many", "ten_thousand"],
)
def test_a_key_set_that_is_a_bomb_is_an_outage_and_quickly_told(server: KeyServer, document: bytes) -> None:
    server.answer = lambda handler: send(handler, document)
    keys, begun = JwksCache(FETCH), time.monotonic()
    assert outcome(keys, settings(server), "key-1") == "keys_unavailable"
    assert time.monotonic() - begun < 2


def test_cause_holds_nothing_that_the_server_sent(server: KeyServer) -> None:
    assert "SENTINEL" not in failure_of(server, lambda handler: send(handler, b"SENTINEL", 500, X_Note="SENTINEL"))
