"""The tests' own PostgreSQL runs for whoever runs the tests: as root it becomes ``nobody``, any other user stays so."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.fakes.postgres import PostgresServer

PROGRAM = """
import os, shutil, sys, tempfile
from pathlib import Path
import psycopg
from tests.fakes.postgres import PostgresServer, binaries

# Everything is imported, and the programs are where everybody may read, before root is given up.
programs = binaries()
with tempfile.TemporaryDirectory(prefix="registry-pg-") as folder:
    os.chmod(folder, 0o755)
    shutil.copytree(programs.parent, Path(folder, "installed"), symlinks=True)
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.chdir("/")
        os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"
        code = 1
        server = PostgresServer(Path(folder, "installed", programs.name))
        try:
            server.start()
            name = server.create_database()
            with server.admin(name) as connection:
                print(connection.execute("SELECT current_database(), 1 + 1").fetchone(), os.getuid(), flush=True)
            code = 0
        finally:
            server.remove()
            assert not server.folder.exists()
            os._exit(code)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_it_runs_as_another_user_than_root(postgres: PostgresServer) -> None:
    with postgres.admin() as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    assert Path(str(folder)).stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root has run every other test of PostgreSQL so")
@pytest.mark.usefixtures("postgres")
def test_it_runs_for_a_user_who_is_not_root() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "('t1', 2) 65534"
