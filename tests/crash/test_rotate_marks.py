"""kill -9 while the secret of marks is exchanged, at any statement: it is done or it is not, and copies are read."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from registry.bootstrap import opened
from registry.cli.auditing import verify_ledger
from registry.settings import load_settings
from registry.text.intake import read_enrollment
from tests.crash.statements import program, registry_of, run
from tests.functional.services.homes import TODAY, person

_KEEPER = program(
    "from registry.bootstrap import rotate_marks",
    'rotate_marks(application).rotate(operator="local:test", redraws=True)',
)


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
    registry_of(home, "T-0001")
    whole = tmp_path / "whole"
    shutil.copytree(home, whole)
    done = run(_KEEPER, whole, 0)
    assert done.returncode == 0, done.stderr
    assert generations(whole) == 1
    found = []
    for at in range(1, int(done.stdout) + 1):
        here = tmp_path / f"at-{at}"
        shutil.copytree(home, here)
        assert run(_KEEPER, here, at).returncode == -signal.SIGKILL
        found.append(generations(here))
        shutil.rmtree(here)
    assert found == sorted(found)
    assert found[0] == 0
