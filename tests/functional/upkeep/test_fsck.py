"""audit fsck: what is kept beside the database, by the leaves; mended only where that hides nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import opened
from registry.services.witnesses import Alarm, Remembered
from registry.settings import load_settings
from registry.storage.high_water import HighWaterFile
from registry.storage.witness_files import WitnessFiles
from registry.upkeep.fsck import UNFINISHED_SECONDS
from tests.functional.cli.conftest import Line
from tests.functional.cli.test_auditing import TARGET, flip, unguarded
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.upkeep.test_high_water import copy_of, put_back

SIZE = 1_100


@pytest.fixture
def long(line: Line) -> Line:
    """Give a registry with four full tiles, all published, and what is kept of a witness."""
    with opened(load_settings(line.home, {})) as application:
        grow(Home(application, None), SIZE)  # type: ignore[arg-type]  # no clock is asked
        note = application.tiles.publisher.publish().note
        WitnessFiles(application.settings.ledger).remember(Remembered(1, SIZE, 1, {}, {}), note)
    return line


def found(line: Line, *options: str, exits: int = 0) -> list[dict[str, Any]]:
    told = line.json("audit", "fsck", *options, exits=exits)
    assert told["verified"]
    faults: list[dict[str, Any]] = told["faults"]
    return faults


def contents(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((home / "ledger").rglob("*")) if path.is_file()}


def ledger(line: Line) -> Path:
    return Path(line.home) / "ledger"


def change_tile(folder: Path) -> None:
    path = folder / "tiles/0/002"
    path.write_bytes(flip(path.read_bytes(), 40))


def exchange_tiles(folder: Path) -> None:
    (folder / "tiles/0/001").write_bytes((folder / "tiles/0/000").read_bytes())


def lose_tile(folder: Path) -> None:
    (folder / "tiles/0/001").unlink()


def shorten_tile(folder: Path) -> None:
    path = folder / "tiles/0/001"
    path.write_bytes(path.read_bytes()[:-1])


def leave_unfinished(folder: Path) -> None:
    path = folder / "tiles/0/.004.77.unfinished"
    path.write_bytes(b"half")
    os.utime(path, (path.stat().st_mtime - UNFINISHED_SECONDS - 1,) * 2)


def damage_cosigned(folder: Path) -> None:
    path = folder / "witness/cosigned"
    path.write_bytes(flip(path.read_bytes(), 60))


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (change_tile, "tiles"),
        (exchange_tiles, "tiles"),
        (lose_tile, "tiles"),
        (shorten_tile, "tiles"),
        (leave_unfinished, "unfinished"),
        (damage_cosigned, "witness"),
    ],
)
def test_what_follows_from_the_leaves_is_mended(long: Line, act: Callable[[Path], None], part: str) -> None:
    assert found(long) == []
    sound, database = contents(long.home), copy_of(long.home)
    act(ledger(long))
    (fault,) = found(long, exits=1)
    assert (fault["part"], fault["state"]) == (part, "can be mended with --repair")
    (again,) = found(long, exits=1)  # looking changes nothing
    assert again == fault
    (mended,) = found(long, "--repair")
    assert (mended["part"], mended["state"]) == (part, "mended")
    assert found(long) == []
    now = {name: raw for name, raw in contents(long.home).items() if "set-aside" not in name}
    assert now == {name: raw for name, raw in sound.items() if part != "witness" or not name.endswith("cosigned")}
    assert copy_of(long.home) == database


def test_changed_tiles_are_kept_as_evidence(long: Line) -> None:
    change_tile(ledger(long))
    changed = (ledger(long) / "tiles/0/002").read_bytes()
    found(long, "--repair")
    assert (ledger(long) / "tiles.set-aside-1/0/002").read_bytes() == changed


def put_further_tile(line: Line) -> None:
    shutil.copy(ledger(line) / "tiles/0/003", ledger(line) / "tiles/0/004")


def put_strange_file(line: Line) -> None:
    (ledger(line) / "tiles/0/notes").write_text("?", "utf-8")


def lose_mark(line: Line) -> None:
    HighWaterFile(ledger(line)).path.unlink()


def raise_alarm(line: Line) -> None:
    WitnessFiles(ledger(line)).raise_alarm(Alarm("forked", "w", 1), "two checkpoints")


def shorten_cosigned_ledger(line: Line) -> None:
    """Keep a cosigned checkpoint of a longer ledger, and its mark no longer."""
    database, mark = copy_of(line.home), HighWaterFile(ledger(line)).path.read_bytes()
    with opened(load_settings(line.home, {})) as application:
        grow(Home(application, None), SIZE + 5)  # type: ignore[arg-type]  # no clock is asked
        note = application.tiles.publisher.publish().note
        WitnessFiles(application.settings.ledger).remember(Remembered(), note)
    put_back(line.home, database)
    HighWaterFile(ledger(line)).path.write_bytes(mark)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (put_further_tile, "of no tree that these leaves have: 0/004"),
        (put_strange_file, "of no tree that these leaves have: 0/notes"),
        (lose_mark, "no high-water mark"),
        (raise_alarm, "alarm stands: forked"),
        (shorten_cosigned_ledger, f"cosigned {SIZE + 5} entries where there are {SIZE}"),
    ],
)
def test_evidence_is_named_and_left_alone(long: Line, act: Callable[[Line], None], what: str) -> None:
    act(long)
    before = contents(long.home)
    (fault,) = found(long, "--repair", exits=1)
    assert fault["state"] == "stays"
    assert what in fault["what"]
    assert "registry audit recover" in fault["advice"]
    assert contents(long.home) == before
    assert what in long("audit", "fsck", exits=1).stdout


def test_nothing_is_mended_by_leaves_that_do_not_verify(long: Line) -> None:
    change_tile(ledger(long))
    before = contents(long.home)
    sql = unguarded(long.home)
    (leaf,) = sql.execute("SELECT leaf FROM ledger_leaf WHERE i = ?", (TARGET,)).fetchone()
    sql.execute("UPDATE ledger_leaf SET leaf = ? WHERE i = ?", (flip(leaf, len(leaf) // 2), TARGET))
    sql.close()
    told = long.json("audit", "fsck", "--repair", exits=1)
    assert (told["verified"], told["entry"]) == (False, TARGET)
    assert contents(long.home) == before
