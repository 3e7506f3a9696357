"""PostgreSQL: its own ``pg_dump`` and ``pg_restore``. What they print is thrown away: it may quote rows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from registry.domain.errors import MisconfiguredHome
from registry.storage.engine import open_read_only
from registry.storage.failures import named_failures

_DRIVER = "postgresql"


def dump(connection: Connection, url: str, target: Path) -> None:
    """Dump the snapshot of an open transaction.

    Args:
        connection: a transaction that sees one snapshot (REPEATABLE READ).
        url: address of the database.
        target: file to fill.

    Raises:
        MisconfiguredHome: ``pg_dump`` is missing, older than the server, or failed.
    """
    server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    program = _program("pg_dump", server)
    snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
    _run([program, *options, *_address(url)], url)


def put_in_place(file: Path, url: str) -> None:
    """Restore a dump into a database without tables, in one transaction: all of it, or nothing.

    Raises:
        MisconfiguredHome: tables are there, or ``pg_restore`` is missing, older or failed.
    """
    if has_tables(url):
        raise MisconfiguredHome("the database is not empty; --replace replaces its tables")
    _restore(file, url, ())


def put_over(file: Path, url: str) -> None:
    """Restore a dump in place of the tables that are there, in one transaction.

    Raises:
        MisconfiguredHome: ``pg_restore`` is missing, older than the server or failed.
    """
    _restore(file, url, ("--clean", "--if-exists"))


def _restore(file: Path, url: str, replacing: Sequence[str]) -> None:
    program = _program("pg_restore", _server(url))
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run([program, *options, *replacing, *_address(url), str(file)], url)


def demand_readable(file: Path) -> None:
    """Let ``pg_restore`` read the table of contents of a dump.

    Raises:
        MisconfiguredHome: it cannot.
    """
    _run([_program("pg_restore", 0), "--list", str(file)], "postgresql://")


def has_tables(url: str) -> bool:
    """Tell whether the database holds any table of ours or of others."""
    statement = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    return int(_ask(url, statement)) > 0


def _server(url: str) -> int:
    return int(_ask(url, "SHOW server_version_num")) // 10_000


def _ask(url: str, statement: str) -> str:
    engine = open_read_only(url)
    try:
        with named_failures(), engine.connect() as connection:
            return str(connection.execute(text(statement)).scalar_one())
    finally:
        engine.dispose()


def _program(name: str, server: int) -> str:
    found = shutil.which(name)
    if found is None:
        raise MisconfiguredHome(
            f"{name} is not on the PATH; install PostgreSQL's client programs, of the server's version or a newer one"
        )
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - found on the operator's PATH
    version = re.search(r"\) (\d+)", told)
    if version is None or int(version[1]) < server:
        raise MisconfiguredHome(f"{name} is older than the server ({server}); put a newer one first on the PATH")
    return found


def _address(url: str) -> list[str]:
    # The password goes through the environment: arguments are shown to every user of the machine.
    address = make_url(url).set(drivername=_DRIVER, password=None)
    return ["--no-password", f"--dbname={address.render_as_string(hide_password=False)}"]


def _run(command: list[str], url: str) -> None:
    password = make_url(url).password
    environment = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    done = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - found on the operator's PATH, no shell
    if done.returncode:
        name = Path(command[0]).name
        raise MisconfiguredHome(f"{name} failed (exit code {done.returncode}); look at the server's log")
