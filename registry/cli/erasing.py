"""erase: take somebody out for good, in process in the development profile, over HTTP otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import orjson

from registry.api.erase_bodies import BASIS, erased_document
from registry.api.render import receipt_document
from registry.cli.checking import demand
from registry.cli.common import common, registry_at, write_json
from registry.domain.errors import NotFound
from registry.domain.ids import SubjectId
from registry.services.erase_scope import ErasureAsk
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.entries import ref_problem
from registry.text.rules.texts import reason_problem


@click.command()
@common
@click.option("--employee-number", required=True, help="Whose household.")
@click.option("--member", help="Only this person of it: the ref with which they were enrolled.")
@click.option("--reason", required=True, help="Why. It stays in the ledger: name nobody.")
@click.option("--basis", required=True, help="The law or rule it rests on.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def erase(
    home: str | None,
    employee_number: str,
    member: str | None,
    reason: str,
    basis: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Take a subject with the household, or one person of it, out for good. Cannot be undone."""
    demand(
        ("--employee-number", employee_number, employee_number_problem),
        ("--member", member, ref_problem),
        ("--reason", reason, reason_problem),
        ("--basis", basis, BASIS),
    )
    if not yes:
        click.confirm("Everything of them is destroyed for good. Go on?", abort=True, err=True)
    from registry.cli.remote import remote  # noqa: PLC0415 - the HTTP client is slow to import

    elsewhere = remote()
    if elsewhere is not None:
        found = elsewhere.post(
            "/v1/subjects/search", orjson.dumps({"employee_number": employee_number}), "application/json"
        )
        subject = _only(found.get("hits", []))
        body = {"reason": reason, "basis": basis} | ({} if member is None else {"member": member})
        _show(elsewhere.delete(f"/v1/subjects/{subject}", orjson.dumps(body)), as_json=as_json)
        return
    with registry_at(home) as application:
        caller = application.local_caller()
        search = application.search
        hits = search.search(caller, search.by_number(employee_number)).hits
        subject = _only([{"subject": hit.subject} for hit in hits])
        done = application.erase.erase(caller, ErasureAsk(subject, member, reason, basis))
        _show(erased_document(done) | {"receipt": receipt_document(done.receipt)}, as_json=as_json)


def _only(hits: list[Mapping[str, Any]]) -> SubjectId:
    if not hits:
        raise NotFound
    return SubjectId(str(hits[0]["subject"]))


def _show(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(document)
        return
    receipt = document["receipt"]
    gone = ", ".join(f"{number} {what}" for what, number in document["erased"].items() if number)
    stays = ", ".join(f"{number} {what}" for what, number in document["kept"].items() if number)
    click.echo(f"erased: {gone}")
    click.echo(f"stays: {stays or 'nothing'}")
    if not document["clean"]:
        click.echo(
            "Parts may still lie in unused space of the database, or keys/erased lacks them: registry audit fsck;"
        )
        click.echo("see docs/operations.md, 'Erase a person'.")
    click.echo("Older backups hold the wrapped keys until the keys that wrap them are destroyed: registry keys status")
    click.echo("Copy keys/erased to where copies of the key folder are kept: with it no older backup brings them back.")
    click.echo(f"receipt {receipt['code']}: entry {receipt['index']} of {receipt['origin']}")
