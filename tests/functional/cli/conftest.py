"""The command line, run in this process on a registry in a folder of its own."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from registry.api.logs import configure_logs
from registry.api.server import serving
from registry.bootstrap import opened
from registry.cli.demo.people import make_people, people_csv
from registry.cli.main import main
from registry.crypto.stretch import Cost
from registry.keys.split import shares, unsealed
from registry.settings import load_settings

PEOPLE = 8


@dataclass
class Line:
    """Runs commands against one home folder.

    Attributes:
        home: the registry's folder; the variable REGISTRY_HOME of every command.
    """

    home: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str | Path, stdin: bytes | str = b"", exits: int | None = 0) -> Result:
        """Run a command; it must end with the given exit code (None: any) and never with a traceback."""
        result = CliRunner().invoke(main, [str(one) for one in arguments], input=stdin, env=self.environment)
        assert "Traceback" not in result.output
        if exits is not None:
            assert result.exit_code == exits, result.output
        return result

    def json(self, *arguments: str | Path, stdin: bytes | str = b"", exits: int = 0) -> Any:
        """Run a command with ``--json`` and return its one document."""
        return json.loads(self(*arguments, "--json", stdin=stdin, exits=exits).stdout)


def line_for(home: Path) -> Line:
    return Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": ""})


@contextmanager
def far_line(near: Line, home: Path, *roles: str) -> Iterator[Line]:
    """Serve a registry, and give a command line that has its address and a token, and no registry of its own."""
    arguments = [word for role in roles for word in ("--role", role)]
    token = near("token", "--sub", "far", *arguments).stdout.strip()
    with opened(load_settings(near.home, {})) as application, serving(application) as url:
        yield Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_URL": url, "REGISTRY_TOKEN": token})
        assert not home.exists()


@pytest.fixture
def quiet() -> Iterator[None]:
    """Keep a served registry's log off standard output."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("uvicorn.error").level)
    configure_logs(io.StringIO())
    yield
    root.handlers, root.level = before[0], before[1]
    logging.getLogger("uvicorn.error").setLevel(before[2])
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cli") / "empty"
    line_for(home)("init")
    return home


@pytest.fixture(scope="session")
def used_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry with eight people, who were all looked up twice."""
    home = tmp_path_factory.mktemp("cli") / "used"
    shutil.copytree(empty_home, home)
    line, people = line_for(home), make_people(PEOPLE)
    line("import", "-", "--format", "csv", stdin=people_csv(people).encode())
    for person in people * 2:
        line("disclose", "--employee-number", person.number, "--category", "phone", "--purpose", "emergency_contact")
    return home


@pytest.fixture
def cheap_and_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases cost little here, and the test's folder stands for one in memory."""
    real = shares.write_shares
    monkeypatch.setattr("registry.cli.key_custody.write_shares", lambda *given: real(*given, Cost(8, 1, 1)))
    monkeypatch.setattr(unsealed, "file_system_of", lambda _folder: "tmpfs")


@pytest.fixture
def line(empty_home: Path, tmp_path: Path) -> Line:
    """Give the command line on a new registry."""
    shutil.copytree(empty_home, tmp_path / "home")
    return line_for(tmp_path / "home")


@pytest.fixture
def used(used_home: Path, tmp_path: Path) -> Line:
    """Give the command line on a registry that was used."""
    shutil.copytree(used_home, tmp_path / "home")
    return line_for(tmp_path / "home")
