"""notices send, notices list."""

from __future__ import annotations

import click

from registry.cli.common import common, registry_at, write_json
from registry.domain.clock import from_unix_ms, iso
from registry.services.ports_notices import DEAD, WAITING

_MOST = 1_000


@click.group()
def notices() -> None:
    """Send what waits in the outbox, and list it."""


@notices.command()
@common
@click.option("--again", is_flag=True, help="Try also what was given up.")
def send(home: str | None, *, as_json: bool, again: bool) -> None:
    """Send what is due, once; a server does it by itself."""
    with registry_at(home) as application:
        if again:
            application.notices.revive()
        done = application.notices.send_due()
        counts = application.notices.counts()
    waiting, dead = (sum(n for (_, state), n in counts.items() if state == told) for told in (WAITING, DEAD))
    document = {"sent": done.sent, "failed": done.failed, "waiting": waiting, "dead": dead}
    if as_json:
        write_json(document)
    else:
        click.echo(", ".join(f"{count} {what}" for what, count in document.items()) + ".")


@notices.command("list")
@common
def list_notices(home: str | None, *, as_json: bool) -> None:
    """List what is in the outbox, soonest first: ids, kinds and entries; no value is in it."""
    with registry_at(home) as application:
        found = application.notices.listing(_MOST)
    documents = [
        {
            "notice": row.id,
            "kind": None if letter is None else letter.kind.value,
            "entry": row.index,
            "channel": row.channel,
            "state": row.state,
            "attempts": row.attempts,
            "due": iso(from_unix_ms(row.due_at)),
        }
        for row, letter in found
    ]
    if as_json:
        write_json(documents)
        return
    for one in documents:
        click.echo("  ".join(str(part) for part in one.values()))
