"""Backup and restore of a registry's database. Never of its keys: a backup that is lost then opens nothing."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from registry.audit.high_water import Standing
from registry.bootstrap import LedgerSigning, inspected
from registry.domain.clock import Clock, SystemClock, iso
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.keys.opening import keyring
from registry.settings import Settings
from registry.storage import backup as storage
from registry.storage import backup_postgresql, backup_sqlite
from registry.storage.backup import CopyFacts
from registry.storage.migrate import known_revisions, newest_revision
from registry.storage.side_folder import sync_folder
from registry.storage.writer_turn import WriterTurn
from registry.transparency.checkpoint import open_own
from registry.upkeep.evidence_files import FOLDER, copy_evidence, is_evidence, put_back
from registry.upkeep.manifest import FORMAT, NAME, Manifest, describe_file, read_manifest

CHECKPOINT = "checkpoint"
_RESTORING = ".restoring"
_UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore gave.

    Attributes:
        manifest: of the backup.
        standing: how the database stands to the high-water mark; None without keys, or before a migration.
        must_migrate: the tables are of an older revision than this program needs.
        evidence: how many files of time-stamps and witnesses were put back beside the database.
    """

    manifest: Manifest
    standing: Standing | None
    must_migrate: bool
    evidence: int


def back_up(settings: Settings, folder: Path, clock: Clock | None = None) -> Manifest:
    """Copy the database, its checkpoint, evidence beside it and a manifest into a new folder, while others use it.

    Needs no key. It grows under the name DIR.unfinished and gets its own when it is whole and durable; what is stopped
    in between leaves nothing under that name, and what fails leaves nothing.

    Raises:
        MisconfiguredHome: the folder is there and not empty, or the copy cannot be made.
        AuditUnavailable: the database cannot be read.
    """
    now = SystemClock() if clock is None else clock
    _demand_empty(folder)
    growing = folder.with_name(folder.name + _UNFINISHED)
    _make_growing(growing)
    try:
        manifest = _fill(settings, growing, iso(now.now()))
        growing.rename(folder)
        sync_folder(folder.parent)
    except OSError:
        raise MisconfiguredHome(
            f"{folder} cannot be written, or {settings.ledger} not be read; free space, or choose another folder"
        ) from None
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    return manifest


def _fill(settings: Settings, folder: Path, made: str) -> Manifest:
    # First, so that no time-stamp in it is of more entries than the database beside it has.
    evidence = copy_evidence(settings.ledger, folder)
    file, facts = storage.copy_database(settings.database_url, folder)
    _write(folder, CHECKPOINT, facts.checkpoint.encode())
    manifest = Manifest(
        format=FORMAT,
        made=made,
        engine=storage.engine_of(settings.database_url),
        revision=facts.revision,
        registry=facts.registry,
        origin=facts.origin,
        profile=facts.profile,
        entries=facts.entries,
        files={name: describe_file(folder / name) for name in (file.name, CHECKPOINT, *evidence)},
    )
    _write(folder, NAME, manifest.render())
    sync_folder(folder)
    return manifest


def restore(settings: Settings, folder: Path) -> Restored:
    """Verify a backup and put its database into a home folder that has none. See ``restore_over``.

    Raises:
        MisconfiguredHome: as there; and when a database is there.
        KeyUnavailable: as there.
    """
    return _restore(settings, folder, None)


def restore_over(settings: Settings, folder: Path, clock: Clock | None = None) -> Restored:
    """Verify a backup and put its database in place of the one that is there. The high-water mark is left as it is.

    Args:
        settings: of the home folder.
        folder: the backup.
        clock: tells the time that a present file is named with.

    Raises:
        MisconfiguredHome: the backup is not complete, damaged, of a newer program or of another registry than the
            keys in the home folder; or there are no keys beside a database that is to be replaced.
        KeyUnavailable: the keyring is damaged or open to others.
    """
    now = (SystemClock() if clock is None else clock).now()
    return _restore(settings, folder, f"replaced-{now:%Y%m%dT%H%M%S%f}")


def _restore(settings: Settings, folder: Path, aside: str | None) -> Restored:
    manifest = read_manifest(folder)
    if manifest.engine not in storage.FILES or storage.FILES[manifest.engine] not in manifest.files:
        raise MisconfiguredHome(f"{folder} holds no database that this program knows")
    if manifest.engine != storage.engine_of(settings.database_url):
        raise MisconfiguredHome(
            f"this backup is of {manifest.engine}; set REGISTRY_DATABASE_URL to such a database, or unset it for sqlite"
        )
    if manifest.revision not in known_revisions():
        raise MisconfiguredHome("the backup is of a newer program than this one; install that version")
    if storage.is_there(settings.database_url) and aside is None:
        raise MisconfiguredHome("a database is there already; --replace puts the backup in its place")
    _make_home(settings)
    _demand_own_keys(settings, folder, manifest, aside)
    _put_in_place(settings, folder, manifest, aside)
    evidence = _put_back(settings, folder, manifest)
    must_migrate = manifest.revision != newest_revision()
    standing = None if must_migrate or not settings.keys.exists() else _standing(settings)
    return Restored(manifest, standing, must_migrate, evidence)


def _put_back(settings: Settings, folder: Path, manifest: Manifest) -> int:
    try:
        return put_back(folder, settings.ledger, filter(is_evidence, manifest.files))
    except OSError:
        raise MisconfiguredHome(
            f"the database is in place, but not what belongs into {settings.ledger}; free space, and copy"
            f" {folder / FOLDER} there"
        ) from None


def _put_in_place(settings: Settings, folder: Path, manifest: Manifest, aside: str | None) -> None:
    file = folder / storage.FILES[manifest.engine]
    if manifest.engine == storage.POSTGRESQL:
        backup_postgresql.demand_readable(file)
        storage.put_in_place(file, settings.database_url, aside)
        _demand_as_told(storage.facts_of(settings.database_url), manifest)
        return
    target = backup_sqlite.path_of(settings.database_url)
    unfinished = target.with_name(target.name + _RESTORING)
    try:
        unfinished.unlink(missing_ok=True)
        _copy_private(file, unfinished)
        if describe_file(unfinished) != manifest.files[file.name]:
            raise MisconfiguredHome(f"{file} changed while it was read; use another backup")
        _demand_as_told(storage.facts_of(f"sqlite:///{unfinished}"), manifest)
        backup_sqlite.demand_sound(unfinished)
        turn = WriterTurn(settings.ledger / "writer.lock")
        try:
            with turn.taken():
                storage.put_in_place(unfinished, settings.database_url, aside)
        finally:
            turn.close()
    except OSError:
        raise MisconfiguredHome(f"{target.parent} cannot be written; free space or mend its mode") from None
    finally:
        for path in target.parent.glob(f"{unfinished.name}*"):
            path.unlink(missing_ok=True)


def _demand_as_told(facts: CopyFacts, manifest: Manifest) -> None:
    told = (manifest.revision, manifest.registry, manifest.origin, manifest.profile, manifest.entries)
    if (facts.revision, facts.registry, facts.origin, facts.profile, facts.entries) != told:
        raise MisconfiguredHome("the database in the backup is not the one that its manifest tells of; use another one")


def _demand_own_keys(settings: Settings, folder: Path, manifest: Manifest, aside: str | None) -> None:
    """Check that the backup's checkpoint is signed by the ledger's key in the home folder, where there is one."""
    if not settings.keys.exists():
        if aside is not None and storage.is_there(settings.database_url):
            raise MisconfiguredHome(f"{settings.keys} is not there; put the keys back before a database is replaced")
        return
    try:
        note = (folder / CHECKPOINT).read_bytes()
        with keyring(settings.keys, settings.custody) as ring:
            size = open_own(note, LedgerSigning(manifest.origin, ring, SystemClock())).size
    except (OSError, ProofRejected, ValueError):
        raise MisconfiguredHome(
            "the backup's checkpoint is not signed by this registry's key; nothing was restored"
        ) from None
    if size != manifest.entries:
        raise MisconfiguredHome("the backup's checkpoint is of another size than its manifest tells")


def _standing(settings: Settings) -> Standing:
    with inspected(settings) as application:
        return application.compare_high_water().standing


def _make_home(settings: Settings) -> None:
    try:
        for folder in (settings.home, settings.ledger):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise MisconfiguredHome(f"the folder {settings.home} cannot be made; choose another with --home") from None


def _demand_empty(folder: Path) -> None:
    try:
        is_empty = not folder.exists() or not any(folder.iterdir())
    except OSError:
        raise MisconfiguredHome(f"the folder {folder} cannot be used; choose another") from None
    if not is_empty:
        raise MisconfiguredHome(f"{folder} is not empty; a backup never replaces another: choose a new folder")


def _make_growing(folder: Path) -> None:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise MisconfiguredHome(
            f"{folder} is there: another backup is at work, or one was stopped; when none is, remove it"
        ) from None
    except OSError:
        raise MisconfiguredHome(f"the folder {folder} cannot be made; choose another") from None


def _write(folder: Path, name: str, content: bytes) -> None:
    file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(file)


def _copy_private(source: Path, target: Path) -> None:
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with source.open("rb") as read, os.fdopen(file, "wb") as written:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(file)
