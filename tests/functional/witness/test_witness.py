"""A witness: what it keeps, what it refuses, and that it never forgets."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.cosignature import Cosigner, open_cosignatures
from registry.transparency.witness_wire import MAX_BODY_BYTES, monitoring_path
from registry.witness.daemon import Witness, serving_witness
from registry.witness.folder import WitnessFolder, create
from registry.witness.keys import check_of
from tests.fakes.clock import TestClock
from tests.unit.transparency.support import LEDGER, ORIGIN, STRANGER
from tests.unit.transparency.test_witnessing import FORK, TREE, body, note

NAME = "witness.inspector.example/w1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    create(tmp_path / "witness", NAME, [LEDGER.key])
    return tmp_path / "witness"


def at(place: Path, clock: TestClock | None = None) -> Witness:
    return Witness(WitnessFolder(place), clock or TestClock())


def test_a_cosigned_checkpoint_is_kept_and_shown(place: Path) -> None:
    witness, key = at(place), WitnessFolder(place).key.key
    reply = witness.add_checkpoint(body(0, 8))
    assert reply.status == 200
    cosigner = Cosigner(key, check_of(key))
    assert [one.key for one in open_cosignatures(note(8) + reply.body, (cosigner,), ORIGIN)] == [key]
    shown = at(place).shown(monitoring_path(ORIGIN)).body
    assert shown == note(8) + reply.body
    assert open_checkpoint(shown, LEDGER.verifier, ORIGIN).size == 8
    assert (place / "key").stat().st_mode & 0o777 == 0o600
    assert witness.shown("0" * 64 + "/checkpoint").status == 404


def test_a_new_process_remembers(place: Path) -> None:
    assert at(place).add_checkpoint(body(0, 8)).status == 200
    assert at(place).add_checkpoint(body(0, 15)).body == "8\n"
    assert at(place).add_checkpoint(body(8, 15)).status == 200
    reply = at(place).add_checkpoint(body(8, 15))
    assert (reply.status, reply.body, reply.content_type) == (409, "15\n", "text/x.tlog.size")


def test_another_history_is_refused_and_kept(place: Path) -> None:
    witness = at(place)
    witness.add_checkpoint(body(0, 8))
    asked = body(8, 15, FORK)
    assert witness.add_checkpoint(asked).status == 422
    assert witness.add_checkpoint(body(4, 8, FORK)).status == 409
    kept = sorted((place / "evidence").iterdir())
    assert len(kept) == 2
    assert kept[0].read_bytes().startswith(asked)
    assert note(8).partition("\n\n")[0].encode() in kept[0].read_bytes()
    assert witness.shown(monitoring_path(ORIGIN)).body.startswith(note(8))


def test_lines_of_others_are_not_passed_on(place: Path) -> None:
    extra = STRANGER.sign(note(8).partition("\n\n")[0] + "\n").rpartition("\n\n")[2]
    at(place).add_checkpoint(body(0, 8, signed=note(8) + extra))
    assert extra not in at(place).shown(monitoring_path(ORIGIN)).body


def test_a_clock_behind_its_own_word_cosigns_nothing(place: Path) -> None:
    clock = TestClock()
    witness = at(place, clock)
    assert witness.add_checkpoint(body(0, 8)).status == 200
    clock.step(-2)
    assert witness.add_checkpoint(body(8, 15)).status == 503
    clock.step(2)
    assert witness.add_checkpoint(body(8, 15)).status == 200


@pytest.mark.parametrize("damage", ["gone", "cut", "other form", "emptied of its cosignature", "of another size"])
def test_a_witness_that_forgot_does_not_go_on(place: Path, damage: str) -> None:
    witness = at(place)
    witness.add_checkpoint(body(0, 8))
    state = place / "state"
    text = state.read_text("utf-8")
    if damage == "gone":
        state.unlink()
    else:
        own = witness.shown(monitoring_path(ORIGIN)).body.removeprefix(note(8)).strip()
        changes = {
            "cut": text[:-20],
            "other form": text.replace("\n", ""),
            "emptied of its cosignature": text.replace(own + "\\n", ""),
            "of another size": text.replace("\\n8\\n", "\\n4\\n"),
        }
        assert changes[damage] != text
        state.write_text(changes[damage], "utf-8")
    assert witness.add_checkpoint(body(8, 15)).status == 503
    assert witness.add_checkpoint(body(0, 15)).status == 503


def test_nothing_is_answered_that_is_not_on_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = at(place)
    witness.add_checkpoint(body(0, 8))

    def full(_: int) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("registry.witness.folder.os.fsync", full)
        assert witness.add_checkpoint(body(8, 15)).status == 503
    assert at(place).add_checkpoint(body(8, 15)).status == 200


def test_a_folder_is_made_once_and_run_once(place: Path) -> None:
    with pytest.raises(MisconfiguredHome, match="not empty"):
        create(place, NAME, [LEDGER.key])
    folder = WitnessFolder(place)
    with folder.alone(), pytest.raises(MisconfiguredHome, match="runs in"), WitnessFolder(place).alone():
        pass
    with folder.alone():
        pass


@pytest.mark.parametrize("part", ["key", "policy", "state"])
def test_a_folder_with_a_part_missing_or_open_is_none(place: Path, part: str) -> None:
    (place / part).rename(place / "away")
    with pytest.raises(MisconfiguredHome):
        WitnessFolder(place)
    (place / "away").rename(place / part)
    (place / "key").chmod(0o644)
    with pytest.raises(MisconfiguredHome, match="chmod 600"):
        WitnessFolder(place)


@pytest.fixture
def port(place: Path) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    with serving_witness(at(place), listening) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


def asked(port: int, method: str, path: str, content: bytes | None = None, **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(content)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    finally:
        connection.close()


def test_over_http(port: int) -> None:
    def post(content: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
        return asked(port, "POST", path, content, Content_Length=str(len(content)))

    assert post(body(0, 8))[0] == 200
    assert post(body(7, 15))[::2] == (409, "text/x.tlog.size")
    assert post(b"nonsense")[0] == 400
    assert post(body(8, 15, signed=note(15, signer=STRANGER)))[0] == 403
    assert post(body(8, 15, FORK))[0] == 422
    assert post(body(8, 15), "/sign-subtree")[0] == 404
    assert asked(port, "GET", f"/{monitoring_path(ORIGIN)}")[0] == 200
    assert asked(port, "GET", "/../key")[0] == 404
    assert asked(port, "DELETE", "/add-checkpoint")[0] == 501
    assert TREE.root(8)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 411),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "1_0"}, 411),
        ({"Content_Length": "5", "Transfer_Encoding": "chunked"}, 411),
        ({"Content_Length": str(MAX_BODY_BYTES + 1)}, 413),
    ],
)
def test_a_body_has_a_length_and_a_limit(port: int, headers: dict[str, str], status: int) -> None:
    assert asked(port, "POST", "/add-checkpoint", **headers)[0] == status
