"""The line to OpenBao, and what else may be at its end: cut, silent, slow, an impostor, a wrong certificate."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from registry.crypto.random import random_bytes
from registry.domain.errors import KeyUnavailable
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.openbao.transit import TransitKey
from registry.keys.openbao.wire import Wire
from tests.conftest import openbao_program
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.tcp_line import Fault, TcpLine
from tests.functional.keys.baos import CONTEXT, KEY, Bao, bao_of, certificate


@pytest.fixture
def line(openbao: OpenBaoServer) -> Iterator[TcpLine]:
    with TcpLine(openbao.port) as passing:
        yield passing


@pytest.fixture
def far(openbao: OpenBaoServer, line: TcpLine, tmp_path: Path) -> Iterator[Bao]:
    settings = openbao.set_up(address=f"http://127.0.0.1:{line.port}", timeout_seconds=0.5)
    made = bao_of(openbao, tmp_path, settings)
    yield made
    made.session.close()


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_cut_connection_is_not_noticed(far: Bao, line: TcpLine, fault: Fault) -> None:
    wrapped = far.wrap()
    line.fault = fault
    assert far.unwrap(wrapped) == KEY


def test_a_silent_service_costs_its_time_once(far: Bao, line: TcpLine) -> None:
    wrapped = far.wrap()
    line.fault = Fault.SILENCE
    started = time.monotonic()
    for _ in range(50):
        assert far.refused(wrapped) == "key_service_unreachable"
    assert 0.4 < time.monotonic() - started < 2
    line.fault = Fault.NONE
    far.clock.pass_by()
    assert far.unwrap(wrapped) == KEY


def test_of_many_one_tries(far: Bao, line: TcpLine) -> None:
    wrapped = far.wrap()
    line.fault = Fault.SILENCE
    assert far.refused(wrapped) == "key_service_unreachable"
    far.clock.pass_by()
    before = line.connections
    threads = [threading.Thread(target=lambda: far.refused(wrapped)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert line.connections - before == 1


def test_a_slow_service_is_waited_for_and_connections_are_kept(far: Bao, line: TcpLine) -> None:
    line.delay_seconds = 0.05
    before = line.connections
    wrapped = [far.wrap() for _ in range(3)]
    assert [far.unwrap(each) for each in wrapped] == [KEY] * 3
    assert line.connections == before


def test_five_hundred_keys_are_three_requests(bao: Bao) -> None:
    provider = bao.ring.provider("data")
    before = bao.server.requests().count(f'"path":"transit/decrypt/{bao.settings.key_of("data")}"')
    wrapped = provider.wrap_many([(CONTEXT, random_bytes(32)) for _ in range(500)])
    provider.unwrap_many([(CONTEXT, each) for each in wrapped])
    after = bao.server.requests().count(f'"path":"transit/decrypt/{bao.settings.key_of("data")}"')
    assert after - before == 2 * 3  # the audit device writes each request and each answer


# ---- something else at its address ----


class Impostor(BaseHTTPRequestHandler):
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")
    seen: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append(dict(self.headers))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def impostor() -> Iterator[HTTPServer]:
    Impostor.seen = []
    server = HTTPServer(("127.0.0.1", 0), Impostor)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def wire_to(server: HTTPServer, tmp_path: Path) -> Wire:
    return Wire(KeyServiceSettings(f"http://127.0.0.1:{server.server_port}", tmp_path / "none", timeout_seconds=1))


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b'["no", "object"]'),
        (200, {}, b'{"a":1,"a":2}'),
        (200, {}, b"{" + b" " * (3 << 20) + b"}"),
        (200, {"Content-Encoding": "gzip"}, b"{}"),
    ],
)
def test_what_is_no_openbao_is_told(
    impostor: HTTPServer, tmp_path: Path, answer: tuple[int, dict[str, str], bytes]
) -> None:
    Impostor.answer = answer
    wire = wire_to(impostor, tmp_path)
    with pytest.raises(KeyUnavailable) as caught:
        wire.post("transit/decrypt/x", {}, "s.secret")
    assert caught.value.code == "key_service_failed"
    assert "secret" not in caught.value.cause
    wire.close()


def test_a_redirect_is_not_followed(impostor: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    Impostor.answer = (307, {"Location": f"http://127.0.0.1:{impostor.server_port}/v1/elsewhere"}, b"")
    wire = wire_to(impostor, tmp_path)
    assert wire.post("transit/decrypt/x", {}, "s.secret").status == 307
    assert len(Impostor.seen) == 1
    wire.close()


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{"plaintext": "AA=="}, {"plaintext": "AA=="}],
        ["AA=="],
        [{"plaintext": 7}],
        [{"plaintext": "not base64"}],
        [{}],
    ],
)
def test_an_answer_to_something_else_is_refused(impostor: HTTPServer, tmp_path: Path, results: object) -> None:
    secret_id = tmp_path / "secret-id"
    secret_id.write_text("x")
    secret_id.chmod(0o400)
    auth = {"client_token": "s.x", "lease_duration": 60, "renewable": True}
    Impostor.answer = (200, {}, json.dumps({"auth": auth, "data": {"batch_results": results}}).encode())
    session = Session(KeyServiceSettings(f"http://127.0.0.1:{impostor.server_port}", secret_id))
    with pytest.raises(KeyUnavailable) as caught:
        TransitKey(session, "registry-data").unwrap([(CONTEXT, b"\x02\0\0\0\1" + bytes(60))])
    assert caught.value.code == "key_service_failed"
    session.close()


# ---- TLS ----


def test_only_the_trusted_certificate_for_the_right_name_is_spoken_to(tmp_path: Path) -> None:
    pair = certificate(tmp_path / "good", "IP:127.0.0.1")
    server = OpenBaoServer(openbao_program(), tls=pair)
    try:
        server.start()
        settings = server.set_up(ca_file=pair[0])
        bao = bao_of(server, tmp_path, settings)
        assert bao.unwrap(bao.wrap()) == KEY
        bao.session.close()
        stranger, _ = certificate(tmp_path / "stranger", "IP:127.0.0.1")
        wrong_name = replace(settings, address=settings.address.replace("127.0.0.1", "localhost"))
        for wrong in (replace(settings, ca_file=stranger), replace(settings, ca_file=None), wrong_name):
            session = Session(wrong)
            with pytest.raises(KeyUnavailable, match="certificate is not trusted"):
                session.call("transit/decrypt/x", {})
            session.close()
        with pytest.raises(KeyUnavailable, match="holds no certificates"):
            Session(replace(settings, ca_file=settings.secret_id_file))
    finally:
        server.remove()
