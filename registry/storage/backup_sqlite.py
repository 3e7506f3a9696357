"""SQLite: its own online backup, and replacing a database file under the turn of the writers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from registry.domain.errors import MisconfiguredHome
from registry.storage.failures import cause_of

_BESIDE = ("-wal", "-shm", "-journal")


def path_of(url: str) -> Path:
    """Return the file of an address.

    Raises:
        MisconfiguredHome: the address names none.
    """
    database = make_url(url).database
    if not database:
        raise MisconfiguredHome("the database address names no file")
    return Path(database)


def copy(source: Path, target: Path) -> None:
    """Copy a database in one step: it sees one moment, and in WAL mode writers go on meanwhile.

    Raises:
        MisconfiguredHome: it is not there, or the copy cannot be made.
    """
    if not source.is_file():
        raise MisconfiguredHome(f"there is no database {source}; give the right --home")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
    except sqlite3.Error as error:
        raise MisconfiguredHome(f"the copy could not be made ({cause_of(error)})") from None


def demand_sound(file: Path) -> None:
    """Let SQLite check every page, index and foreign key of a copy.

    Raises:
        MisconfiguredHome: something is wrong.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            told = connection.execute("PRAGMA integrity_check(1)").fetchone()
            loose = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error:
        told, loose = None, None
    if told != ("ok",) or loose is not None:
        raise MisconfiguredHome("SQLite finds the copy damaged; use another one")


def put_in_place(file: Path, target: Path, aside: str | None) -> None:
    """Move a file to where the database is expected, and what is there to another name.

    Args:
        file: the database to put in place, in the same folder.
        target: where it is expected.
        aside: what the present one's name gets as an ending; None when there must be none.

    Raises:
        MisconfiguredHome: a database is there and may not be replaced, or the folder cannot be written.
    """
    if target.exists() and aside is None:
        raise MisconfiguredHome(f"{target} is there already; --replace keeps it under another name")
    try:
        for suffix in ("", *_BESIDE):
            present = Path(f"{target}{suffix}")
            if present.exists():
                present.rename(f"{target}.{aside}{suffix}")
        file.rename(target)
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.fsync(folder)
        os.close(folder)
    except OSError:
        raise MisconfiguredHome(f"{target.parent} cannot be written; make it writable for this user") from None
