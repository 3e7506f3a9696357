"""audit prune: remove what old entries say, as the settings keep it."""

from __future__ import annotations

from collections.abc import Mapping

import click

from registry.bootstrap import operator
from registry.cli.common import Progress, common, registry_at, registry_to_inspect, write_json


@click.command()
@common
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def prune(home: str | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what entries say that are older than [retention] keeps. Leaves and tree stay; what is on hold stays."""
    if dry_run:
        with registry_to_inspect(home) as application:
            plan = application.retention.plan()
        _show({"below": plan.below, "openings": len(plan.going), "held": plan.held}, "would go", as_json=as_json)
        return
    if not yes:
        click.confirm("What these entries say is gone for good. Go on?", abort=True, err=True)
    progress = Progress("openings removed")
    with registry_at(home) as application:
        try:
            done = application.retention.prune(operator=operator(), progress=progress)
        finally:
            progress.close()
        application.database.scrub()
    told = {"below": done.below, "openings": done.count, "held": done.held, "entries": list(done.entries)}
    _show(told, "removed", as_json=as_json)


def _show(told: Mapping[str, object], what: str, *, as_json: bool) -> None:
    if as_json:
        write_json(told)
    else:
        click.echo(f"below entry {told['below']}: {told['openings']} openings {what}, {told['held']} held")
