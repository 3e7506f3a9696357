"""A disk that is full, broken, gone, or does not return, under a registry on SQLite: real files, real errors."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from registry.cli.auditing import verify_ledger
from tests.fakes.sqlite_calls import DiskFaults, failing_disk
from tests.faults.asks import DISCLOSURE, ENROLLMENT, PLAIN, QUESTIONS, Desk, Question, readiness
from tests.faults.conftest import opened_desk
from tests.functional.services.homes import open_copy

MAX_CALLS = 400
CAUSES = {errno.ENOSPC: "disk_full", errno.EIO: "storage_error", errno.EROFS: "storage_error"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[DiskFaults]:
    """SQLite's own writes. Skips, loudly, where Python's SQLite is not the library that can be reached."""
    try:
        with failing_disk() as faults:
            probe = sqlite3.connect(tmp_path / "probe.db")
            probe.execute("CREATE TABLE t (x)")
            probe.close()
            if not faults.calls:
                pytest.skip("NOT TESTED: the system calls of this Python's SQLite cannot be reached")
            yield faults
    except OSError:
        pytest.skip("NOT TESTED: the system calls of this Python's SQLite cannot be reached")


@pytest.mark.parametrize("stays", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("question", [DISCLOSURE, ENROLLMENT], ids=lambda question: question.name)
def test_each_write_to_the_disk_fails(sqlite_desk: Desk, disk: DiskFaults, question: Question, stays: bool) -> None:
    every_write_fails(sqlite_desk, disk, question, 1 if question is DISCLOSURE else 5, stays=stays)


@pytest.mark.slow
@pytest.mark.parametrize("stays", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_each_write_of_each_request_fails(sqlite_desk: Desk, disk: DiskFaults, question: Question, stays: bool) -> None:
    every_write_fails(sqlite_desk, disk, question, 1, stays=stays)


def every_write_fails(desk: Desk, disk: DiskFaults, question: Question, stride: int, *, stays: bool) -> None:
    assert desk.home.app.high_water is not None
    desk.home.app.high_water.close()
    kinds = tuple(CAUSES)
    for at in range(0, MAX_CALLS, stride):
        error = kinds[at % len(kinds)]
        before = size(desk)
        disk.arm(error, at, stays=stays)
        answer = question.ask(desk)
        disk.disarm()
        if not disk.fired:
            break
        told = (question.name, at, error, answer.status, answer.text[:200])
        if answer.status != question.good:
            assert (answer.status, answer.json()["cause"]) == (503, CAUSES[error]), told
            assert not [text for text in PLAIN if text in answer.text], told
        else:
            assert size(desk) > before, told
        again = question.ask(desk)
        assert again.status == question.good, (told, again.text)
    else:
        pytest.fail("a request without end")
    assert at > 5
    assert verify_ledger(desk.home.app, 1).size == size(desk)


def size(desk: Desk) -> int:
    with desk.home.app.database.reader() as reader:
        return reader.head().size


def test_a_disk_that_does_not_return_keeps_nobody_waiting(
    sqlite_desk: Desk, disk: DiskFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.api.late.ANSWER_SECONDS", 0.3)
    returned = threading.Event()
    timer = threading.Timer(1.5, returned.set)
    disk.before = lambda: returned.wait(20)
    timer.start()
    answer = DISCLOSURE.ask(sqlite_desk)
    assert (answer.status, answer.json()["cause"]) == (503, "timed_out")
    assert not [text for text in PLAIN if text in answer.text]
    timer.join()
    monkeypatch.undo()
    disk.before = None
    assert DISCLOSURE.ask(sqlite_desk).status == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of four megabytes. Skips, loudly, where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(folder)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED ON A FULL FILE SYSTEM: none may be mounted here (needs root)")
    yield folder
    # Lazily: a test that failed may have left files open, and must leave no file system behind all the same.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_file_system_is_named_and_service_comes_back_with_room(template: Path, small_disk: Path) -> None:
    home = open_copy(template, small_disk / "home")
    with opened_desk(home) as desk:
        ballast = small_disk / "ballast"
        fill(ballast)
        causes = set()
        for question in (ENROLLMENT, DISCLOSURE) * 10:
            answer = question.ask(desk)
            if answer.status != question.good:
                causes.add(answer.json()["cause"])
                assert not [text for text in PLAIN if text in answer.text]
        assert causes == {"disk_full"}
        assert readiness(desk)["cause"] == "disk_full"
        ballast.unlink()
        assert readiness(desk)["status"] == "ready"
        for question in QUESTIONS:
            assert question.ask(desk).status == question.good
        verify_ledger(home.app, 1)
    home.close()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("name", ["registry.db", "registry.db-wal"])
def test_a_file_that_is_moved_away_and_back_needs_no_restart(sqlite_desk: Desk, name: str) -> None:
    path = sqlite_desk.home.app.settings.home / name
    path.rename(path.with_name("away"))
    for question in (DISCLOSURE, ENROLLMENT):
        answer = question.ask(sqlite_desk)
        assert (answer.status, answer.json()["cause"]) == (503, "storage_missing")
    assert readiness(sqlite_desk)["cause"] == "storage_missing"
    path.with_name("away").rename(path)
    assert readiness(sqlite_desk)["status"] == "ready"
    for question in (DISCLOSURE, ENROLLMENT):
        assert question.ask(sqlite_desk).status == question.good
    verify_ledger(sqlite_desk.home.app, 1)


def test_another_file_in_its_place_is_never_written_to(sqlite_desk: Desk) -> None:
    path = sqlite_desk.home.app.settings.home / "registry.db"
    path.rename(path.with_name("away"))
    shutil.copy(path.with_name("away"), path)
    before = path.read_bytes()
    for question in QUESTIONS:
        answer = question.ask(sqlite_desk)
        assert (answer.status, answer.json()["cause"]) == (503, "replaced_file"), question.name
        assert not [text for text in PLAIN if text in answer.text]
    assert readiness(sqlite_desk)["cause"] == "replaced_file"
    assert path.read_bytes() == before
    path.with_name("away").replace(path)
    assert DISCLOSURE.ask(sqlite_desk).status == 200
    verify_ledger(sqlite_desk.home.app, 1)


def test_a_process_without_descriptors_is_well_again_with_some(sqlite_desk: Desk) -> None:
    sqlite_desk.home.app.database._engine.dispose()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        answer = DISCLOSURE.ask(sqlite_desk)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert answer.status == 503
    assert DISCLOSURE.ask(sqlite_desk).status == 200
