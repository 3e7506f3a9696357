"""keys: how the keys that wrap others stand; exchange one, wrap stored keys anew, destroy an earlier one."""

from __future__ import annotations

from typing import Literal

import click

from registry.bootstrap import key_life, ledger_key, operator, rebuild_index, rotate_marks
from registry.cli import key_custody, key_uses, rekeying
from registry.cli.common import Progress, common, registry_at, registry_to_inspect, write_json
from registry.domain.clock import iso
from registry.keys.ports import LEDGER_PURPOSE, MARKS_PURPOSE, PROVIDER_PURPOSES, ProviderPurpose
from registry.services.key_life import KeyStanding
from registry.transparency.cosignature import format_cosigner
from registry.transparency.note import format_vkey
from registry.transparency.terms import KeyPair


@click.group()
def keys() -> None:
    """How the keys stand, and exchanging them while the registry serves."""


for _command in (key_custody.split, key_custody.unseal, key_custody.lock, key_custody.seal):
    keys.add_command(_command)
for _command in (key_uses.reconcile_uses, rekeying.rekey, rekeying.rebuild):
    keys.add_command(_command)


@keys.command()
@common
def status(home: str | None, *, as_json: bool) -> None:
    """List every key with what it wraps, and say what to do next and why. Shows no key; changes nothing."""
    with registry_to_inspect(home) as application:
        found, index = key_life(application).status(), rebuild_index(application).standing()
    if as_json:
        write_json([_document(one) for one in found])
        return
    for one in found:
        click.echo(_line(one))
        if one.next_step:
            click.echo(f"    {one.next_step}")
    if index.next_step:
        click.echo(f"the blind index: {index.next_step}")


@keys.command()
@common
@click.argument("purpose", type=click.Choice((*PROVIDER_PURPOSES, LEDGER_PURPOSE, MARKS_PURPOSE)))
@click.option("--announce", is_flag=True, help="Of the ledger: make its next key and print it; it signs nothing yet.")
@click.option("--redraw", is_flag=True, help="Of marks: draw all copies anew from now on; the former secret was seen.")
def rotate(
    home: str | None,
    purpose: ProviderPurpose | Literal["ledger", "marks"],
    *,
    announce: bool,
    redraw: bool,
    as_json: bool,
) -> None:
    """Make a new key for PURPOSE. Running servers take it up by themselves; the former key opens what it wrapped.

    Of the ledger, the former key signs no more and is destroyed. Of marks, the secret of marks and receipt codes is
    exchanged for what comes after; the former one reads what it drew.
    """
    if announce and purpose != LEDGER_PURPOSE:
        raise click.UsageError("only the ledger's key is announced: it is the one that others verify with")
    if redraw and purpose != MARKS_PURPOSE:
        raise click.UsageError("only copies with marks are drawn anew")
    if purpose == MARKS_PURPOSE:
        _rotate_marks(home, redraws=redraw, as_json=as_json)
        return
    if purpose == LEDGER_PURPOSE:
        _rotate_ledger(home, announce=announce, as_json=as_json)
        return
    with registry_at(home) as application:
        key_id = key_life(application).rotate(purpose, operator=operator())
    if as_json:
        write_json({"current": key_id})
        return
    click.echo(
        f"{key_id} wraps from now on. Copy the key folder to where its backup is kept; then: registry keys rewrap"
    )


def _rotate_marks(home: str | None, *, redraws: bool, as_json: bool) -> None:
    with registry_at(home) as application:
        made = rotate_marks(application).rotate(operator=operator(), redraws=redraws)
    if as_json:
        write_json({"generation": made.number, "entry": made.entry, "redraws": made.redraws})
        return
    what = "all copies" if redraws else "copies of new record versions"
    click.echo(
        f"generation {made.number}: {what} and receipt codes after entry {made.entry} are made by another secret"
    )
    if redraws:
        click.echo(f"Whoever had the former one can write like any copy that was served before entry {made.entry}.")


def _rotate_ledger(home: str | None, *, announce: bool, as_json: bool) -> None:
    with registry_at(home) as application:
        life = ledger_key(application)
        if announce:
            announced = life.announce(operator=operator())
        else:
            done = life.exchange(operator=operator())
    if announce:
        vkeys = _vkeys(announced)
        words = f"{vkeys['vkey']}\n{vkeys['second']}"
        after = "Give both lines to witnesses and auditors, and copy the key folder; then: registry keys rotate ledger"
    else:
        vkeys = {**_vkeys(done.current), "former": _vkeys(done.former)["vkey"], "size": done.size}
        words = f"{vkeys['vkey']}\n{vkeys['second']}"
        former = done.former.key.key_id.hex()
        after = (
            f"These keys sign from now on; {former} signed {done.size} entries and is destroyed here. Make a"
            " backup now: an earlier one cannot be gone on with. Copy the key folder, destroy its older copies, and"
            " tell who verifies:"
            f" --until {former}={done.size}"
        )
    if as_json:
        write_json(vkeys)
        return
    click.echo(words)
    click.echo(after, err=True)


def _vkeys(pair: KeyPair) -> dict[str, object]:
    return {"vkey": format_vkey(pair.key), "second": format_cosigner(pair.second)}


@keys.command()
@common
def rewrap(home: str | None, *, as_json: bool) -> None:
    """Wrap every stored key under the current keys while the registry serves. May be stopped, and run again."""
    progress = Progress("stored keys wrapped anew")
    with registry_at(home) as application:
        try:
            result = key_life(application).rewrap(operator=operator(), progress=progress)
        finally:
            progress.close()
    if as_json:
        write_json({"rewrapped": result.done, "failed": result.failed})
    else:
        click.echo(f"{result.done} stored keys wrapped anew, {result.failed} do not open")


@keys.command()
@common
@click.argument("key_id")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def shred(home: str | None, key_id: str, *, yes: bool, as_json: bool) -> None:
    """Destroy the earlier key KEY_ID: nothing that it wrapped can be opened again, in any backup either."""
    if not yes:
        click.confirm(f"Backups that need {key_id} can never be opened again. Destroy it?", abort=True, err=True)
    with registry_at(home) as application:
        key_life(application).discard(key_id, operator=operator())
    if as_json:
        write_json({"destroyed": key_id})
    else:
        click.echo(f"{key_id} is destroyed here; destroy its copies in backups of the key folder too")


def _line(one: KeyStanding) -> str:
    facts = one.facts
    when = "current" if facts.retired is None else f"earlier, exchanged {iso(facts.retired)}"
    wraps = "" if one.stored is None else f", wraps {one.stored} stored keys"
    version = "" if one.version is None else f", version {one.version}"
    rests = "" if one.rests_on is None else f", rests on {one.rests_on}"
    return f"{facts.key_id}  made {facts.created}, {when}{version}{wraps}{rests}"


def _document(one: KeyStanding) -> dict[str, object]:
    facts = one.facts
    return {
        "key": facts.key_id,
        "purpose": facts.purpose,
        "created": facts.created,
        "retired": None if facts.retired is None else iso(facts.retired),
        "unused": None if facts.unused is None else iso(facts.unused),
        "version": one.version,
        "versions": {str(version): count for version, count in one.versions.items()},
        "rests_on": one.rests_on,
        "stored": one.stored,
        "outdated": one.outdated,
        "erasures": one.erasures,
        "destroy_from": None if one.destroy_from is None else iso(one.destroy_from),
        "next": one.next_step,
    }
