"""database-roles."""

from __future__ import annotations

import click

from registry.bootstrap import grant_database_roles
from registry.cli.common import common, settings_of, write_json


@click.command("database-roles")
@common
def database_roles(home: str | None, *, as_json: bool) -> None:
    """Make PostgreSQL's roles for serving, retention and migrations, each with its rights alone."""
    roles = grant_database_roles(settings_of(home))
    if as_json:
        write_json({"roles": list(roles)})
    else:
        click.echo(f"The roles {', '.join(roles)} have their rights. Next: make the account that serves a member of")
        click.echo(f"{roles[0]}, and serve with its address in REGISTRY_DATABASE_URL.")
