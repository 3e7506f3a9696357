"""Time-stamps and what witnesses said go with a backup, and come back where nothing is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from registry.settings import load_settings
from registry.storage import backup as storage
from registry.storage.anchor_files import AnchorFiles
from registry.storage.witness_files import WitnessFiles
from registry.upkeep import evidence_files
from registry.upkeep.evidence_files import copy_evidence, is_evidence, put_back
from registry.upkeep.manifest import describe_file
from tests.functional.cli.conftest import Line, line_for
from tests.functional.upkeep.test_high_water import grow

KEPT = {
    "ledger/anchors/2.checkpoint": b"a note of 2",
    "ledger/anchors/2.tsa-1.tsr": b"\x30\x03",
    "ledger/anchors.before-entry-7/9.checkpoint": b"a note of 9",
    "ledger/anchors.before-entry-7/9.tsa-1.tsr": b"\x30\x04",
    "ledger/witness/cosigned": b"a cosigned note",
    "ledger/witness/12.seen": b"one of an hour",
    "ledger/witness/alarm": b"{}",
    "ledger/witness/evidence-1772445600000-1": b"two notes",
    "ledger/witness.before-entry-7/cosigned": b"an earlier one",
    "ledger/high-water.before-entry-7": b"an earlier mark",
}
# None of these: they come from elsewhere, follow from the leaves, or are unfinished.
OTHERS = (
    "witness/state",
    "anchors/.2.checkpoint.7.unfinished",
    "tiles/0/000",
    "anchors/notes.txt",
    "witness/x/cosigned",
)


@pytest.fixture
def kept(used: Line) -> Line:
    for name, content in KEPT.items():
        put(used.home / name, content)
    for name in OTHERS:
        put(used.home / "ledger" / name, b"something else")
    (used.home / "ledger" / "anchors" / "3.checkpoint").symlink_to("/etc/hostname")
    return used


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    path.write_bytes(content)


def found(home: Path) -> dict[str, bytes]:
    files = ((path.relative_to(home).as_posix(), path) for path in (home / "ledger").rglob("*") if path.is_file())
    return {name: path.read_bytes() for name, path in files if is_evidence(name) and not path.is_symlink()}


def test_a_machine_that_is_gone_has_its_evidence_again(kept: Line, tmp_path: Path) -> None:
    backup, new = tmp_path / "backup", line_for(tmp_path / "new")
    manifest = kept.json("backup", backup)
    assert set(manifest["files"]) == {"registry.db", "checkpoint", *KEPT}
    assert {path.stat().st_mode & 0o777 for path in backup.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in backup.rglob("*") if path.is_dir()} == {0o700}
    assert new.json("restore", backup)["evidence"] == len(KEPT)
    assert found(new.home) == KEPT
    files = AnchorFiles(load_settings(new.home, {}).ledger).kept()
    assert [(one.size, one.note, dict(one.tokens)) for one in files] == [(2, "a note of 2", {"tsa-1": b"\x30\x03"})]
    assert WitnessFiles(load_settings(new.home, {}).ledger).cosigned() == "a cosigned note"


def test_what_is_there_stays_as_it_is(kept: Line, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    kept("backup", backup)
    put(kept.home / "ledger/witness/alarm", b"a later one")
    (kept.home / "ledger/anchors/2.tsa-1.tsr").unlink()
    told = kept("restore", backup, "--replace")
    assert "1 files of time-stamps and witnesses are back" in told.stdout
    assert found(kept.home) == {**KEPT, "ledger/witness/alarm": b"a later one"}


def test_a_time_stamp_in_a_backup_is_of_no_more_than_its_database(
    used: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes while the database is copied is not in it: else it would look as if the database were cut."""
    own = storage.copy_database

    def copied(url: str, folder: Path) -> tuple[Path, storage.CopyFacts]:
        put(used.home / "ledger/anchors/900.checkpoint", b"a note of 900")
        return own(url, folder)

    monkeypatch.setattr(storage, "copy_database", copied)
    used("backup", tmp_path / "backup")
    assert not (tmp_path / "backup" / "ledger").exists()


def test_a_changed_file_and_a_name_that_leads_elsewhere_are_refused(kept: Line, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    kept("backup", backup)
    (backup / "ledger/anchors/2.tsa-1.tsr").write_bytes(b"\x30\x05")
    assert "not as it was written" in kept("restore", backup, "--replace", exits=3).stderr
    for name in ("ledger/../../x", "ledger/anchors/../2.checkpoint", "ledger/keys/data.key", "/ledger/witness/alarm"):
        told = json.loads((backup / "manifest.json").read_text())
        told["files"] = {name: {"bytes": 0, "sha256": ""}}
        (backup / "manifest.json").write_text(json.dumps(told))
        assert "damaged" in kept("restore", backup, "--replace", exits=3).stderr


def test_a_backup_of_before_is_taken_still(used: Line, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    used("backup", backup)
    told = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps({**told, "format": "registry-backup/v1"}))
    assert used.json("restore", backup, "--replace")["evidence"] == 0


def test_what_cannot_be_written_is_named_and_nothing_half_stays(
    kept: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(evidence_files.os, "fsync", _no_disk)
        assert "cannot be written" in kept("backup", tmp_path / "backup", exits=3).stderr
    assert not list(tmp_path.glob("backup*"))
    kept("backup", tmp_path / "backup")
    shutil.rmtree(kept.home / "ledger" / "anchors")
    with monkeypatch.context() as patched:
        patched.setattr(evidence_files, "sync_folder", _no_disk)
        assert "not what belongs into" in kept("restore", tmp_path / "backup", "--replace", exits=3).stderr
    assert kept.json("restore", tmp_path / "backup", "--replace")["evidence"] == 1  # the other is there
    assert found(kept.home) == KEPT
    grow(kept)


def _no_disk(*_given: object) -> None:
    raise OSError(28, "no space")


def test_copying_and_putting_back_are_the_inverse_of_each_other(tmp_path: Path) -> None:
    ledger, backup, other = tmp_path / "ledger", tmp_path / "backup", tmp_path / "other" / "ledger"
    backup.mkdir()
    other.parent.mkdir()
    assert copy_evidence(ledger, backup) == ()
    for name, content in KEPT.items():
        put(tmp_path / name, content)
    names = copy_evidence(ledger, backup)
    assert set(names) == set(KEPT)
    assert (put_back(backup, other, names), put_back(backup, other, names)) == (len(KEPT), 0)
    assert {name: describe_file(backup / name) for name in names} == {
        name: describe_file(other.parent / name) for name in names
    }
