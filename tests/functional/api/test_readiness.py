"""Whoever watches is told what is missing and why; asking costs nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.api.readiness import FRESH_SECONDS
from registry.bootstrap import checks
from registry.storage.migrate import newest_revision
from tests.functional.api.conftest import Site

SOUND = dict.fromkeys(("database", "migrations", "keyring", "ledger", "entries", "issuers"), "ok")


@pytest.fixture
def always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.readiness.FRESH_SECONDS", 0.0)


@pytest.mark.usefixtures("always_anew")
def test_what_is_missing_is_named_with_its_cause(site: Site) -> None:
    ready = site.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": SOUND})
    keys = site.home.app.settings.keys
    keys.chmod(0o755)
    answer = site.http.get("/readyz")
    assert (answer.status_code, answer.json()["failed"]) == (503, ["keyring"])
    assert answer.json()["checks"]["keyring"] == answer.json()["cause"] == "key_file"
    assert str(keys) not in answer.text
    keys.chmod(0o700)
    site.home.sql().execute("UPDATE alembic_version SET version_num = '0000'")
    assert site.http.get("/readyz").json()["checks"] == SOUND | {"migrations": "not_migrated"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET root = zeroblob(32)",
        "UPDATE ledger_head SET edge = zeroblob(length(edge))",
        "UPDATE ledger_head SET checkpoint = replace(checkpoint, '=', '')",
    ],
)
def test_a_head_that_is_not_ours_is_seen(site: Site, statement: str) -> None:
    site.home.sql().execute(statement)
    answer = site.http.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, SOUND | {"ledger": "head_mismatch"})


@pytest.mark.usefixtures("always_anew")
def test_an_older_state_that_was_put_back_is_seen(site: Site) -> None:
    assert site.http.get("/readyz").status_code == 200
    keeper = site.home.app.high_water
    assert keeper is not None
    keeper._kept += 1000
    assert site.http.get("/readyz").json()["checks"] == SOUND | {"ledger": "rolled_back"}


@pytest.mark.usefixtures("always_anew")
def test_liveness_asks_nobody_and_readiness_asks_everybody(site: Site, moved_away: None) -> None:
    assert site.http.get("/healthz").json() == {"status": "ok"}
    answer = site.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["cause"] in {"storage_missing", "replaced_file", "storage_error"}
    assert str(site.home.app.settings.home) not in answer.text


@pytest.fixture
def moved_away(site: Site) -> Iterator[None]:
    database = site.home.app.settings.home / "registry.db"
    shutil.move(database, database.with_suffix(".away"))
    yield
    shutil.move(database.with_suffix(".away"), database)


def test_a_flood_of_questions_is_one_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def counted() -> str:
        looks.append(1)
        return newest_revision()

    monkeypatch.setattr(checks, "newest_revision", counted)
    site.home.app.strangers.vouch("127.0.0.1")  # a stranger would not be let ask so often
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.http.get("/readyz").status_code, range(300)))
    assert set(answers) == {200}
    assert 1 <= len(looks) <= 2 + (time.monotonic() - begun) / FRESH_SECONDS


def test_both_are_told_when_everybody_else_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.turns.Turns._share", lambda *_: 0)
    monkeypatch.setattr("registry.api.turns.PATIENCE_SECONDS", 0.05)
    assert site.http.get("/audit/checkpoint").json()["code"] == "busy"
    assert site.http.get("/healthz").status_code == 200
    assert site.http.get("/readyz").status_code == 200
