"""init, migrate, serve."""

from __future__ import annotations

from contextlib import ExitStack

import click

from registry.bootstrap import initialise, migrate_database
from registry.cli.common import common, registry_at, settings_of, write_json
from registry.settings import DEVELOPMENT, PROFILES

BANNER = """\
DEVELOPMENT PROFILE. Anybody on this machine with access to the home folder can
make tokens for any role. Never put real records in here. Bound to loopback only."""


@click.command()
@common
@click.option("--profile", type=click.Choice(PROFILES), default=DEVELOPMENT, show_default=True)
def init(home: str | None, profile: str, *, as_json: bool) -> None:
    """Make a new registry: keys, tables, first entry. A second run changes nothing."""
    settings = settings_of(home)
    is_new = initialise(settings, profile)
    if as_json:
        write_json({"home": str(settings.home), "profile": profile, "created": is_new})
    elif is_new:
        click.echo(f"A new registry ({profile}) is in {settings.home}. Next: registry import FILE, registry serve")
    else:
        click.echo(f"The registry in {settings.home} is there already; nothing was changed.")


@click.command()
@common
def migrate(home: str | None, *, as_json: bool) -> None:
    """Bring the database to the revision that this program needs."""
    before, after = migrate_database(settings_of(home))
    if as_json:
        write_json({"before": before, "after": after})
    else:
        click.echo(f"The database is at revision {after}." if before == after else f"From {before} to {after}.")


@click.command()
@common
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve /metrics on a port of its own.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the metrics to listen on.")
def serve(
    home: str | None, host: str, port: int, metrics_port: int | None, metrics_host: str, *, as_json: bool
) -> None:
    """Serve the API until stopped, and in the development profile the console beside it."""
    from registry.api.metrics import serving_metrics  # noqa: PLC0415 - as below
    from registry.api.server import run  # noqa: PLC0415 - the web framework is slow to import
    from registry.cli.serving import SIGN_IN_PATH, build_site  # noqa: PLC0415 - so are the pages

    with registry_at(home) as application, ExitStack() as beside:
        if application.profile == DEVELOPMENT:
            click.echo(BANNER, err=True)
        profile, site = application.profile, build_site(application)

        metrics = None
        if metrics_port is not None:
            metrics = beside.enter_context(serving_metrics(application, metrics_host, metrics_port))

        def ready(url: str) -> None:
            console = None if site.links is None else url + SIGN_IN_PATH
            if as_json:
                write_json({"url": url, "profile": profile, "console": console, "metrics": metrics})
                return
            click.echo(f"Serving on {url}. Stop with Ctrl-C.", err=True)
            if console is not None:
                click.echo(f"Console: {console} (sign in with what `registry token` prints)", err=True)

        run(application, host, port, app=site.app, ready=ready)
