"""What goes wrong ends in one line that says what to do, with the right exit code, and quotes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from registry.cli import failures, main
from registry.domain import errors
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import RegistryError
from registry.domain.ids import RequestId
from tests.functional.cli.conftest import Line, line_for

SECRET = "741-12-3456"
MADE = {
    errors.AccessDenied: errors.AccessDenied("not_permitted", 7),
    errors.ApprovalNeeded: errors.ApprovalNeeded(RequestId("0" * 32), 1, 0, 7),
    errors.AuditUnavailable: errors.AuditUnavailable("disk_full"),
    errors.NotDurable: errors.NotDurable(),
    errors.Contended: errors.Contended(),
    errors.Conflict: errors.Conflict("exists"),
    errors.InvalidInput: errors.InvalidInput([FieldProblem("/x", "missing")]),
    errors.KeyUnavailable: errors.KeyUnavailable("the key x is gone"),
    errors.LedgerCorrupt: errors.LedgerCorrupt("it is missing", 7),
    errors.TokenRefused: errors.TokenRefused("expired"),
    errors.TokenTakenBack: errors.TokenTakenBack(7),
    errors.UnreadableDocument: errors.UnreadableDocument("not_json"),
    errors.UploadRefused: errors.UploadRefused("not_json", 7),
}


def leaves(error: type[RegistryError]) -> Iterator[type[RegistryError]]:
    for child in error.__subclasses__():
        yield child
        yield from leaves(child)


def own_errors() -> list[type[RegistryError]]:
    return [error for error in leaves(RegistryError) if error.__module__.startswith("registry.")]


@pytest.mark.parametrize("error", own_errors(), ids=lambda error: error.__name__)
def test_every_error_has_its_own_line(error: type[RegistryError], capsys: pytest.CaptureFixture[str]) -> None:
    assert error in failures._TABLE
    code = failures.exit_with(MADE.get(error) or error("what happened"))
    told = capsys.readouterr().err
    assert code in (2, 3)  # 1 is for verifications and imports, which say so themselves
    assert told.startswith("registry: ")
    assert told.count("\n") == 1
    assert "unexpected" not in told


def failing(error: BaseException) -> click.Command:
    @click.command()
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (RuntimeError(SECRET), 3, "registry: an unexpected fault (RuntimeError in "),
        (KeyError(SECRET), 3, "registry: an unexpected fault (KeyError in "),
        (UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET), 3, "registry: an unexpected fault (UnicodeEncodeError in "),
        (errors.Busy(), 3, "registry: busy; try again"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (click.UsageError("say more"), 2, "Usage: "),
    ],
)
def test_the_last_catch(
    line: Line, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, told: str
) -> None:
    monkeypatch.setattr(main.RegistryGroup, "get_command", lambda *_: failing(error))
    result = line("fail", exits=code)
    assert result.stderr.startswith(told)
    assert SECRET not in result.output


def test_an_unknown_command_is_wrong_use(line: Line) -> None:
    assert "No such command" in line("attic", exits=2).stderr


@pytest.mark.parametrize("name", ["data.key", "ledger.key", "keyring", "development-issuer.private.jwk"])
def test_a_key_file_open_to_others_is_refused_with_its_mend(line: Line, name: str) -> None:
    path = line.home / "keys" / name
    path.chmod(0o644)
    refused = line("token", "--sub", "a", "--role", "reader", exits=3)
    assert f"chmod 600 {path}" in refused.stderr
    assert refused.stderr.count("\n") == 1
    path.chmod(0o600)
    line("token", "--sub", "a", "--role", "reader")


def test_a_missing_key_is_refused(line: Line) -> None:
    (line.home / "keys" / "data.key").unlink()
    assert "data" in line("principal", "list", exits=3).stderr


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("x = [", "is not readable TOML; mend it or remove it"),
        ("attic = 1", "unknown settings: attic"),
        ("issuers = 3", "write each issuer as a table"),
        ('issuers = ["a"]', "write each issuer as a table"),
        ('[[issuers]]\nissuer = "https://issuer.example"', "issuer 1 is not usable: algorithms missing"),
        ('[[issuers]]\nissuer = "x"\nalgorithms = ["ES256"]\nattic = 1', "issuer 1 is not usable: unknown attic"),
        ('[[issuers]]\nissuer = "x"\nalgorithms = 3', "a setting has the wrong type"),
        ('[[issuers]]\nissuer = "x"\nalgorithms = ["HS256"]', "exactly one of ES256 and RS256"),
        ("security_contact = 3", "security_contact must be"),
    ],
)
def test_a_broken_configuration_is_named(line: Line, config: str, told: str) -> None:
    (line.home / "config.toml").write_text(config)
    refused = line("principal", "list", exits=3)
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("attic", "must begin with sqlite: or postgresql+psycopg:"),
        ("mysql://u:hunter2@127.0.0.1/x", "must begin with sqlite: or postgresql+psycopg:"),
        ("sqlite:////nowhere/registry.db", "run: registry init"),
    ],
)
def test_a_database_address_that_cannot_be_used(line: Line, url: str, told: str) -> None:
    line.environment["REGISTRY_DATABASE_URL"] = url
    refused = line("principal", "list", exits=3)
    assert told in refused.stderr
    assert "hunter2" not in refused.output


def test_a_file_that_is_no_database(line: Line) -> None:
    for suffix in ("", "-wal", "-shm"):
        (line.home / f"registry.db{suffix}").unlink(missing_ok=True)
    (line.home / "registry.db").write_bytes(b"no database " * 500)
    assert "storage_error" in line("audit", "verify", exits=3).stderr


def test_where_there_is_no_registry_every_command_says_so(tmp_path: Path) -> None:
    line = line_for(tmp_path / "none")
    for arguments in (
        ("serve",),
        ("migrate",),
        ("principal", "list"),
        ("principal", "grant", "--sub", "a", "--role", "reader"),
        ("token", "--sub", "a", "--role", "reader"),
        ("import", "-", "--format", "csv"),
        ("disclose", "--employee-number", "1", "--category", "phone", "--purpose", "payroll"),
        ("trace", "-"),
        ("audit", "verify"),
        ("audit", "checkpoint"),
    ):
        assert f"no registry in {line.home}; run: registry init" in line(*arguments, exits=3).stderr
    assert not line.home.exists()
