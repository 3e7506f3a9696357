"""audit witness: asking the witnesses of a registry, and being one for somebody else's."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import click

from registry.cli.common import common, registry_to_inspect, write_json
from registry.cli.failures import FOUND_WRONG
from registry.domain.clock import SystemClock
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.transparency.cosignature import format_cosigner
from registry.transparency.note import parse_vkey
from registry.witness.daemon import Witness, serving_witness
from registry.witness.folder import WitnessFolder, create


@click.group()
def witness() -> None:
    """Ask this registry's witnesses; be a witness of another organisation's registry."""


@witness.command()
@common
@click.pass_context
def ask(context: click.Context, home: str | None, *, as_json: bool) -> None:
    """Ask every witness to cosign the newest checkpoint, once."""
    with registry_to_inspect(home) as application:
        panel, clock = application.witnesses, application.kernel.clock
        if panel is None:
            raise MisconfiguredHome("no witnesses are set; name a policy under [witness] in config.toml")
        asked = panel.round(clock)
        standing = panel.standing(clock)
    told = {one.witness: one.failure or "cosigned" for one in asked}
    alarm = None if standing.alarm is None else standing.alarm.cause
    if as_json:
        write_json({"witnesses": told, "unseen": standing.lag_entries, "alarm": alarm})
    else:
        for name, what in told.items():
            click.echo(f"{name}: {what}")
        click.echo(f"{standing.lag_entries} entries were not seen by a quorum.")
        if alarm is not None:
            click.echo(f"ALARM: {alarm}. The evidence is in ledger/witness/; no entry is taken.", err=True)
    context.exit(0 if alarm is None and not standing.lag_entries else FOUND_WRONG)


@witness.command()
@common
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The witness's name, such as witness.inspector.example/w1.")
@click.option("--log", "logs", multiple=True, required=True, help="A ledger's verifier key, from a source you trust.")
def init(home: str | None, folder: Path, name: str, logs: tuple[str, ...], *, as_json: bool) -> None:
    """Make a witness in a folder of its own. Needs no registry; prints the key that others verify with."""
    del home  # every command takes it; this one needs none
    try:
        keys = [parse_vkey(log) for log in logs]
        made = create(folder, name, keys)
    except ProofRejected as error:
        raise click.UsageError(f"not usable: {error}") from None
    vkey = format_cosigner(made.key)
    if as_json:
        write_json({"folder": str(folder), "vkey": vkey})
    else:
        click.echo(vkey)


@witness.command()
@common
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; TLS ends before it.")
@click.option("--port", type=click.IntRange(0, 65535), default=8091, show_default=True, help="Port to listen on.")
def serve(home: str | None, folder: Path, host: str, port: int, *, as_json: bool) -> None:
    """Cosign what the ledgers of a witness's folder publish, until stopped. Needs no registry."""
    del home  # every command takes it; this one needs none
    kept = WitnessFolder(folder)
    with kept.alone(), closing(_listen(host, port)) as listening:
        address = f"http://{host}:{listening.getsockname()[1]}"
        if as_json:
            write_json({"url": address, "vkey": format_cosigner(kept.key.key)})
        else:
            click.echo(f"Witnessing on {address}. Stop with Ctrl-C.", err=True)
        with serving_witness(Witness(kept, SystemClock()), listening) as server:
            server.serve_forever()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=64)
    except OSError:
        raise MisconfiguredHome(f"cannot listen on {host} port {port}") from None
