"""import: people from an NDJSON or CSV file, batch by batch, with an outcome for every line."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import click

from registry.bootstrap import Application
from registry.cli.common import common, registry_at, write_json
from registry.cli.failures import FOUND_WRONG
from registry.cli.stopping import Stop
from registry.domain.clock import SystemClock
from registry.domain.errors import InvalidInput
from registry.services.import_file import ImportRun, Tally
from registry.services.import_people import Existing
from registry.services.seal_lines import Hands, LineSealer
from registry.text.csv_mapping import MAX_MAPPING_BYTES, CsvMapping, read_mapping
from registry.text.csv_rows import UnreadRow, find_csv, find_ndjson, read_row
from registry.upkeep.sealing_pool import SealingPool, settle_heap

FORMATS = ("ndjson", "csv")
_SHOWN_ERRORS = 20
_SHOW_EVERY_SECONDS = 0.2
_MOST_WORKERS = 8  # more only wait: one process stores what all of them make
_ENDED = "ended early after {lines:,} lines; what was stored stays, send the file again"
_STOPPED = (
    "Stopped after {lines:,} lines. What was stored stays. Run the same command again to go on: lines that are stored"
    " are found unchanged."
)
_FIGURES = ("lines", "created", "updated", "unchanged", "rejected")
_DRY_FIGURES = ("lines", "valid", "rejected")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is being read; its size is None when it has none, such as a pipe."""

    stream: BinaryIO
    size: int | None

    def share(self) -> float | None:
        """Return how much of it was read, 0 to 1."""
        return None if not self.size else min(1.0, self.stream.tell() / self.size)


class ImportProgress:
    """One line on a terminal's standard error: lines, rate, share and time left; silent anywhere else."""

    def __init__(self, source: Source | None) -> None:
        self._source = source
        self._shown = sys.stderr.isatty()
        self._started = time.monotonic()
        self._last = 0.0

    def __call__(self, tally: Tally) -> None:
        """Show how far it is, a few times a second."""
        now = time.monotonic()
        if self._shown and now - self._last >= _SHOW_EVERY_SECONDS:
            self._last = now
            share = None if self._source is None else self._source.share()
            click.echo(f"\r{progress_line(tally.lines, now - self._started, share)}\x1b[K", nl=False, err=True)

    def close(self) -> None:
        """End the line."""
        if self._shown and self._last:
            click.echo("", err=True)


def progress_line(lines: int, seconds: float, share: float | None) -> str:
    """Say how far an import is.

    Args:
        lines: dealt with so far.
        seconds: since it began.
        share: of the file that was read, 0 to 1; None when nobody knows.
    """
    told = f"{lines:,} lines, {lines / max(seconds, 1e-6):,.0f} a second"
    if not share:
        return told
    left = round(seconds / share - seconds)
    return f"{told}, {share:.0%}, {left // 60}:{left % 60:02} left"


@dataclass(frozen=True, slots=True)
class How:
    """What to do with people who are enrolled already, and how many processes seal beside this one."""

    existing: Existing
    workers: int


@click.command("import")
@common
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Else by the file's ending.")
@click.option("--mapping", metavar="M.toml", help="For a CSV with other columns: which of them is which of ours.")
@click.option("--dry-run", is_flag=True, help="Check every line and store nothing; needs no registry.")
@click.option("--update", is_flag=True, help="Bring people who are enrolled already to what the file says.")
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    help="Processes beside this one; else cores less one, at most 8.",
)
@click.pass_context
def import_people(
    context: click.Context,
    home: str | None,
    file: str,
    form: str | None,
    mapping: str | None,
    workers: int | None,
    *,
    dry_run: bool,
    update: bool,
    as_json: bool,
) -> None:
    """Enroll people from FILE (- for standard input). The same content again changes nothing.

    With REGISTRY_URL and REGISTRY_TOKEN set, over HTTP into the registry there.
    """
    chosen = form or _by_ending(file)
    columns = _mapping(mapping, chosen)
    how = How(Existing.UPDATE if update else Existing.REJECT, _cores() if workers is None else workers)
    tally = Tally()
    with _input(file) as source, Stop().heard() as stop:
        found: Iterator[UnreadRow] = find_ndjson(source.stream)
        if chosen == "csv":
            found = find_csv(source.stream, columns)
        rows = stop.until_asked(found)
        if dry_run:
            check_rows(rows, tally, SystemClock().now().date())
        else:
            _import(home, rows, how, (tally, ImportProgress(source)))
    document = {"lines": tally.lines, "valid": tally.lines - tally.rejected, **_rejected(tally)}
    if not dry_run:
        document = tally.document()
    if stop.signal is not None:
        document["stopped"] = True
    if as_json:
        write_json(document)
    else:
        _summary(document, _DRY_FIGURES if dry_run else _FIGURES, tally)
    if stop.signal is not None:
        click.echo(_STOPPED.format(lines=tally.lines), err=True)
        context.exit(stop.exit_code)
    context.exit(FOUND_WRONG if tally.rejected else 0)


def _import(home: str | None, rows: Iterator[UnreadRow], how: How, shown: tuple[Tally, ImportProgress]) -> None:
    from registry.cli.importing_remote import RemoteImport  # noqa: PLC0415 - the HTTP client is slow to import
    from registry.cli.remote import remote  # noqa: PLC0415 - as above

    tally, progress = shown
    elsewhere = remote()
    try:
        if elsewhere is not None:
            RemoteImport(elsewhere, how.existing, progress).run(rows, tally)
            return
        with registry_at(home) as application:
            settle_heap()
            _run(application, rows, how, shown)
    except BaseException:
        if tally.lines:
            click.echo(f"\n{_ENDED.format(lines=tally.lines)}", err=True)
        raise
    finally:
        progress.close()


def run_import(application: Application, rows: Iterator[UnreadRow], existing: Existing) -> Tally:
    """Import all rows in this process, one transaction a batch."""
    tally, progress = Tally(), ImportProgress(None)
    _run(application, rows, How(existing, 0), (tally, progress))
    progress.close()
    return tally


def _run(application: Application, rows: Iterator[UnreadRow], how: How, shown: tuple[Tally, ImportProgress]) -> None:
    tally, progress = shown
    people = application.import_people
    hands: Hands = LineSealer(people.sealer).one_by_one
    if how.workers > 0:
        here = LineSealer(people.sealer)
        hands = SealingPool(here, application.settings, application.kernel.registry, how.workers).sealed
    today = application.kernel.clock.now().date()
    ImportRun(people, application.local_caller(), how.existing, today, progress, hands).run(rows, tally)


def check_rows(rows: Iterator[UnreadRow], tally: Tally, today: date) -> None:
    """Check every row as an import would, and store nothing. Whether somebody is enrolled already is not asked."""
    for row in rows:
        tally.lines += 1
        try:
            read_row(row.read(), today=today)
        except InvalidInput as refusal:
            tally.reject(row.line, [(problem.pointer, problem.code) for problem in refusal.problems])


def _rejected(tally: Tally) -> dict[str, object]:
    return {"rejected": tally.rejected, "errors": tally.problems()}


def _mapping(file: str | None, form: str) -> CsvMapping | None:
    if file is None:
        return None
    if form != "csv":
        raise click.UsageError("--mapping is for CSV files")
    try:
        with Path(file).open("rb") as stream:
            raw = stream.read(MAX_MAPPING_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"the mapping cannot be read: {error.strerror}") from None
    try:
        return read_mapping(raw)
    except InvalidInput as refusal:
        told = ", ".join(f"{problem.pointer or '/'} {problem.code}" for problem in refusal.problems)
        raise click.UsageError(f"the mapping is not usable: {told}") from None


@contextmanager
def _input(file: str) -> Iterator[Source]:
    if file == "-":
        yield Source(sys.stdin.buffer, None)
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise click.UsageError(f"FILE cannot be read: {error.strerror}") from None
    with stream:
        about = Path(file).stat()
        yield Source(stream, about.st_size if stat.S_ISREG(about.st_mode) else None)


def _cores() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores - 1, _MOST_WORKERS)  # this one stores meanwhile, and has a core to do


def _by_ending(file: str) -> str:
    if file.endswith(".csv"):
        return "csv"
    if file.endswith((".ndjson", ".jsonl")):
        return "ndjson"
    raise click.UsageError("say --format ndjson or --format csv")


_COLUMN_CODES = frozenset({"missing_header", "unknown_column", "missing_column"})


def _summary(document: dict[str, object], names: tuple[str, ...], tally: Tally) -> None:
    click.echo("  ".join(f"{name} {document[name]}" for name in names))
    for error in tally.problems()[:_SHOWN_ERRORS]:
        click.echo(f"  line {error['line']}: {error['pointer'] or '/'} {error['code']}", err=True)
    if len(tally.errors) > _SHOWN_ERRORS:
        click.echo(f"  and {len(tally.errors) - _SHOWN_ERRORS} more problems; --json lists them all", err=True)
    if any(error.code in _COLUMN_CODES for error in tally.errors):
        click.echo(
            "The columns of a CSV file are listed in docs/hr-integration.md under Files; --mapping reads others",
            err=True,
        )
