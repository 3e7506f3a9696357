"""kill -9 while the secret of marks is exchanged, at any statement: it is done or it is not, and copies are read."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry.bootstrap import initialise, opened
from registry.cli.auditing import verify_ledger
from registry.settings import DEVELOPMENT, load_settings
from registry.text.intake import read_enrollment
from tests.functional.services.homes import TODAY, person

# Exchanges it, counts the statements that go to the database, and kills itself at one of them.
_KEEPER = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from registry.bootstrap import opened, rotate_marks
from registry.settings import load_settings

seen = {"count": 0, "on": False}

def traced(_statement):
    seen["count"] += seen["on"]
    if seen["on"] and seen["count"] == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "connect")
def watch(connection, _record):
    connection.set_trace_callback(traced)

with opened(load_settings(Path(sys.argv[1]), {})) as application:
    seen["on"] = True
    rotate_marks(application).rotate(operator="local:test", redraws=True)
    seen["on"] = False
print(seen["count"])
"""


def rotated(home: Path, at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _KEEPER, str(home), str(at)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def generations(home: Path) -> int:
    with opened(load_settings(home, {})) as application:
        application.enroll.enroll(application.local_caller(), read_enrollment(person("T-0002"), today=TODAY))
        application.row_check.check()
        verify_ledger(application, 1)
        with application.database.read() as work:
            return len(work.mark_generations.stored())


@pytest.mark.timeout(900)
def test_it_is_done_or_it_is_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    initialise(load_settings(home, {}), DEVELOPMENT)
    with opened(load_settings(home, {})) as application:
        application.enroll.enroll(application.local_caller(), read_enrollment(person(), today=TODAY))
    whole = tmp_path / "whole"
    shutil.copytree(home, whole)
    done = rotated(whole, 0)
    assert done.returncode == 0, done.stderr
    assert generations(whole) == 1
    found = []
    for at in range(1, int(done.stdout) + 1):
        here = tmp_path / f"at-{at}"
        shutil.copytree(home, here)
        assert rotated(here, at).returncode == -signal.SIGKILL
        found.append(generations(here))
        shutil.rmtree(here)
    assert found == sorted(found)
    assert found[0] == 0
