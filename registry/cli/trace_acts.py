"""trace-name and trace-draws: what follows from a trace, by two people; here or at REGISTRY_URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click
import orjson

from registry.api.render import receipt_document
from registry.api.trace_bodies import label_problem, named_document, opened_document
from registry.bootstrap import Application
from registry.cli.checking import demand
from registry.cli.common import common, registry_at, write_json
from registry.domain.ids import TraceId, is_id
from registry.services.naming import NameAsk
from registry.text.rules.texts import reason_problem

Here = Callable[[Application], Mapping[str, Any]]


@click.command("trace-name")
@common
@click.argument("trace")
@click.argument("account")
@click.option("--reason", required=True, help="Why. It stays in the ledger, and whose account it is can read it.")
def trace_name(home: str | None, trace: str, account: str, reason: str, *, as_json: bool) -> None:
    """Name the ACCOUNT ("Account 1") of your TRACE that its report calls strong or more.

    Another person approves it, always; whose account it is is told, and has a time to reply.
    """
    identifier = trace_id(trace)
    demand(("ACCOUNT", account, label_problem), ("--reason", reason, reason_problem))

    def here(application: Application) -> dict[str, Any]:
        named = application.trace.name(application.local_caller(), identifier, NameAsk(account, reason))
        return named_document(identifier, named) | {"receipt": receipt_document(named.receipt)}

    document = done(home, f"{path_of(identifier)}/names", {"account": account, "reason": reason}, here)
    if as_json:
        write_json(document)
        return
    name = f"{document['account']} is {document['name']} ({document['principal']})"
    click.echo(
        f"{name}\nthey may reply until {document['reply_until']}; nothing is to follow before\n{entry_line(document)}"
    )


@click.command("trace-draws")
@common
@click.argument("trace")
@click.option("--reason", required=True, help="Why. It stays in the ledger.")
def trace_draws(home: str | None, trace: str, reason: str, *, as_json: bool) -> None:
    """Open, for a defence, what was drawn for all copies of the values that your TRACE read."""
    identifier = trace_id(trace)
    demand(("--reason", reason, reason_problem))

    def here(application: Application) -> dict[str, Any]:
        opened = application.trace.open_draws(application.local_caller(), identifier, reason)
        return opened_document(identifier, opened) | {"receipt": receipt_document(opened.receipt)}

    document = done(home, f"{path_of(identifier)}/draws", {"reason": reason}, here)
    if as_json:
        write_json(document)
        return
    click.echo(
        f"open for {document['record_versions']} values; the evidence bundle has the keys now\n{entry_line(document)}"
    )


def trace_id(text: str) -> TraceId:
    """Return the id that TRACE is.

    Raises:
        BadParameter: it is none.
    """
    if not is_id(text):
        raise click.BadParameter("give the id of a trace: 32 hexadecimal digits", param_hint="TRACE")
    return TraceId(text)


def path_of(trace: TraceId) -> str:
    """Return a trace's path."""
    return f"/v1/traces/{trace}"


def done(home: str | None, path: str, body: Mapping[str, Any], here: Here) -> Mapping[str, Any]:
    """Do it here, or have it done there.

    Raises:
        ApprovalNeeded: another person has to approve exactly this first.
        RegistryError: as the service does.
    """
    from registry.cli.remote import remote, waiting  # noqa: PLC0415 - the HTTP client is slow to import

    elsewhere = remote()
    if elsewhere is None:
        with registry_at(home) as application:
            return here(application)
    answer = elsewhere.post(path, orjson.dumps(body), "application/json")
    if "request" in answer:
        raise waiting(answer)
    return answer


def entry_line(document: Mapping[str, Any]) -> str:
    """Say which entry it is."""
    return f"entry {document['receipt']['index']} of the ledger"
