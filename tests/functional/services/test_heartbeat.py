"""Signs of life: one where nothing else was entered for a while, by one of all that serve; a silence is told."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from registry.api.app import _beat
from registry.audit.kinds import Kind
from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.errors import AuditUnavailable
from registry.services.heartbeat import Heartbeat
from registry.settings import DEVELOPMENT, PRODUCTION, load_settings
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home


def kinds(home: Home) -> list[str]:
    return [entry.kind for entry in home.entries()]


def test_it_is_made_only_where_nothing_else_was(home: Home) -> None:
    heartbeat = Heartbeat(home.app.kernel, 60)
    grow(home, 10)
    home.clock.step(59)
    assert not heartbeat.beat()
    home.clock.step(1)
    assert heartbeat.beat()
    assert not heartbeat.beat()
    assert kinds(home)[10:] == [Kind.HEARTBEAT]
    home.clock.step(60)
    grow(home, 12)  # any entry is a sign of life
    assert not heartbeat.beat()
    assert verify_ledger(home.app, 1).size == 12


def test_of_several_that_serve_one_makes_it(home: Home) -> None:
    url = home.app.settings.database_url
    beside = open_application(load_settings(home.app.settings.home, {"REGISTRY_DATABASE_URL": url}), home.clock)
    try:
        home.clock.step(60)
        made: list[bool] = []
        hearts = [Heartbeat(app.kernel, 60) for app in (home.app, beside) for _ in range(3)]
        threads = [threading.Thread(target=lambda heart=heart: made.append(heart.beat())) for heart in hearts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(made) == [False] * 5 + [True]
    finally:
        beside.close()
    assert kinds(home).count(Kind.HEARTBEAT) == 1


def test_none_is_made_where_it_is_off_and_none_is_pretended_where_it_cannot_be(home: Home) -> None:
    home.clock.step(86_400)
    assert not Heartbeat(home.app.kernel, 0).beat()
    home.app.kernel.log.stop("forked")
    with pytest.raises(AuditUnavailable, match="forked"):
        Heartbeat(home.app.kernel, 60).beat()


def test_silences_are_found_longest_first_within_and_between_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.audit.verify.CHUNK", 8)
    for size, pause in ((6, 0), (8, 300), (12, 900), (13, 40)):
        home.clock.step(pause)
        grow(home, size)
    found = verify_ledger(home.app, 1)
    assert found.silences[:3] == ((900_000, 8), (300_000, 6), (40_000, 12))
    heartbeat = Heartbeat(home.app.kernel, 60)
    assert [entry for lasted, entry in found.silences if heartbeat.is_silence(lasted)] == [8, 6]
    assert not any(Heartbeat(home.app.kernel, 0).is_silence(lasted) for lasted, _ in found.silences)


def test_production_beats_every_minute_unless_it_is_set(home: Home) -> None:
    folder = home.app.settings.home
    assert [load_settings(folder, {}).heartbeat(profile) for profile in (PRODUCTION, DEVELOPMENT)] == [60, 0]
    (folder / "config.toml").write_text("heartbeat_seconds = 300\n", "utf-8")
    assert [load_settings(folder, {}).heartbeat(profile) for profile in (PRODUCTION, DEVELOPMENT)] == [300, 300]


def test_a_server_beats_and_goes_on_after_a_failure(home: Home) -> None:
    (home.app.settings.home / "config.toml").write_text("heartbeat_seconds = 4\n", "utf-8")
    app = replace(home.app, settings=load_settings(home.app.settings.home, {}))
    waited: list[float] = []

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            home.clock.step(2)
            home.app.kernel.log.stop("disk_full" if len(waited) == 2 else None)
            return len(waited) > 4

    _beat(app, Ended())
    assert waited == [1.0] * 5
    assert kinds(home).count(Kind.HEARTBEAT) == 1  # due at the second look, which fails, and made at the third
