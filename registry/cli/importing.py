"""import: people from an NDJSON or CSV file, batch by batch, with an outcome for every line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from registry.bootstrap import Application
from registry.cli.common import Progress, common, registry_at, write_json
from registry.cli.failures import FOUND_WRONG
from registry.services.import_file import ImportRun, Tally
from registry.services.import_people import Existing
from registry.services.kernel import Caller
from registry.text.csv_rows import RowResult, read_csv, read_ndjson

FORMATS = ("ndjson", "csv")
_SHOWN_ERRORS = 20


@click.command("import")
@common
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Else by the file's ending.")
@click.option("--update", is_flag=True, help="Bring people who are enrolled already to what the file says.")
@click.pass_context
def import_people(
    context: click.Context, home: str | None, file: str, form: str | None, *, update: bool, as_json: bool
) -> None:
    """Enroll people from FILE (- for standard input). The same content again changes nothing."""
    chosen = form or _by_ending(file)
    existing = Existing.UPDATE if update else Existing.REJECT
    with registry_at(home) as application, _input(file) as stream:
        rows = read_csv(stream) if chosen == "csv" else read_ndjson(stream)
        tally = run_import(application, application.local_caller(), rows, existing)
    if as_json:
        write_json(tally.document())
    else:
        _summary(tally)
    context.exit(FOUND_WRONG if tally.rejected else 0)


def run_import(application: Application, caller: Caller, rows: Iterator[RowResult], existing: Existing) -> Tally:
    """Import all rows, one transaction a batch."""
    tally, started, progress = Tally(), time.monotonic(), Progress("people a second / lines")

    def told(so_far: Tally) -> None:
        progress(round(so_far.lines / max(time.monotonic() - started, 1e-6)), so_far.lines)

    today = application.kernel.clock.now().date()
    ImportRun(application.import_people, caller, existing, today, told).run(rows, tally)
    progress.close()
    return tally


@contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise click.UsageError(f"FILE cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def _by_ending(file: str) -> str:
    if file.endswith(".csv"):
        return "csv"
    if file.endswith((".ndjson", ".jsonl")):
        return "ndjson"
    raise click.UsageError("say --format ndjson or --format csv")


def _summary(tally: Tally) -> None:
    document = tally.document()
    names = ("lines", "created", "updated", "unchanged", "rejected")
    click.echo("  ".join(f"{name} {document[name]}" for name in names))
    for error in tally.errors[:_SHOWN_ERRORS]:
        click.echo(f"  line {error.line}: {error.pointer or '/'} {error.code}", err=True)
    if len(tally.errors) > _SHOWN_ERRORS:
        click.echo(f"  and {len(tally.errors) - _SHOWN_ERRORS} more problems; --json lists them all", err=True)
