"""Reading OpenBao's audit log: what is counted, what is refused. A real server's is read in the functional tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.keys.openbao.audit_log import read_log
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.uses import KeyLog, LogText

SETTINGS = KeyServiceSettings("https://openbao.city.example:8200", Path("/run/secrets/x"))
DECRYPT = "transit/decrypt/registry-data"
AT = "2026-11-27T10:25:02.348103752Z"


def line(name: str, kind: str = "response", path: str = DECRYPT, **more: object) -> bytes:
    data = {"batch_input": [{"context": "hmac-sha256:a"}, {"context": "hmac-sha256:b"}]}
    request = {"id": name, "path": path, "data": data, "remote_address": "192.0.2.7"}
    told = {"time": AT, "type": kind, "auth": {"display_name": "approle"}, "request": request}
    return json.dumps(told | more).encode()


def read(*lines: bytes, is_whole: bool = True) -> KeyLog:
    return read_log([LogText("audit.log", lines, is_whole)], SETTINGS)


def test_every_key_of_a_batch_is_one_unwrap() -> None:
    log = read(line("1", "request"), line("1"))
    assert [use.mark for use in log.uses] == ["hmac-sha256:a", "hmac-sha256:b"]
    assert {(use.key, use.who, use.at_ms % 1_000) for use in log.uses} == {("registry-data", "approle 192.0.2.7", 348)}


def test_a_single_decryption_is_one_too() -> None:
    request = {"id": "1", "path": DECRYPT, "data": {"context": "hmac-sha256:c"}}
    assert [use.mark for use in read(line("1", request=request)).uses] == ["hmac-sha256:c"]


def test_what_was_refused_is_none() -> None:
    assert read(line("1", "request"), line("1", error="permission denied")).uses == ()


def test_a_log_that_was_rotated_between_a_request_and_its_answer_counts_it_once() -> None:
    """The answer repeats the request; a log that begins with it tells as much."""
    before, after = LogText("audit.log.1", [line("1", "request")]), LogText("audit.log", [line("1"), line("2")])
    assert len(read_log([before, after], SETTINGS).uses) == 4
    assert len(read_log([after], SETTINGS).uses) == 4
    refused = LogText("audit.log", [line("1", error="permission denied")])
    assert read_log([before, refused], SETTINGS).uses == ()


def test_a_request_whose_answer_is_missing_counts() -> None:
    assert len(read(line("1", "request")).uses) == 2


@pytest.mark.parametrize(
    "path", ["transit/encrypt/registry-data", "transit/decrypt/others", "kv/decrypt/registry-data"]
)
def test_what_concerns_no_key_of_ours_is_left_out(path: str) -> None:
    log = read(line("1", path=path))
    assert (log.uses, log.taken, log.first_ms == log.last_ms > 0) == ((), (), True)


@pytest.mark.parametrize(
    "path",
    [
        "transit/export/encryption-key/registry-data/1",
        "transit/byok-export/elsewhere/registry-data",
        "transit/backup/registry-secrets",
    ],
)
def test_a_key_that_leaves_is_told(path: str) -> None:
    log = read(line("1", path=path))
    assert (log.uses, len(log.taken)) == ((), 1)


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'{"type": "response"}', b'{"time": "yesterday"}'])
def test_a_line_that_is_none_is_refused(bad: bytes) -> None:
    with pytest.raises(MisconfiguredHome, match=r"audit\.log:1"):
        read(bad, line("1"))


def test_a_last_line_that_is_half_written_is_left_for_the_next_time() -> None:
    assert len(read(line("1"), b'{"time": "20', is_whole=False).uses) == 2
