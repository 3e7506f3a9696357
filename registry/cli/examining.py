"""doctor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from registry.cli.common import common, settings_of, write_json
from registry.cli.failures import FOUND_WRONG
from registry.domain.errors import MisconfiguredHome
from registry.upkeep.checks import BACKUP_HOURS, Check, Plan, State
from registry.upkeep.doctor import examine

_SIGNS = {State.OK: "ok  ", State.FINDING: "MEND", State.NOT_CHECKED: "?   "}


@click.command()
@common
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that `registry serve` is given.")
@click.option("--entries", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True, help="Newest to check.")
@click.option("--backups", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Where backups are.")
@click.option("--backup-hours", type=click.IntRange(1), default=BACKUP_HOURS, show_default=True, help="Oldest newest.")
@click.pass_context
def doctor(
    context: click.Context,
    home: str | None,
    host: str,
    entries: int,
    backups: Path | None,
    backup_hours: int,
    *,
    as_json: bool,
) -> None:
    """Check a deployment and say what to mend. Writes nothing."""
    checks = _examined(home, Plan(host, entries, backups, backup_hours))
    sound = all(check.state is State.OK for check in checks)
    if as_json:
        write_json({"sound": sound, "checks": [_shown(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{_SIGNS[check.state]} {check.name}: {check.what}")
            if check.mend:
                click.echo(f"     {check.mend}")
    context.exit(0 if sound else FOUND_WRONG)


def _shown(check: Check) -> dict[str, str]:
    return {"name": check.name, "state": check.state, "what": check.what, "mend": check.mend}


def _examined(home: str | None, plan: Plan) -> Sequence[Check]:
    try:
        settings = settings_of(home)
    except MisconfiguredHome as error:
        return [Check("settings", State.FINDING, str(error), "mend config.toml")]
    return examine(settings, plan)
