"""keys reconcile: what the key service says it unwrapped, against what the ledger explains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from registry.bootstrap import Application, operator, reconcile
from registry.cli.common import common, registry_at, write_json
from registry.cli.failures import FOUND_WRONG
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import MisconfiguredHome
from registry.keys.kms.settings import KmsSettings
from registry.keys.kms.trail import TrailMarks, read_trail
from registry.keys.openbao.audit_log import AuditHash, read_log
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.secret_file import read_secret
from registry.keys.service.keyring import ServiceKeyring
from registry.keys.uses import KeyLog, KeyUse, UseMarks, texts_of
from registry.services.reconcile import Reconciled, Windows


@click.command("reconcile")
@common
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--token-file", type=click.Path(path_type=Path), help="OpenBao: a file with the auditor's token.")
@click.option("--device", default="file", help="OpenBao: path of the audit device that wrote the logs.")
@click.option("--skew", type=click.IntRange(0, 600), default=5, help="Seconds that clocks may differ.")
@click.option("--within", type=click.IntRange(1, 86_400), default=300, help="Seconds that an entry explains.")
@click.option("--starts", type=click.IntRange(0), help="How often processes opened the keyring in that time at most.")
@click.pass_context
def reconcile_uses(
    context: click.Context,
    /,
    home: str | None,
    logs: tuple[Path, ...],
    *,
    token_file: Path | None,
    device: str,
    as_json: bool,
    **given: int | None,
) -> None:
    """Compare LOGS of the key service, files or folders, with the ledger; an unwrap without an entry is an alarm."""
    windows = Windows(given["skew"] or 0, given["within"] or 1, given["starts"])
    with registry_at(home) as application, _counted(application, logs, token_file, device) as (log, marks):
        found = reconcile(application).run(log, marks, windows, operator=operator())
    if as_json:
        write_json(_document(found))
    else:
        _say(found)
    context.exit(0 if found.is_sound else FOUND_WRONG)


@contextmanager
def _counted(
    application: Application, logs: tuple[Path, ...], token_file: Path | None, device: str
) -> Iterator[tuple[KeyLog, UseMarks]]:
    settings, ring = application.settings.key_service, application.keyring
    if isinstance(settings, KmsSettings) and isinstance(ring, ServiceKeyring):
        yield read_trail(texts_of(logs), ring.service_keys()), TrailMarks()
        return
    if not isinstance(settings, KeyServiceSettings):
        raise MisconfiguredHome("nobody counts how often these keys are used: OpenBao and AWS KMS do")
    if token_file is None:
        raise click.UsageError("OpenBao's log is read with an auditor's token: --token-file")
    marks = AuditHash(settings, device.strip("/"), read_secret(token_file, "auditor's token"))
    try:
        yield read_log(texts_of(logs), settings), marks
    finally:
        marks.close()


def _say(found: Reconciled) -> None:
    log = found.log
    span = f"{_time(log.first_ms)} to {_time(log.last_ms)}" if log.first_ms else "no time: the log is empty"
    click.echo(f"{len(log.uses)} unwraps from {span}")
    click.echo(f"{found.explained} explained by entries, {found.probes} of throw-away keys")
    click.echo(f"keyring opened {found.openings} times{': more than was said' if found.is_too_often else ''}")
    for use in log.taken:
        click.echo(f"ALARM {_time(use.at_ms)} {use.key} was taken out of the key service by {use.who}")
    for use in found.unexplained:
        again = ", nor that it follows another; a question that was sent twice looks like it"
        said = f"no entry explains it{again if use in found.repeats else ''}"
        click.echo(f"ALARM {_time(use.at_ms)} {use.key} unwrapped for {use.who}: {said}")
    if found.unseen is not None:
        since, until = map(_time, found.unseen)
        click.echo(f"ALARM {since} to {until}: no log of this time was looked at; give those between as well")


def _document(found: Reconciled) -> dict[str, object]:
    log = found.log
    return {
        "from": _time(log.first_ms),
        "to": _time(log.last_ms),
        "unwraps": len(log.uses),
        "explained": found.explained,
        "probes": found.probes,
        "openings": found.openings,
        "openings_too_many": found.is_too_often,
        "taken": [_use(one) for one in log.taken],
        "unexplained": [_use(one) | {"repeated": one in found.repeats} for one in found.unexplained],
        "unseen": None if found.unseen is None else {"from": _time(found.unseen[0]), "to": _time(found.unseen[1])},
    }


def _use(one: KeyUse) -> dict[str, str | bool]:
    return {"at": _time(one.at_ms), "key": one.key, "who": one.who, "mark": one.mark}


def _time(at_ms: int) -> str:
    return iso(from_unix_ms(at_ms))
