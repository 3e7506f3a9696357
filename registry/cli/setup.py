"""init, migrate, serve."""

from __future__ import annotations

from typing import Any

import click

from registry.bootstrap import initialise, migrate_database, opened
from registry.cli.common import common, settings_of, write_json
from registry.settings import DEVELOPMENT, PROFILES

# More than this on one machine only wait for each other.
MAX_WORKERS = 64

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
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), default=1, show_default=True, help="Processes.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve /metrics on a port of its own per process.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the metrics to listen on.")
def serve(
    home: str | None,
    host: str,
    port: int,
    workers: int,
    metrics_port: int | None,
    metrics_host: str,
    *,
    as_json: bool,
) -> None:
    """Serve the API until stopped, and in the development profile the console beside it."""
    from registry.cli import serving  # noqa: PLC0415 - the web framework and the pages are slow to import

    metrics = None if metrics_port is None else serving.Address(metrics_host, metrics_port)
    settings = settings_of(home)
    with opened(settings) as application:
        if application.profile == DEVELOPMENT:
            click.echo(BANNER, err=True)
        sockets = serving.open_sockets(application, serving.Address(host, port), metrics, workers)
        site = serving.build_site(application) if workers == 1 else None
        console = None if site is None or site.links is None else sockets.url + serving.SIGN_IN_PATH
        at_page = "" if application.sign_in is None else f"sign in at {application.sign_in.host}, or "
        told: dict[str, Any] = {
            "url": sockets.url,
            "profile": application.profile,
            "console": console,
            "workers": workers,
        }
        told["metrics"] = sockets.metrics_urls
        if site is not None:
            _tell_ready(told, at_page, as_json=as_json)
            serving.serve_alone(application, site.app, sockets)
            return
    # Closed again, after it showed that it opens: what is forked holds no connection and no thread.
    code = serving.serve_together(settings, sockets, workers, lambda: _tell_ready(told, at_page, as_json=as_json))
    click.get_current_context().exit(code)


def _tell_ready(told: dict[str, Any], at_page: str, *, as_json: bool) -> None:
    if as_json:
        write_json(told)
        return
    click.echo(f"Serving on {told['url']}. Stop with Ctrl-C.", err=True)
    for address in told["metrics"]:
        click.echo(f"Metrics: {address}", err=True)
    if told["console"] is not None:
        click.echo(f"Console: {told['console']} ({at_page or 'sign in '}with what `registry token` prints)", err=True)
