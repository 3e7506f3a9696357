"""init, migrate, serve, help and version; where the registry is looked for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import registry
from registry.bootstrap import opened
from registry.cli import serving
from registry.settings import load_settings
from tests.functional.cli.conftest import Line, line_for

SIGN_IN = """public_url = "http://localhost:8000"
[[issuers]]
issuer = "https://login.city.example"
discovery = "https://login.city.example/.well-known/openid-configuration"
algorithms = ["ES256"]
[sign_in]
issuer = "https://login.city.example"
client_id = "console"
"""


def test_init_makes_a_registry_once(tmp_path: Path) -> None:
    line = line_for(tmp_path / "new")
    made = {"home": str(line.home), "profile": "development", "created": True}
    assert line.json("init") == made
    before = (line.home / "registry.db").read_bytes()
    assert line.json("init") == made | {"created": False}
    assert (line.home / "registry.db").read_bytes() == before
    assert "nothing was changed" in line("init").stdout


def test_init_keeps_keys_from_others(line: Line) -> None:
    assert (line.home / "keys").stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in (line.home / "keys").iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) > 5


def test_the_profile_stays_so_for_ever(line: Line) -> None:
    refused = line("init", "--profile", "production", exits=3)
    assert "made with the profile development" in refused.stderr


def test_init_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = line_for(tmp_path / "file" / "home")("init", exits=3)
    assert "choose another with --home" in refused.stderr


def test_the_production_profile_has_no_development_issuer_and_no_local_user(tmp_path: Path) -> None:
    line = line_for(tmp_path / "new")
    line("init", "--profile", "production")
    assert not list((line.home / "keys").glob("development-issuer*"))
    assert "development profile only" in line("token", "--sub", "a", "--role", "reader", exits=3).stderr
    asked = ("disclose", "--employee-number", "1", "--category", "phone", "--purpose", "emergency_contact")
    assert "development profile only" in line(*asked, exits=3).stderr
    assert "development profile only" in line("import", "-", "--format", "csv", exits=3).stderr
    assert "development profile only" in line("trace", "-", stdin="text", exits=3).stderr
    assert line.json("audit", "verify")["size"] == 1


def test_in_production_a_sign_in_to_no_console_is_refused(tmp_path: Path) -> None:
    line = line_for(tmp_path / "new")
    line("init", "--profile", "production")
    (line.home / "config.toml").write_text(SIGN_IN)
    assert "take out [sign_in]" in line("audit", "verify", exits=3).stderr


def test_whoever_serves_hears_where_people_sign_in(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "serve_alone", lambda _registry, _app, sockets: sockets.close())
    assert "(sign in with what `registry token` prints)" in line("serve", "--port", "0").stderr
    (line.home / "config.toml").write_text(SIGN_IN)
    told = line("serve", "--port", "0").stderr
    assert "(sign in at login.city.example, or with what `registry token` prints)" in told


def test_home_may_stand_before_and_after_the_command(line: Line, tmp_path: Path) -> None:
    elsewhere = line_for(tmp_path / "elsewhere")
    assert elsewhere("--home", line.home, "principal", "list", "--json").stdout == "[]\n"
    assert elsewhere("principal", "list", "--home", line.home, "--json").stdout == "[]\n"
    assert elsewhere("--home", tmp_path, "principal", "list", "--home", line.home, "--json").stdout == "[]\n"
    assert "run: registry init" in elsewhere("principal", "list", exits=3).stderr


def test_another_database_may_be_named(line: Line, tmp_path: Path) -> None:
    (line.home / "registry.db").rename(tmp_path / "moved.db")
    assert "run: registry init" in line("principal", "list", exits=3).stderr
    line.environment["REGISTRY_DATABASE_URL"] = f"sqlite:///{tmp_path / 'moved.db'}"
    assert line.json("principal", "list") == []


def test_migrate_tells_the_revision(line: Line, tmp_path: Path) -> None:
    told = line.json("migrate")
    assert told["before"] == told["after"]
    assert told["after"] in line("migrate").stdout
    assert "run: registry init" in line_for(tmp_path / "none")("migrate", exits=3).stderr


def test_an_older_database_is_to_be_migrated(line: Line) -> None:
    with opened(load_settings(line.home, {})) as application, application.database.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")
        connection.commit()
    assert "run: registry migrate" in line("principal", "list", exits=3).stderr


def test_version_and_help(line: Line) -> None:
    assert registry.__version__ in line("--version").stdout
    told = line("--help").stdout
    for command in ("init", "serve", "token", "import", "disclose", "trace", "audit", "verify-bundle", "demo"):
        assert f"\n  {command} " in told
        assert "--json" in line(command, "--help").stdout or command == "audit"


def test_help_imports_nothing_slow() -> None:
    asked = "import sys\nfrom registry.cli.main import main\ntry:\n main(['--help'])\nexcept SystemExit:\n pass\n"
    asked += "print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    loaded = set(done.stderr.replace("'", "").strip("[]\n").split(", "))
    slow = {"fastapi", "sqlalchemy", "cryptography", "pydantic", "typst", "httpx2", "jose", "registry.bootstrap"}
    assert "click" in loaded
    assert not loaded & slow


def test_the_module_runs_too() -> None:
    done = subprocess.run([sys.executable, "-m", "registry", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"registry, version {registry.__version__}"


def test_whoever_serves_sees_where_the_metrics_are(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        serving, "serve_alone", lambda _registry, _app, sockets: sockets.close()
    )  # listens, tells, ends
    told = line("serve", "--port", "0", "--metrics-port", "0").stderr
    assert re.search(r"^Metrics: http://127\.0\.0\.1:[1-9][0-9]*/metrics$", told, re.MULTILINE)
