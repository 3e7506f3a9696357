"""What is installed is complete: code, migrations, templates, typing mark; and nothing that does not belong."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_CACHES = {"__pycache__"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*command, "--quiet", "--disable-pip-version-check", "-w", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = folder.glob("protected_registry-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def below(folder: str) -> set[str]:
    top = ROOT / folder
    paths = (path for path in top.rglob("*") if path.is_file() and not _CACHES & set(path.parts))
    return {path.relative_to(top).as_posix() for path in paths}


def test_the_whole_package_is_in_it(shipped: frozenset[str]) -> None:
    assert {f"registry/{name}" for name in below("registry")} - shipped == set()
    assert "registry/py.typed" in shipped


def test_the_migrations_are_in_it(shipped: frozenset[str]) -> None:
    assert {f"registry/_migrations/{name}" for name in below("migrations")} - shipped == set()
    assert "registry/_migrations/env.py" in shipped
    assert "registry/_migrations/alembic.ini" in shipped
    assert any(name.startswith("registry/_migrations/versions/0001") for name in shipped)


def test_templates_are_in_it(shipped: frozenset[str]) -> None:
    wanted = {f"registry/{name}" for name in below("registry") if "/templates/" in name or "/static/" in name}
    assert wanted
    assert wanted <= shipped


def test_licences_and_entry_point_are_in_it(shipped: frozenset[str]) -> None:
    names = {Path(name).name for name in shipped if ".dist-info/" in name}
    assert {"LICENSE", "THIRD_PARTY.md", "entry_points.txt", "METADATA"} <= names


def test_nothing_else_is_in_it(shipped: frozenset[str]) -> None:
    assert {name.split("/")[0] for name in shipped if ".dist-info/" not in name} == {"registry"}
    assert [name for name in shipped if "__pycache__" in name or name.endswith((".db", ".pem", ".key"))] == []
