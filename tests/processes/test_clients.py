"""The clients of these tests hide nothing: what they met, and that they do not end, fails the test."""

from __future__ import annotations

import asyncio

import pytest

from tests.processes.clients import Clients


def idle(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Return clients that ask nothing and end after so long."""

    async def nothing(_: Clients) -> None:
        await asyncio.sleep(seconds)

    monkeypatch.setattr(Clients, "_all", nothing)
    return Clients([0], "", "", [], 1, end_seconds=0.05 if seconds else 30)


def test_clients_that_do_not_end_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="clients do not end"), idle(1, monkeypatch).asking():
        pass


def meets(clients: Clients, *, then: Exception | None = None) -> None:
    """Ask for a moment in which something unexpected is met; the block may fail after it."""
    with clients.asking():
        clients.unexpected.append("500 internal")
        if then is not None:
            raise then


def test_what_clients_met_at_the_very_end_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="500"):
        meets(idle(0, monkeypatch))


def test_the_failure_of_the_block_is_the_one_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        meets(idle(0, monkeypatch), then=KeyError())
