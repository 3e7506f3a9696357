"""Options that every command has, and how output is written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from registry.bootstrap import Application, inspected, opened
from registry.settings import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])


def common(function: F) -> F:
    """Give a command ``--home`` and ``--json``."""
    function = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")(function)
    return click.option("--home", metavar="DIR", help="Folder of the registry.")(function)


def settings_of(home: str | None) -> Settings:
    """Read the settings of the home folder given to the command or, failing that, to the group."""
    context = click.get_current_context()
    given = home or (context.find_root().obj or {}).get("home")
    return load_settings(None if given is None else Path(given))


@contextmanager
def registry_at(home: str | None) -> Iterator[Application]:
    """Open the registry of a command."""
    with opened(settings_of(home)) as application:
        yield application


@contextmanager
def registry_to_inspect(home: str | None) -> Iterator[Application]:
    """Open the registry of a command that only looks: also one that may not serve."""
    with inspected(settings_of(home)) as application:
        yield application


def write_json(document: object) -> None:
    """Write one JSON document, one line."""
    click.echo(json.dumps(document, ensure_ascii=False))


class Progress:
    """One line on a terminal's standard error, rewritten; silent anywhere else."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, of: int | None = None) -> None:
        """Show how far it is."""
        if self._shown:
            whole = "" if of is None else f" of {of}"
            click.echo(f"\r{self._what}: {done}{whole}", nl=False, err=True)

    def close(self) -> None:
        """End the line."""
        if self._shown:
            click.echo("", err=True)
