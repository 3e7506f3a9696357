"""The key set cache without a network: a scripted fetch and a hand-moved clock."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Thread

import pytest

from registry.domain.errors import KeyUnavailable, TokenRefused
from registry.identity.jwks import BACK_OFF_SECONDS, FRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, JwksCache
from tests.fakes.issuer import TestIssuer, compact_json

ISSUER = TestIssuer.es256()
NEXT = TestIssuer.es256(key_id="key-2")
SETTINGS = ISSUER.settings()


class Source:
    """Serves a document, or fails; counts."""

    def __init__(self) -> None:
        self.document = ISSUER.key_set()
        self.fails = False
        self.calls: list[str] = []

    def __call__(self, url: str, networks: tuple[str, ...] = ()) -> bytes:
        self.calls.append(url)
        if self.fails:
            raise KeyUnavailable("key set: ConnectError")
        return self.document


class Hands:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.seconds = 5.0

    def __call__(self) -> float:
        return self.seconds


def cache() -> tuple[JwksCache, Source, Hands]:
    source, hands = Source(), Hands()
    return JwksCache(source, hands), source, hands


def reason(keys: JwksCache, key_id: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        keys.find(SETTINGS, key_id)
    return caught.value.reason


def test_set_is_fetched_once_while_fresh() -> None:
    keys, source, hands = cache()
    for _ in range(50):
        assert keys.find(SETTINGS, "key-1").key_id == "key-1"
        hands.seconds += 5.9
    assert source.calls == [SETTINGS.jwks_uri]


def test_stale_set_is_fetched_again() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    hands.seconds += FRESH_SECONDS
    keys.find(SETTINGS, "key-1")
    assert len(source.calls) == 2


def test_withdrawn_key_stops_working_when_the_set_is_stale() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.document = NEXT.key_set()
    hands.seconds += FRESH_SECONDS
    assert reason(keys, "key-1") == "unknown_key"
    assert keys.find(SETTINGS, "key-2").key_id == "key-2"


def test_new_key_is_found_at_once_when_a_token_names_it() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.document = compact_json({"keys": [ISSUER.public_jwk(), NEXT.public_jwk()]})
    hands.seconds += RETRY_SECONDS
    assert keys.find(SETTINGS, "key-2").key_id == "key-2"
    assert len(source.calls) == 2


def test_flood_of_unknown_keys_fetches_once_in_ten_seconds() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    for number in range(1000):
        assert reason(keys, f"made-up-{number}") == "unknown_key"
        hands.seconds += 0.0999
    assert hands.seconds < 5 + 100
    assert len(source.calls) == 1 + 9


def test_outage_keeps_the_old_keys_and_is_tried_again_less_and_less() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.fails = True
    hands.seconds += FRESH_SECONDS
    for _ in range(100):
        assert keys.find(SETTINGS, "key-1").key_id == "key-1"
        hands.seconds += 1
    assert len(source.calls) == 1 + 4  # at once, after 10, 20 and 40 s
    source.fails = False
    hands.seconds += BACK_OFF_SECONDS
    keys.find(SETTINGS, "key-1")
    assert keys.status()[0].age_seconds == 0


@pytest.mark.parametrize("document", [b"<html>busy</html>", b"", b"{}", b'{"keys":' + b"x" * 262_144])
def test_answer_that_is_no_key_set_counts_as_an_outage(document: bytes) -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.document = document
    hands.seconds += FRESH_SECONDS
    assert keys.find(SETTINGS, "key-1").key_id == "key-1"
    assert keys.status()[0].failure.startswith("key set: ")


def test_old_keys_are_given_up_after_a_day() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.fails = True
    hands.seconds += STALE_SECONDS - 1
    assert keys.find(SETTINGS, "key-1").key_id == "key-1"
    hands.seconds += 1
    assert reason(keys, "key-1") == "keys_unavailable"
    source.fails = False
    hands.seconds += RETRY_SECONDS
    assert keys.find(SETTINGS, "key-1").key_id == "key-1"


def test_slow_failure_is_counted_from_its_end() -> None:
    hands = Hands()
    calls: list[str] = []

    def slow(url: str, networks: tuple[str, ...] = ()) -> bytes:
        calls.append(url)
        hands.seconds += RETRY_SECONDS + 5
        raise KeyUnavailable("key set: ReadTimeout")

    keys = JwksCache(slow, hands)
    assert reason(keys, "key-1") == "keys_unavailable"
    assert reason(keys, "key-1") == "keys_unavailable"
    assert len(calls) == 1


def test_outage_from_the_start_refuses_and_asks_less_and_less() -> None:
    keys, source, hands = cache()
    source.fails = True
    for _ in range(30):
        assert reason(keys, "key-1") == "keys_unavailable"
        hands.seconds += 1
    assert len(source.calls) == 2  # at once and after 10 s; the third time would be 20 s after that


def test_withdrawal_of_all_keys_is_believed() -> None:
    keys, source, hands = cache()
    keys.find(SETTINGS, "key-1")
    source.document = b'{"keys":[]}'
    hands.seconds += FRESH_SECONDS
    assert reason(keys, "key-1") == "unknown_key"


def test_issuers_have_sets_of_their_own() -> None:
    other = TestIssuer.es256(issuer="https://other.example", key_id="other-key")
    documents = {"https://sign-in.example/jwks": ISSUER.key_set(), "https://other.example/jwks": other.key_set()}
    keys = JwksCache(lambda url, networks=(): documents[url], Hands())
    others = other.settings(jwks_uri="https://other.example/jwks")
    assert keys.find(others, "other-key").key_id == "other-key"
    assert reason(keys, "other-key") == "unknown_key"
    assert [status.issuer for status in keys.status()] == ["https://other.example", "https://sign-in.example"]


def test_who_has_a_key_does_not_wait_for_the_fetch_of_a_newer_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.identity.jwks.WAIT_SECONDS", 30)
    entered, leave = Event(), Event()
    hands = Hands()

    def slow(_url: str, networks: tuple[str, ...] = ()) -> bytes:
        if hands.seconds > FRESH_SECONDS:
            entered.set()
            assert leave.wait(20)
        return ISSUER.key_set()

    keys = JwksCache(slow, hands)
    keys.find(SETTINGS, "key-1")
    hands.seconds += FRESH_SECONDS
    fetching = Thread(target=keys.find, args=(SETTINGS, "key-1"))
    fetching.start()
    assert entered.wait(20)
    begun = time.monotonic()
    assert keys.find(SETTINGS, "key-1").key_id == "key-1"
    assert time.monotonic() - begun < 4
    leave.set()
    fetching.join()


def test_unknown_key_waits_for_the_fetch_under_way_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.identity.jwks.WAIT_SECONDS", 0.05)
    entered, leave = Event(), Event()
    hands = Hands()

    def slow(_url: str, networks: tuple[str, ...] = ()) -> bytes:
        if hands.seconds > FRESH_SECONDS:
            entered.set()
            assert leave.wait(20)
        return ISSUER.key_set()

    keys = JwksCache(slow, hands)
    keys.find(SETTINGS, "key-1")
    hands.seconds += FRESH_SECONDS
    fetching = Thread(target=keys.find, args=(SETTINGS, "key-1"))
    fetching.start()
    assert entered.wait(20)
    assert reason(keys, "made-up") == "unknown_key"
    leave.set()
    fetching.join()


def test_keys_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.jwks"
    settings = ISSUER.settings(jwks_uri=None, jwks_file=path)
    source, hands = Source(), Hands()
    keys = JwksCache(source, hands)
    with pytest.raises(TokenRefused) as caught:
        keys.find(settings, "key-1")
    assert caught.value.reason == "keys_unavailable"
    path.write_bytes(ISSUER.key_set())
    hands.seconds += RETRY_SECONDS
    assert keys.find(settings, "key-1").key_id == "key-1"
    path.write_bytes(b" " * 300_000 + ISSUER.key_set())
    hands.seconds += FRESH_SECONDS
    assert keys.find(settings, "key-1").key_id == "key-1"
    assert keys.status()[0].failure == "key set: larger than 256 kB"
    assert source.calls == []


def test_status_tells_an_operator_what_is_wrong() -> None:
    keys, source, hands = cache()
    assert keys.status() == []
    source.fails = True
    assert reason(keys, "key-1") == "keys_unavailable"
    (status,) = keys.status()
    assert (status.keys, status.age_seconds, status.failure) == (0, None, "key set: ConnectError")
    source.fails = False
    hands.seconds += RETRY_SECONDS
    keys.find(SETTINGS, "key-1")
    hands.seconds += 7
    (status,) = keys.status()
    assert (status.keys, status.age_seconds, status.failure) == (1, 7, "")


def test_keys_that_are_too_old_to_go_by_are_none_to_whoever_asks_whether_there_are_any() -> None:
    keys, source, hands = cache()
    assert keys.has_keys(SETTINGS)
    source.fails = True
    hands.seconds += STALE_SECONDS - 1
    assert keys.has_keys(SETTINGS)
    hands.seconds += 1
    assert not keys.has_keys(SETTINGS)
    source.fails = False
    hands.seconds += BACK_OFF_SECONDS
    assert keys.has_keys(SETTINGS)
