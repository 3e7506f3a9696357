"""database-clear."""

from __future__ import annotations

import click

from registry.bootstrap import clear_database
from registry.cli.common import common, settings_of, write_json
from registry.cli.failures import FOUND_WRONG


@click.command("database-clear")
@common
@click.pass_context
def database_clear(context: click.Context, home: str | None, *, as_json: bool) -> None:
    """Make PostgreSQL's tables anew, so that nothing that was erased lies in their files. As their owner."""
    done = clear_database(settings_of(home))
    if as_json:
        write_json({"kept": list(done.kept), "log_until": done.log_until, "log_ended": done.is_log_ended})
    else:
        _tell(done.log_until, done.kept, is_ended=done.is_log_ended)
    context.exit(FOUND_WRONG if done.kept else 0)


def _tell(until: str, kept: tuple[str, ...], *, is_ended: bool) -> None:
    if kept:
        click.echo(f"Somebody still reads an older state of {', '.join(kept)}: run this again when they are done.")
    else:
        click.echo("Nothing that was erased lies in the tables' files.")
    gone = "once the server has removed or written over it" if is_ended else "after the server's next checkpoints"
    click.echo(f"The write-ahead log up to {until} holds it until then: it is gone {gone}.")
