"""backup, restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from registry.audit.high_water import Standing
from registry.cli.common import common, settings_of, write_json
from registry.upkeep.backup import Restored, back_up, restore_over
from registry.upkeep.backup import restore as restore_into
from registry.upkeep.manifest import KEYS

_PUT = click.Path(path_type=Path, file_okay=False)


@click.command()
@common
@click.argument("folder", metavar="DIR", type=_PUT)
def backup(home: str | None, folder: Path, *, as_json: bool) -> None:
    """Copy the database and its evidence into a new folder, while the registry is in use. Never the keys."""
    manifest = back_up(settings_of(home), folder)
    if as_json:
        write_json(asdict(manifest))
        return
    size = sum(int(file["bytes"]) for file in manifest.files.values())
    click.echo(f"{manifest.entries} entries of the ledger and all records are in {folder} ({size} bytes).")
    click.echo(KEYS, err=True)


@click.command()
@common
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--replace", is_flag=True, help="A database is there already: put the backup in its place.")
def restore(home: str | None, folder: Path, *, replace: bool, as_json: bool) -> None:
    """Verify a backup and put its database into the home folder. Keys come back on their own."""
    done = (restore_over if replace else restore_into)(settings_of(home), folder)
    if as_json:
        write_json(
            {
                "entries": done.manifest.entries,
                "made": done.manifest.made,
                "engine": done.manifest.engine,
                "standing": done.standing,
                "must_migrate": done.must_migrate,
                "evidence": done.evidence,
            }
        )
        return
    click.echo(f"Restored {done.manifest.entries} entries of the ledger and all records, as of {done.manifest.made}.")
    if done.evidence:
        click.echo(f"{done.evidence} files of time-stamps and witnesses are back in ledger/.")
    click.echo(_next(done), err=True)


def _next(done: Restored) -> str:
    if done.must_migrate:
        return "The backup is of an older version. Next: registry migrate"
    if done.standing is None:
        return "There are no keys here. Next: put the folder keys/ back (0700, files 0600), then registry audit recover"
    if done.standing is Standing.FOLLOWS:
        return "It is at the high-water mark: nothing is lost. Next: registry serve"
    return "It is not at the high-water mark, and nothing is served from it. Next: registry audit recover --reason ..."
