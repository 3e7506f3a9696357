"""Ctrl-C while several processes check leaves: it ends at once, as 130, in silence, and leaves no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import initialise, opened
from registry.settings import DEVELOPMENT, load_settings
from tests.crash.test_import import children, command_of, is_running, until

_ENDS_SECONDS = 30  # far more than it takes, far less than the halts below
# `registry audit verify --tree` with short runs, from the first leaf on in several processes. It halts itself or the
# others, and says so.
_PROGRAM = """
import os, signal, sys, time
# A job in a shell's background has it ignored from the start.
signal.signal(signal.SIGINT, signal.default_int_handler)
from functools import partial
from registry.cli import auditing
from registry.cli.main import main
from registry.services.other_process import OtherProcess

def said(word):
    os.write(1, word.encode() + b"\\n")

def halting(application, span):
    checked = check(application, span)
    if sys.argv[1] == "itself":
        said("halted")
        time.sleep(600)
    return checked

def waiting(hand):
    if sys.argv[1] == "others" and not hand.has_answered():
        said("halted")
    return heard(hand)

def started(hand, *given):
    start(hand, *given)
    if sys.argv[1] == "others":
        os.kill(hand._process.pid, signal.SIGSTOP)

check, auditing._check_leaves = auditing._check_leaves, halting
heard, OtherProcess.heard = OtherProcess.heard, waiting
start, OtherProcess.__init__ = OtherProcess.__init__, started
auditing.spans = lambda size: [(at, at + 1) for at in range(size)]
auditing.verify_tree = partial(auditing.verify_tree, parallel_from=1)
main(["audit", "verify", "--tree", "--workers", "3"])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a command needs to find a small registry, on each engine."""
    postgres: Any = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    name = postgres.create_database() if postgres else ""
    url = postgres.url(name) if postgres else ""
    settings = load_settings(tmp_path / "home", {"REGISTRY_DATABASE_URL": url})
    initialise(settings, DEVELOPMENT)
    with opened(settings) as application, application.database.write() as work:
        application.kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME) for _ in range(40)])
        work.commit()
    yield {**os.environ, "REGISTRY_HOME": str(tmp_path / "home"), "REGISTRY_DATABASE_URL": url, "REGISTRY_URL": ""}
    if postgres:
        postgres.drop_database(name)


@pytest.mark.parametrize("halted", ["itself", "others"])
def test_ctrl_c_ends_every_process_that_checks_leaves(environment: dict[str, str], halted: str) -> None:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, halted], env=environment, text=True, **pipes)
    below: list[int] = []
    others: list[int] = []
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "halted\n"
        below = children(process.pid)
        others = [pid for pid in below if b"spawn_main" in command_of(pid)]
        assert len(others) == 2
        # As a terminal does: to every process of the command. The others leave it to the first one to end them.
        for pid in below:
            os.kill(pid, signal.SIGINT)
        time.sleep(1)
        assert all(map(is_running, others))
        process.send_signal(signal.SIGINT)
        output, said = process.communicate(timeout=_ENDS_SECONDS)
        left = [pid for pid in others if is_running(pid)]
    finally:
        process.kill()
        for pid in filter(is_running, others):
            os.kill(pid, signal.SIGKILL)
        process.communicate()
    assert (process.returncode, output, said) == (130, "", "")
    assert not left
    until(lambda: not any(is_running(pid) for pid in below))
