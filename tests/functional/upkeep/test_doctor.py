"""The doctor finds what is wrong, names it, says what to do, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.bootstrap import open_application
from registry.domain.clock import SystemClock
from registry.settings import load_settings
from registry.storage.high_water import NAME as MARK
from registry.storage.roles import APPLICATION, MIGRATION
from registry.upkeep import checks_home
from tests.fakes.postgres import ADMINISTRATOR, OWNER, PostgresServer
from tests.functional.cli.conftest import Line, line_for
from tests.functional.services.conftest import SERVER
from tests.functional.services.homes import make_template
from tests.functional.upkeep.test_high_water import append, copy_of, grow, put_back

ISSUER = """
[[issuers]]
issuer = "https://login.city.example/"
jwks_uri = "https://login.city.example/keys"
algorithms = ["ES256"]
"""


def findings(line: Line, *options: str, exits: int = 1) -> dict[str, Any]:
    told = line.json("doctor", *options, exits=exits)
    assert told["sound"] is (exits == 0)
    found = {check["name"]: check for check in told["checks"] if check["state"] == "finding"}
    assert all(check["mend"] and check["what"] for check in found.values())
    return found


def test_a_sound_registry_has_nothing_to_mend(used: Line) -> None:
    assert findings(used, exits=0) == {}
    shown = used("doctor").stdout
    assert "MEND" not in shown
    assert "high_water" in shown


def unguarded(home: Path) -> sqlite3.Connection:
    sql = sqlite3.connect(home / "registry.db", isolation_level=None)
    for (trigger,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        sql.execute(f"DROP TRIGGER {trigger}")
    return sql


def sql(*statements: str) -> Callable[[Path], None]:
    def act(home: Path) -> None:
        connection = unguarded(home)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return act


def flip_opening(home: Path) -> None:
    connection = unguarded(home)
    (sealed,) = connection.execute("SELECT sealed FROM ledger_body WHERE i = 12").fetchone()
    connection.execute("UPDATE ledger_body SET sealed = ? WHERE i = 12", (sealed[:-1] + bytes([sealed[-1] ^ 1]),))
    connection.close()


@pytest.mark.parametrize(
    ("act", "name", "says"),
    [
        (lambda home: home.chmod(0o755), "home", "chmod 700"),
        (lambda home: (home / "ledger").chmod(0o750), "home", "chmod 700"),
        (lambda home: (home / "registry.db").chmod(0o644), "home", "chmod 600"),
        (lambda home: (home / "keys" / "data.key").chmod(0o644), "keys", "data.key"),
        (lambda home: (home / "keys" / "data.key").unlink(), "keys", "data.key"),
        (lambda home: (home / "registry.db").unlink(), "database", "registry restore"),
        (sql("UPDATE alembic_version SET version_num = '0000'"), "database", "registry migrate"),
        (lambda home: (home / "registry.db.replaced-2026").touch(0o600), "leftovers", "registry.db.replaced-2026"),
        (lambda home: (home / "config.toml").write_text(ISSUER), "profile", "--profile production"),
        (lambda home: (home / "config.toml").write_text("x = 1"), "settings", "config.toml"),
        (sql("UPDATE ledger_head SET n = n - 1"), "opens", ""),
        (
            sql("UPDATE ledger_head SET checkpoint = replace(checkpoint, char(10) || '26', char(10) || '25')"),
            "head",
            "",
        ),
        (flip_opening, "entries", "entry 12: "),
        (sql("DELETE FROM ledger_body WHERE i = 12", "DELETE FROM ledger_leaf WHERE i = 12"), "entries", "entry 12: "),
        (sql("INSERT INTO ledger_leaf SELECT 26, leaf FROM ledger_leaf WHERE i = 12"), "entries", "beyond the head"),
        (sql("DELETE FROM index_terms"), "index_terms", "registry keys rebuild-index"),
        (sql("UPDATE index_terms SET terms = terms + 1"), "index_terms", ""),
        (sql("INSERT INTO index_tags VALUES (2, zeroblob(16))"), "index_terms", ""),
        (lambda home: (home / "ledger" / MARK).unlink(), "high_water", "audit recover"),
        (lambda home: (home / "ledger" / MARK).chmod(0o644), "high_water", "chmod 600"),
    ],
)
def test_what_is_wrong_is_found(used: Line, act: Callable[[Path], object], name: str, says: str) -> None:
    act(used.home)
    found = findings(used)
    if name == "opens" and name not in found:
        name = "head"
    assert name in found
    assert says in found[name]["what"] + found[name]["mend"]


def test_an_older_database_is_found(line: Line) -> None:
    older = copy_of(line.home)
    grow(line, 2)
    put_back(line.home, older)
    (line.home / "registry.db").chmod(0o600)
    assert set(findings(line)) == {"high_water"}


def test_only_the_newest_entries_are_checked(used: Line) -> None:
    flip_opening(used.home)
    assert findings(used, "--entries", "5", exits=0) == {}


def test_the_development_profile_is_not_for_other_machines(line: Line) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "city.example"):
        assert set(findings(line, "--host", host)) == {"profile"}
    for host in ("127.0.0.1", "::1", "localhost"):
        findings(line, "--host", host, exits=0)


def test_a_disk_that_fills_up_is_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_home.shutil, "disk_usage", lambda _: SimpleNamespace(free=checks_home.FREE_BYTES - 1))
    assert set(findings(line)) == {"disk"}


def test_a_clock_behind_the_ledger_is_found(line: Line) -> None:
    class Ahead(SystemClock):
        def now(self) -> Any:
            return super().now() + timedelta(hours=1)

    application = open_application(load_settings(line.home, {}), Ahead())
    append(application)
    application.close()
    assert set(findings(line)) == {"clock"}


def test_dumps_that_are_on_are_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_home, "harden_process", lambda: SimpleNamespace(core_dumps_off=False, not_dumpable=True))
    assert set(findings(line)) == {"process"}


def test_production_wants_issuers_a_contact_and_a_user(tmp_path: Path) -> None:
    line = line_for(tmp_path / "home")
    line("init", "--profile", "production")
    found = findings(line)
    assert {"issuers", "security_contact"} <= set(found) <= {"issuers", "security_contact", "user"}
    (line.home / "config.toml").write_text(f'security_contact = "mailto:security@city.example"\n{ISSUER}')
    assert "transport" in findings(line, "--host", "8.8.4.4")
    told = line.json("doctor", "--host", "0.0.0.0", exits=int("user" in found))
    assert {check["name"] for check in told["checks"] if check["state"] == "finding"} <= {"user"}


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda home: (home / "keys" / "data.key").chmod(0o644), "keys"),
        (lambda home: (home / "registry.db").unlink(), "database"),
        (lambda home: shutil.rmtree(home / "keys"), "installed"),
        (shutil.rmtree, "installed"),
    ],
)
def test_one_cause_is_told_once(used: Line, act: Callable[[Path], object], name: str) -> None:
    act(used.home)
    assert set(findings(used)) == {name}


def test_backups_are_looked_at(line: Line, tmp_path: Path) -> None:
    kept = tmp_path / "backups"
    kept.mkdir()
    assert "no backup" in findings(line, "--backups", str(kept))["backups"]["what"]
    line("backup", kept / "monday")
    (kept / "notes").mkdir()
    findings(line, "--backups", str(kept), exits=0)
    manifest = kept / "monday" / "manifest.json"
    told = json.loads(manifest.read_text())
    made = datetime.fromisoformat(told["made"])
    manifest.write_text(json.dumps(told | {"made": (made - timedelta(hours=30)).isoformat()}))
    assert set(findings(line, "--backups", str(kept))) == {"backups"}
    findings(line, "--backups", str(kept), "--backup-hours", "48", exits=0)
    manifest.write_text(json.dumps(told | {"registry": "0" * 32}))
    assert "no backup" in findings(line, "--backups", str(kept))["backups"]["what"]
    assert set(findings(line, "--backups", str(tmp_path / "none"))) == {"backups"}


def test_without_a_registry_every_check_has_an_answer(tmp_path: Path) -> None:
    line = line_for(tmp_path / "none")
    told = line.json("doctor", exits=1)["checks"]
    assert {check["name"]: check["state"] for check in told}["clock"] == "not_checked"
    assert not (tmp_path / "none").exists()


def test_looking_changes_nothing(used: Line) -> None:
    def state() -> dict[str, str]:
        files = [path for path in used.home.rglob("*") if path.is_file() and path.name not in NOT_COUNTED]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = state()
    used("doctor")
    assert state() == before


NOT_COUNTED = {"registry.db-wal", "registry.db-shm"}


def test_who_serves_on_postgresql_can_do_no_more_than_that(postgres: PostgresServer, tmp_path: Path) -> None:
    name = postgres.create_database()
    home = tmp_path / "home"
    as_ = {
        user: Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": postgres.url(name, user)})
        for user in (OWNER, ADMINISTRATOR, SERVER)
    }
    as_[ADMINISTRATOR]("init", "--profile", "production")
    assert "is a superuser" in findings(as_[ADMINISTRATOR])["account"]["what"]
    as_[ADMINISTRATOR]("database-roles")
    postgres.create_login(SERVER, APPLICATION)
    assert "account" not in findings(as_[SERVER])
    with postgres.admin(name) as connection:
        connection.execute(f"GRANT {MIGRATION} TO {OWNER}")
        connection.execute(f"GRANT {APPLICATION} TO {OWNER}")
        assert "drop the triggers" in findings(as_[OWNER])["account"]["what"]
        connection.execute(f"REVOKE INSERT ON ledger_leaf FROM {APPLICATION}")
        lacking = findings(as_[SERVER])["account"]
        assert "ledger_leaf" in lacking["what"]
        assert "database-roles" in lacking["mend"]
        connection.execute(f"REVOKE {MIGRATION}, {APPLICATION} FROM {OWNER}")
    postgres.drop_database(name)


def test_a_registry_on_postgresql(postgres: PostgresServer, tmp_path: Path) -> None:
    name = postgres.create_database()
    home = make_template(tmp_path, postgres.url(name))
    line = Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": postgres.url(name)})
    assert findings(line, exits=0) == {}
    postgres.drop_database(name)
    assert "database" in findings(line)
    shutil.rmtree(home)
