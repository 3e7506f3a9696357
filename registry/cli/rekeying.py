"""keys rekey-index and rebuild-index: another generation of the blind index, while the registry serves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from registry.bootstrap import Application, operator, rebuild_index, rekey_index
from registry.cli.common import common, registry_at, registry_to_inspect, write_json
from registry.services.index_change import MAKING, SEALING, IndexChange, IndexStanding

# Steps that are told of in parts of all ids.
_IN_PARTS = {MAKING: "people read", SEALING: "people whose tags are sealed"}
_MINUTE, _HOUR = 60, 3_600


@click.command("rekey-index")
@common
@click.option("--status", "only_status", is_flag=True, help="Say how the index stands, and change nothing.")
@click.option("--without", type=click.IntRange(0), default=0, help="Leave out so many postings that no value explains.")
def rekey(home: str | None, *, only_status: bool, without: int, as_json: bool) -> None:
    """Bring the blind index under a new secret while the registry serves. May be stopped, and run again."""
    _run(home, rekey_index, (only_status, as_json), without)


@click.command("rebuild-index")
@common
@click.option("--status", "only_status", is_flag=True, help="Say how the index stands, and change nothing.")
@click.option("--without", type=click.IntRange(0), default=0, help="Leave out so many values that do not open.")
def rebuild(home: str | None, *, only_status: bool, without: int, as_json: bool) -> None:
    """Make the blind index anew by the terms of this version while the registry serves; under a new secret.

    May be stopped, and run again.
    """
    _run(home, rebuild_index, (only_status, as_json), without)


def _run(
    home: str | None, change_of: Callable[[Application], IndexChange], options: tuple[bool, bool], without: int
) -> None:
    only_status, as_json = options
    if only_status:
        with registry_to_inspect(home) as application:
            _show(change_of(application).standing(), as_json=as_json)
        return
    progress = _Progress()
    with registry_at(home) as application:
        try:
            done = change_of(application).run(operator=operator(), without=without, told=progress)
        finally:
            progress.close()
    if as_json:
        said = {"generation": done.generation, "postings": done.postings, "unopened": done.unopened}
        write_json({**said, "clean": done.is_clean})
        return
    click.echo(f"generation {done.generation} with {done.postings} postings is looked up in, the one before is removed")
    if not done.is_clean:
        click.echo("What was removed may still lie in the database's files; on PostgreSQL: registry database-clear")


def _show(now: IndexStanding, *, as_json: bool) -> None:
    if as_json:
        said = {"generation": now.generation, "postings": now.postings, "next": now.next_step}
        write_json({**said, "copied": now.following, "former": now.former, "terms": now.terms, "tags": now.tags})
        return
    click.echo(f"generation {now.generation} with {now.postings} postings is looked up in")
    if now.following is not None:
        click.echo(f"    {now.following} postings are in the next")
    if now.former is not None:
        click.echo(f"    {now.former} postings under the former secret are not removed yet")
    if now.tags < now.generation:
        click.echo(f"    tags of values stand under generation {now.tags} or later")
    if now.next_step:
        click.echo(f"    {now.next_step}")


class _Progress:
    """One line on a terminal's standard error, rewritten: how far it is, how fast, and how long it may take yet."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._step = ""
        self._began = (0.0, 0)

    def __call__(self, step: str, done: int, of: int) -> None:
        """Show how far a step is."""
        now = time.monotonic()
        if step != self._step:
            self._step, self._began = step, (now, done)
        if self._shown:
            began, before = self._began
            click.echo(f"\r{pace(step, done, of, (done - before, now - began))}\033[K", nl=False, err=True)

    def close(self) -> None:
        """End the line."""
        if self._shown and self._step:
            click.echo("", err=True)


def pace(step: str, done: int, of: int, lately: tuple[int, float]) -> str:
    """Say how far a step is.

    Args:
        step: what is done to the postings.
        done: how many there are of those that are done.
        of: how many there are to be.
        lately: how many of them were done since this command began, and in how many seconds.
    """
    if step in _IN_PARTS:
        done, of = 100 * done // of, 100
        told = f"{_IN_PARTS[step]}: {done} %"
    else:
        told = f"postings {step}: {done} of {of}"
    count, seconds = lately
    if count <= 0 or seconds <= 0:
        return told
    left = max(0, of - done) * seconds / count
    return f"{told}, {count / seconds:.0f} a second, {_time(left)} left"


def _time(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"
