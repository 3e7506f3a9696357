"""A backup taken in use is whole and holds no key; an older one does not serve before the loss is stated."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.bootstrap import open_application, opened
from registry.cli.demo.people import make_people
from registry.domain.categories import Category
from registry.domain.errors import MisconfiguredHome
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.disclose import DisclosureAsk
from registry.settings import load_settings
from registry.storage.backup import put_in_place
from registry.storage.high_water import NAME as MARK
from registry.upkeep import manifest as manifests
from tests.fakes.postgres import PostgresServer, binaries
from tests.functional.cli.conftest import PEOPLE, Line, line_for
from tests.functional.services.homes import make_template
from tests.functional.upkeep.test_high_water import append, grow, refused, size


@pytest.fixture
def backup(used: Line, tmp_path: Path) -> Path:
    used("backup", tmp_path / "backup")
    return tmp_path / "backup"


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_a_backup_holds_the_database_its_checkpoint_and_a_manifest_but_no_key(used: Line, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "backup"
    told = used("backup", folder)
    assert "keys are not in this backup" in told.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "manifest.json", "registry.db"]
    assert modes(folder) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["entries"] == size(used)
    assert set(manifest["files"]) == {"checkpoint", "registry.db"}
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    for key in (used.home / "keys").iterdir():
        for line in key.read_bytes().splitlines():
            secret = line.removeprefix(b"key: ")
            assert secret == line or secret not in held


def test_a_backup_needs_no_key(used: Line, tmp_path: Path) -> None:
    shutil.rmtree(used.home / "keys")
    assert used.json("backup", tmp_path / "backup")["engine"] == "sqlite"


def test_a_backup_never_replaces_another(used: Line, backup: Path) -> None:
    before = (backup / "manifest.json").read_bytes()
    assert "not empty" in used("backup", backup, exits=3).stderr
    assert (backup / "manifest.json").read_bytes() == before


def test_without_a_database_there_is_no_backup(tmp_path: Path) -> None:
    assert "there is no database" in line_for(tmp_path / "none")("backup", tmp_path / "b", exits=3).stderr


def test_the_newest_backup_serves_at_once(used: Line, backup: Path) -> None:
    (used.home / "registry.db").write_bytes(b"ruined")
    told = used.json("restore", backup, "--replace")
    assert (told["standing"], told["must_migrate"]) == ("follows", False)
    used("principal", "list")
    assert used.json("audit", "verify")["verified"]
    assert (used.home / "registry.db").stat().st_mode & 0o777 == 0o600
    aside = [
        path for path in used.home.glob("registry.db.replaced-*") if "-wal" not in path.name and "-shm" not in path.name
    ]
    assert [path.read_bytes() for path in aside] == [b"ruined"]
    assert not list(used.home.glob("*restoring*"))


def test_an_older_backup_does_not_serve_before_the_loss_is_stated(used: Line, backup: Path) -> None:
    was = size(used)
    grow(used, 2)
    assert "there already" in used("restore", backup, exits=3).stderr
    assert size(used) == was + 2
    assert "audit recover" in used("restore", backup, "--replace").stderr
    refused(used)
    assert used.json("audit", "recover", "--reason", "ransom")["kept"] == was + 2
    assert used.json("audit", "verify")["size"] == was + 1


def test_an_empty_home_takes_a_backup_then_the_keys_then_the_statement(
    used: Line, backup: Path, tmp_path: Path
) -> None:
    home = line_for(tmp_path / "new")
    assert "put the folder keys/ back" in home("restore", backup).stderr
    home("principal", "list", exits=3)
    shutil.copytree(used.home / "keys", home.home / "keys")
    assert "no high-water mark" in refused(home)
    home("audit", "recover", "--reason", "new machine")
    assert home.json("audit", "verify")["verified"]
    number = make_people(PEOPLE)[0].number
    home("disclose", "--employee-number", number, "--category", "phone", "--purpose", "emergency_contact")


def drop(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def flip(name: str) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 1
        (folder / name).write_bytes(raw)

    return act


def retell(**changes: object) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        told = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(told | changes))

    return act


def change_and_retell(statement: str) -> Callable[[Path], object]:
    """Change the database, as somebody who makes a manifest to match."""

    def act(folder: Path) -> None:
        sql = sqlite3.connect(folder / "registry.db", isolation_level=None)
        for (trigger,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            sql.execute(f"DROP TRIGGER {trigger}")
        sql.execute(statement)
        sql.close()
        for name in ("registry.db-wal", "registry.db-shm"):
            (folder / name).unlink(missing_ok=True)
        told = json.loads((folder / "manifest.json").read_text())
        told["files"]["registry.db"] = manifests.describe_file(folder / "registry.db")
        (folder / "manifest.json").write_text(json.dumps(told))

    return act


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (drop("manifest.json"), "not a complete backup"),
        (drop("registry.db"), "not complete"),
        (drop("checkpoint"), "not complete"),
        (flip("registry.db"), "not as it was written"),
        (flip("checkpoint"), "not as it was written"),
        (retell(format="registry-backup/v9"), "not a backup of the form"),
        (retell(files={"../x": {}}), "damaged"),
        (retell(entries="7"), "damaged"),
        (retell(files={}), "holds no database"),
        (retell(engine="oracle"), "holds no database"),
        (retell(revision="9999"), "newer program"),
        (retell(entries=7), "another size"),
        (retell(origin="registry.invalid/other/e1"), "not signed by this registry's key"),
        (change_and_retell("UPDATE ledger_head SET n = n - 1"), "not the one that its manifest tells of"),
        (change_and_retell("DELETE FROM persons WHERE id IN (SELECT person FROM subjects)"), "finds the copy damaged"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(
    used: Line, backup: Path, act: Callable[[Path], object], said: str
) -> None:
    act(backup)
    before = (used.home / "registry.db").stat().st_ino
    assert said in used("restore", backup, "--replace", exits=3).stderr
    assert (used.home / "registry.db").stat().st_ino == before
    assert not list(used.home.glob("*restoring*"))
    used("principal", "list")


def test_a_backup_of_another_registry_is_refused(backup: Path, tmp_path: Path) -> None:
    other = line_for(tmp_path / "other")
    other("init")
    assert "not signed by this registry's key" in other("restore", backup, "--replace", exits=3).stderr
    other("principal", "list")


def test_without_keys_nothing_is_replaced(used: Line, backup: Path) -> None:
    shutil.rmtree(used.home / "keys")
    assert "put the keys back" in used("restore", backup, "--replace", exits=3).stderr


def test_a_running_server_notices_that_its_database_was_replaced(used: Line, backup: Path) -> None:
    application = open_application(load_settings(used.home, {}))
    used("restore", backup, "--replace")
    with pytest.raises(Exception, match=r"replaced_file|storage_missing"):
        append(application)
    application.close()


def look_up(home: Path, until: threading.Event, done: list[int]) -> None:
    numbers = [person.number for person in make_people(PEOPLE)]
    purpose = Purpose(PurposeCode("emergency_contact"), "", "")
    with opened(load_settings(home, {})) as application:
        caller = application.local_caller()
        while not until.is_set():
            tag = application.kernel.number_tag(numbers[len(done) % PEOPLE])
            ask = DisclosureAsk(None, tag, frozenset({Category.PHONE}), frozenset(), purpose)
            application.lane.submit(caller, ask).result()
            done.append(1)


def test_backups_in_use_verify(used: Line, tmp_path: Path) -> None:
    until, done = threading.Event(), list[int]()
    thread = threading.Thread(target=look_up, args=(used.home, until, done))
    thread.start()
    try:
        for number in range(4):
            sofar = len(done)
            used("backup", tmp_path / f"b{number}")
            while len(done) < sofar + 5 and thread.is_alive():
                pass
    finally:
        until.set()
        thread.join()
    assert len(done) >= 20
    sizes = []
    for number in range(4):
        home = line_for(tmp_path / f"h{number}")
        home("restore", tmp_path / f"b{number}")
        shutil.copytree(used.home / "keys", home.home / "keys")
        sizes.append(home.json("audit", "verify")["size"])
        assert home.json("audit", "recover", "--reason", "drill")["found"] == sizes[-1]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] <= size(used)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from registry.cli.main import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("room", [0, 40_000, 200_000])
def test_a_backup_into_a_full_disk_leaves_nothing(used: Line, tmp_path: Path, room: int) -> None:
    """The process may make no file longer than that, as where the disk ends."""
    command = [sys.executable, "-c", LIMITED, str(room), "backup", str(tmp_path / "backup")]
    environment = os.environ | used.environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == []
    used("backup", tmp_path / "backup")


KILLED = """
import os, signal, sys
from registry.upkeep import backup
from registry.cli.main import main
own = getattr(backup, sys.argv[1])
def killed(*arguments):
    own(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(backup, sys.argv[1], killed)
main(sys.argv[2:])
"""


@pytest.mark.parametrize("step", ["_make_growing", "_write", "describe_file"])
def test_a_killed_backup_looks_like_none(used: Line, tmp_path: Path, step: str) -> None:
    folder = tmp_path / "backup"
    command = [sys.executable, "-c", KILLED, step, "backup", str(folder)]
    done = subprocess.run(command, env=os.environ | used.environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not folder.exists()
    left = folder.with_name("backup.unfinished")
    assert "not a complete backup" in used("restore", left, "--replace", exits=3).stderr
    assert "remove it" in used("backup", folder, exits=3).stderr
    shutil.rmtree(left)
    used("backup", folder)
    assert used.json("restore", folder, "--replace")["standing"] == "follows"


def test_a_database_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    for name in ("new.db", "registry.db"):
        (tmp_path / name).write_bytes(name.encode())
    with pytest.raises(MisconfiguredHome):
        put_in_place(tmp_path / "new.db", f"sqlite:///{tmp_path / 'registry.db'}", None)
    assert (tmp_path / "registry.db").read_bytes() == b"registry.db"


# ---- PostgreSQL ----


@pytest.fixture
def on_postgres(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    folder = binaries()
    assert folder is not None
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    name = postgres.create_database()
    home = make_template(tmp_path, postgres.url(name))
    yield Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": postgres.url(name)})
    postgres.drop_database(name)


def add(line: Line, sub: str) -> None:
    line("principal", "grant", "--sub", sub, "--role", "reader")


@pytest.mark.usefixtures("on_postgres")
def test_postgresql_is_backed_up_and_restored(on_postgres: Line, postgres: PostgresServer, tmp_path: Path) -> None:
    add(on_postgres, "one")
    folder, was = tmp_path / "backup", size(on_postgres)
    on_postgres("backup", folder)
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "manifest.json", "registry.dump"]
    assert modes(folder) == {0o600}
    add(on_postgres, "two")
    assert "--replace" in on_postgres("restore", folder, exits=3).stderr
    assert on_postgres.json("restore", folder, "--replace")["standing"] == "behind"
    refused(on_postgres)
    assert on_postgres.json("audit", "recover", "--reason", "drill")["found"] == was
    assert on_postgres.json("audit", "verify")["size"] == was + 1
    new = postgres.create_database()
    other = Line(tmp_path / "new", {"REGISTRY_HOME": str(tmp_path / "new"), "REGISTRY_DATABASE_URL": postgres.url(new)})
    assert other.json("restore", folder)["entries"] == was
    postgres.drop_database(new)


def grant_until(line: Line, until: threading.Event, done: list[int]) -> None:
    with opened(load_settings(line.home, line.environment)) as application:
        while not until.is_set():
            append(application)
            done.append(1)


def test_postgresql_in_use_is_backed_up_whole(on_postgres: Line, postgres: PostgresServer, tmp_path: Path) -> None:
    until, done = threading.Event(), list[int]()
    thread = threading.Thread(target=grant_until, args=(on_postgres, until, done))
    thread.start()
    try:
        for number in range(2):
            sofar = len(done)
            on_postgres("backup", tmp_path / f"b{number}")
            while len(done) < sofar + 5 and thread.is_alive():
                pass
    finally:
        until.set()
        thread.join()
    sizes = []
    for number in range(2):
        name, home = postgres.create_database(), tmp_path / f"h{number}"
        there = Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": postgres.url(name)})
        there("restore", tmp_path / f"b{number}")
        shutil.copytree(on_postgres.home / "keys", home / "keys")
        sizes.append(there.json("audit", "verify")["size"])
        assert there.json("audit", "recover", "--reason", "drill")["found"] == sizes[-1]
        postgres.drop_database(name)
    assert sizes[0] < sizes[1] <= size(on_postgres)


def test_a_dump_that_fails_leaves_nothing(on_postgres: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that says its version and then writes half a dump, as on a full disk."""
    folder = tmp_path / "programs"
    folder.mkdir()
    version = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True, check=True).stdout
    half = folder / "pg_dump"
    half.write_text(
        f"#!/bin/sh\n[ \"$1\" = --version ] && echo '{version.strip()}' && exit 0\n"
        'for word; do case "$word" in --file=*) echo PGDMP > "${word#--file=}";; esac; done; exit 1\n'
    )
    half.chmod(0o700)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        assert "pg_dump failed" in on_postgres("backup", tmp_path / "backup", exits=3).stderr
    assert not list(tmp_path.glob("backup*"))
    on_postgres("backup", tmp_path / "backup")


def test_a_backup_of_one_engine_is_not_put_into_the_other(on_postgres: Line, tmp_path: Path, used: Line) -> None:
    on_postgres("backup", tmp_path / "pg")
    used("backup", tmp_path / "lite")
    assert "postgresql" in line_for(tmp_path / "a")("restore", tmp_path / "pg", exits=3).stderr
    empty = Line(tmp_path / "b", on_postgres.environment | {"REGISTRY_HOME": str(tmp_path / "b")})
    assert "sqlite" in empty("restore", tmp_path / "lite", "--replace", exits=3).stderr


def test_without_the_programs_of_postgresql_it_says_so(
    on_postgres: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "pg_dump is not on the PATH" in on_postgres("backup", tmp_path / "b", exits=3).stderr
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6'\n")
    old.chmod(0o700)
    assert "older than the server" in on_postgres("backup", tmp_path / "c", exits=3).stderr


def test_the_mark_of_the_home_is_left_as_it_is(used: Line, backup: Path) -> None:
    grow(used)
    before = (used.home / "ledger" / MARK).read_bytes()
    used("restore", backup, "--replace")
    assert (used.home / "ledger" / MARK).read_bytes() == before
