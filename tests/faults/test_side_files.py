"""Each file operation behind tiles, mark and cosignatures fails once, or two do; then fsck makes the files clean."""

from __future__ import annotations

import errno
import itertools
import os
import shutil

import pytest

from registry.audit.high_water import mark_of
from registry.bootstrap import Application
from registry.bootstrap.ledger import head_of
from registry.cli.auditing import verify_ledger
from registry.domain.errors import AuditUnavailable
from registry.services.publish import Publisher
from registry.services.witnesses import Remembered
from registry.storage.high_water import HighWaterFile
from registry.storage.tile_files import TileFiles
from registry.storage.witness_files import WitnessFiles
from registry.upkeep.fsck import UNFINISHED_SECONDS, faults_of
from tests.fakes.faulty_files import FileFaults, How, infect_files
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home

SIZE = 520  # two full tiles
CAUSES = {errno.ENOSPC: "disk_full", errno.EROFS: "read_only", errno.EIO: "storage_error", errno.EDQUOT: "disk_full"}


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> FileFaults:
    return infect_files(monkeypatch)


@pytest.fixture
def still(sqlite_home: Home) -> Home:
    """Nothing but the test looks after the mark."""
    assert sqlite_home.app.high_water is not None
    sqlite_home.app.high_water.close()
    grow(sqlite_home, SIZE)
    return sqlite_home


def begin(home: Home) -> Publisher:
    """Let the ledger grow, lose its tiles, and return a publisher as a new process has it."""
    with home.app.database.reader() as reader:
        size = reader.head().size
    grow(home, size + 1)
    shutil.rmtree(home.app.settings.ledger / "tiles", ignore_errors=True)
    known = home.app.tiles.publisher
    return Publisher(known._database, known._clock, known._signing, TileFiles(home.app.settings.ledger))


def write_all(home: Home, publisher: Publisher) -> list[str]:
    """Write tiles, mark and what is kept of witnesses; return what failed, by the cause that is told."""
    app, told = home.app, []
    files = WitnessFiles(app.settings.ledger)
    try:
        note = publisher.publish().note
        files.remember(Remembered(1, SIZE, 1, {"w": SIZE}, {}), note)
    except AuditUnavailable as unavailable:
        told.append(unavailable.cause)
    try:
        HighWaterFile(app.settings.ledger).raise_to(lambda: mark_of(head_of(app.database), app.signing), app.signing)
    except OSError as error:  # its keeper takes these, and says that the mark is behind
        told.append(CAUSES[error.errno or 0])
    return told


def make_clean(app: Application) -> None:
    """Mend what can be mended; all of it must, and then nothing may be left."""
    for path in app.settings.ledger.rglob(".*.unfinished"):
        os.utime(path, (app.kernel.clock.now().timestamp() - UNFINISHED_SECONDS - 1,) * 2)
    for fault in list(faults_of(app)):
        assert fault.mend is not None, fault
        fault.mend()
    assert [(fault.part, fault.what) for fault in faults_of(app)] == []
    assert not list(app.settings.ledger.rglob(".*.unfinished"))


def fail(home: Home, faults: FileFaults, how: How, error: int, *steps: int) -> None:
    publisher = begin(home)
    with faults.armed(how, error, *steps):
        told = write_all(home, publisher)
    # A folder that is there for all that its making failed is taken as it is.
    assert told or {faults.steps[step] for step in steps} == {"mkdir"}, (how, steps, faults.steps)
    assert set(told) <= {CAUSES[error], "storage_error"}
    make_clean(home.app)
    assert write_all(home, publisher) == []  # the same process goes on, by what is there and not by what it remembers
    make_clean(home.app)


def steps_of(home: Home, faults: FileFaults) -> list[str]:
    with faults.armed(How.NOT_DONE, errno.EIO):
        assert write_all(home, begin(home)) == []
    assert {"open", "write", "fsync", "replace"} <= set(faults.steps)
    return faults.steps


@pytest.mark.parametrize("how", How)
def test_each_step_fails_once_and_the_files_are_made_clean(still: Home, faults: FileFaults, how: How) -> None:
    steps, errors = steps_of(still, faults), itertools.cycle(CAUSES)
    assert len(steps) > 20
    for step, name in enumerate(steps):
        if how is not How.HALF_DONE or name == "write":
            fail(still, faults, how, next(errors), step)
    assert verify_ledger(still.app, 1).size > SIZE


@pytest.mark.slow
@pytest.mark.parametrize("how", How)
def test_any_two_steps_fail_and_the_files_are_made_clean(still: Home, faults: FileFaults, how: How) -> None:
    errors = itertools.cycle(CAUSES)
    for pair in itertools.combinations(range(len(steps_of(still, faults))), 2):
        fail(still, faults, how, next(errors), *pair)
    assert verify_ledger(still.app, 1).size > SIZE
