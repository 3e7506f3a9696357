"""A program that kills itself at a statement of its database, and registries for it to be killed over.

On SQLite a statement is what the library says that it runs, on PostgreSQL whatever the driver waits for an answer to:
statements, commits, parts of a copy.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

from registry.bootstrap import initialise, opened
from registry.settings import DEVELOPMENT, load_settings
from registry.text.intake import read_enrollment
from tests.functional.services.homes import TODAY, person

# Counts the statements that go to the database while ``counted`` runs, and kills itself at one of them.
_PROGRAM = """
import os, signal, sys
from pathlib import Path
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine
from registry.bootstrap import opened
from registry.settings import load_settings
{imports}
seen = {{"count": 0, "on": False}}

def traced(_statement):
    seen["count"] += seen["on"]
    if seen["on"] and seen["count"] == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "connect")
def watch(connection, _record):
    if hasattr(connection, "set_trace_callback"):
        connection.set_trace_callback(traced)

asked = psycopg.Connection.wait

def wait(self, *arguments, **options):
    traced("")
    return asked(self, *arguments, **options)

psycopg.Connection.wait = wait

with opened(load_settings(Path(sys.argv[1]), {{"REGISTRY_DATABASE_URL": sys.argv[3]}})) as application:
{before}
    seen["on"] = True
{counted}
    seen["on"] = False
print(seen["count"])
"""


def program(imports: str, counted: str, before: str = "pass") -> str:
    """Return a program for ``run``.

    Args:
        imports: lines of imports.
        counted: what it does with ``application`` while statements are counted.
        before: what it does before that.
    """
    first, then = (indent(dedent(block), "    ") for block in (before, counted))
    return _PROGRAM.format(imports=dedent(imports), before=first, counted=then)


def run(text: str, home: Path, at: int, url: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program until it kills itself at that statement; at 0 it never does, and prints how many there are.

    Args:
        text: the program.
        home: the registry's folder.
        at: the statement.
        url: the database's address; empty for the folder's own.
    """
    command = [sys.executable, "-c", text, str(home), str(at), url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def registry_of(home: Path, *numbers: str, url: str = "") -> None:
    """Make a registry with these people, over the folder's own database or the one at an address."""
    settings = load_settings(home, {"REGISTRY_DATABASE_URL": url})
    initialise(settings, DEVELOPMENT)
    with opened(settings) as application:
        for number in numbers:
            application.enroll.enroll(application.local_caller(), read_enrollment(person(number), today=TODAY))
