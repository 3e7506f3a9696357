"""The scripts of docs/operations.md are run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Line
from tests.functional.upkeep.test_high_water import grow, size

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Put the page's scripts, and this tree's command, into a folder for the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "registry").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m registry "$@"\n')
    for script in re.findall(r"```sh\n(#!/bin/sh\n# ([a-z-]+) .*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        (folder / script[1]).write_text(script[0])
    for file in folder.iterdir():
        file.chmod(0o700)
    return folder


def run(programs: Path, home: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    environment |= {"REGISTRY_HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    words = [str(word) for word in command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_backup_every_night_and_its_drill(used: Line, programs: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir(0o700)
    old = backups / "2020-01-01T000000Z"
    old.mkdir()
    os.utime(old, (0, 0))
    kept = [backups / "2020-01-01T000000Z.unfinished", backups / "notes"]
    for folder in kept:
        folder.mkdir()
        os.utime(folder, (0, 0))
    done = run(programs, used.home, "registry-backup", backups, "30")
    assert "MEND  backups" not in done.stdout
    (new,) = set(backups.iterdir()) - set(kept)
    assert json.loads((new / "manifest.json").read_text())["entries"] == size(used)
    grow(used)
    drilled = run(programs, used.home, "registry-drill", new, used.home / "keys")
    assert drilled.returncode == 0, drilled.stderr
    assert "entries verified" in drilled.stdout
    assert used.json("audit", "verify")["verified"]


def test_a_drill_finds_a_damaged_backup_and_keys_that_do_not_fit(used: Line, programs: Path, tmp_path: Path) -> None:
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    used("backup", backup)
    shutil.copytree(used.home / "keys", keys)
    (keys / "data.key").unlink()
    assert run(programs, used.home, "registry-drill", backup, keys).returncode != 0
    raw = bytearray((backup / "registry.db").read_bytes())
    raw[len(raw) // 2] ^= 1
    (backup / "registry.db").write_bytes(raw)
    assert run(programs, used.home, "registry-drill", backup, used.home / "keys").returncode != 0


def test_a_night_that_fails_removes_no_older_backup(used: Line, programs: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    old = backups / "2020-01-01T000000Z"
    old.mkdir(0o700, parents=True)
    os.utime(old, (0, 0))
    (used.home / "registry.db").unlink()
    assert run(programs, used.home, "registry-backup", backups, "30").returncode != 0
    assert list(backups.iterdir()) == [old]
