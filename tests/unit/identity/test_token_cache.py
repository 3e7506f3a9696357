from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from registry.domain.errors import TokenRefused
from registry.domain.principals import Claims
from registry.identity.token_cache import VerifiedTokens
from tests.fakes.issuer import StoppedClock

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
SECOND = int(NOW.timestamp())
CLAIMS = Claims("https://sign-in.example", "casey.morgan", None, "", "", SECOND + 200)


class CountingVerifier:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.during: list[VerifiedTokens] = []
        self.expires_at = SECOND + 200

    def verify(self, token: str) -> Claims:
        self.calls.append(token)
        for cache in self.during:
            cache.clear()
        if token.startswith("bad"):
            raise TokenRefused("signature")
        return replace(CLAIMS, token_id=token, expires_at=self.expires_at)


def cache(capacity: int = 100) -> tuple[VerifiedTokens, CountingVerifier, StoppedClock]:
    verifier, clock = CountingVerifier(), StoppedClock(NOW)
    return VerifiedTokens(verifier, clock, capacity), verifier, clock


def test_token_is_verified_once() -> None:
    tokens, verifier, _ = cache()
    assert tokens.verify("a") == tokens.verify("a") == tokens.recall("a")
    assert tokens.verify("b").token_id == "b"
    assert verifier.calls == ["a", "b"]


def test_entry_ends_with_the_token_without_leeway() -> None:
    tokens, verifier, clock = cache()
    tokens.verify("a")
    clock.moment = NOW + timedelta(seconds=199.9)
    tokens.verify("a")
    assert verifier.calls == ["a"]
    clock.moment = NOW + timedelta(seconds=200)
    assert tokens.recall("a") is None
    tokens.verify("a")
    assert verifier.calls == ["a", "a"]


def test_entry_ends_after_five_minutes_so_that_a_withdrawn_key_stops_working() -> None:
    tokens, verifier, clock = cache()
    verifier.expires_at = SECOND + 3600
    tokens.verify("a")
    clock.moment = NOW + timedelta(seconds=300)
    assert tokens.recall("a") is None


def test_refusals_are_not_remembered() -> None:
    tokens, verifier, _ = cache()
    for _ in range(2):
        with pytest.raises(TokenRefused):
            tokens.verify("bad")
    assert verifier.calls == ["bad", "bad"]
    assert len(tokens) == 0


def test_clear_and_forget_drop_tokens() -> None:
    tokens, verifier, _ = cache()
    tokens.verify("a")
    tokens.verify("b")
    tokens.forget("a")
    assert tokens.recall("a") is None
    assert tokens.recall("b") is not None
    tokens.clear()
    assert tokens.recall("b") is None
    assert verifier.calls == ["a", "b"]


def test_token_verified_while_the_memory_was_cleared_is_not_kept() -> None:
    tokens, verifier, _ = cache()
    verifier.during = [tokens]
    assert tokens.verify("a").token_id == "a"
    assert tokens.recall("a") is None


def test_a_token_that_is_forgotten_while_it_is_verified_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, verifier, _ = cache()
    right = verifier.verify

    def meanwhile(token: str) -> Claims:
        claims = right(token)
        tokens.forget(token)
        return claims

    monkeypatch.setattr(verifier, "verify", meanwhile)
    assert tokens.verify("a").token_id == "a"
    assert tokens.recall("a") is None


def test_what_an_expired_token_said_is_not_told() -> None:
    tokens, verifier, clock = cache()
    verifier.expires_at = SECOND + 3600
    tokens.verify("a")
    clock.moment = NOW + timedelta(seconds=1800)
    assert (tokens.recall("a"), tokens.knew("b")) == (None, None)
    assert tokens.knew("a") is not None
    clock.moment = NOW + timedelta(seconds=3600)
    assert tokens.knew("a") is None


def test_number_of_tokens_is_bounded_and_the_oldest_goes_first() -> None:
    tokens, _, _ = cache(capacity=3)
    for name in "abcd":
        tokens.verify(name)
    assert len(tokens) == 3
    assert tokens.recall("a") is None
    assert all(tokens.recall(name) for name in "bcd")


def test_token_itself_is_not_kept() -> None:
    tokens, _, _ = cache()
    tokens.verify("SENTINEL-TOKEN")
    assert all(len(key) == 32 for key in tokens._entries)
    assert b"SENTINEL" not in b"".join(tokens._entries)


def test_text_that_is_no_token_reaches_the_verifier() -> None:
    tokens, verifier, _ = cache()
    with pytest.raises(TokenRefused):
        tokens.verify("bad\ud800")
    assert len(verifier.calls) == 1


def test_many_threads_share_one_memory() -> None:
    tokens, _, _ = cache(capacity=50)
    barrier = Barrier(8)
    wrong: list[str] = []

    def work(offset: int) -> None:
        barrier.wait()
        for step in range(400):
            name = f"t{(step * 7 + offset) % 80}"
            if tokens.verify(name).token_id != name:
                wrong.append(name)
            if step % 97 == 0:
                tokens.clear()

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(tokens) <= 50
