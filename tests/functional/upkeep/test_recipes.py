"""The scripts of docs/operations.md are run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Line, line_for
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


def rows_of(heading: str) -> dict[str, list[str]]:
    """Return a table of the page: what is in the first column of a row, and the commands that its last one says."""
    table = PAGE.read_text("utf-8").partition(heading)[2].partition("\n\n|")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {first: re.findall(r"`(registry [^`]+)`", last) for first, last in rows}


def words_of(command: str, backup: Path) -> list[str]:
    given = {"DIR": str(backup), "...": "Disk lost on 3 March"}
    return [given.get(word, word) for word in shlex.split(command)[1:]]


def damaged(line: Line, backup: Path) -> Line:
    del backup
    (line.home / "registry.db").write_bytes(b"ruined")
    return line


def grown(line: Line, backup: Path) -> Line:
    del backup
    grow(line, 3)
    return line


def gone(line: Line, backup: Path) -> Line:
    del line
    return line_for(backup.with_name("new"))


AFTER = {
    "the database is damaged, the newest backup is the newest state": damaged,
    "the newest backup is older": grown,
    "the machine is gone": gone,
    "the program is newer than the backup": gone,
}


@pytest.mark.parametrize("what", AFTER)
def test_what_the_page_says_to_do_after_a_loss_brings_the_registry_back(used: Line, tmp_path: Path, what: str) -> None:
    """Each row as it stands there, command by command; then the ledger verifies and the registry serves."""
    told = rows_of("## Backup and restore\n")
    assert set(told) == set(AFTER), "a row of the page has no test, or a test no row"
    backup = tmp_path / "backup"
    used("backup", backup)
    line = AFTER[what](used, backup)
    commands = told[what]
    if what == "the program is newer than the backup":
        commands = [*commands, *told["the machine is gone"][1:]]  # "then as above"
    assert commands
    for command in commands:
        line(*words_of(command, backup))
        if not (line.home / "keys").exists():  # "put keys/ back", as the row says after its first command
            shutil.copytree(used.home / "keys", line.home / "keys")
    assert line.json("audit", "verify")["verified"]
    grow(line)
    line("principal", "list")


def test_after_a_new_origin_the_steps_of_the_page_are_what_is_needed(used: Line, tmp_path: Path) -> None:
    """Backup at once and copy the keys: a state from after it is taken up again, one from before is not."""
    used("backup", tmp_path / "before")
    grow(used, 3)
    used("restore", tmp_path / "before", "--replace")
    told = used("audit", "recover", "--reason", "Disk lost on 3 March").stdout.splitlines()
    origin, vkey, second = told[-3].rpartition("For witnesses")[0].split()[-1].rstrip("."), told[-2], told[-1]
    assert vkey.startswith(f"{origin}+")
    assert second.startswith(f"{origin}+")
    keys = used.json("audit", "checkpoint")["keys"]
    assert [(one["vkey"], one["second"]) for one in keys[1:]] == [(vkey, second)]
    used("backup", tmp_path / "after")
    assert used.json("restore", tmp_path / "before", "--replace")["standing"] == "behind"
    refused = used("audit", "recover", "--reason", "again", exits=None)
    assert "put a later backup back" in refused.output
    assert used.json("restore", tmp_path / "after", "--replace")["standing"] == "follows"
    assert used.json("audit", "fsck")["faults"] == []
    grow(used)
