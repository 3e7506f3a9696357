"""audit accounting: who was shown what of one subject, as it is handed to them (45 CFR 164.528)."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from typing import Any

import click
import orjson

from registry.api.accounting_bodies import accounting_document, read_accounting
from registry.api.bodies import moment_problem
from registry.api.render import receipt_document
from registry.cli.checking import demand
from registry.cli.common import common, registry_at, write_json
from registry.text.rules.employee_number import employee_number_problem

_COLUMNS = ("date", "recipient", "unit", "what", "purpose", "entry")
# What a spreadsheet would take for a formula is written behind an apostrophe.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command()
@common
@click.option("--employee-number", required=True, help="Whose.")
@click.option("--since", help="From this moment on, such as 2026-01-31T00:00:00Z; six years back at most.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output.")
def accounting(home: str | None, employee_number: str, since: str | None, *, as_csv: bool, as_json: bool) -> None:
    """List who was shown what of somebody, when and for which purpose; an entry itself, which they see."""
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    demand(("--employee-number", employee_number, employee_number_problem), ("--since", since, moment_problem))
    document = _found(home, {"employee_number": employee_number} | ({} if since is None else {"since": since}))
    if as_json:
        write_json(document)
        return
    lines = [_line(one) for one in document["disclosures"]]
    if as_csv:
        csv.writer(sys.stdout).writerows([_COLUMNS, *([_cell(text) for text in line] for line in lines)])
        return
    click.echo(f"disclosures since {document['since']}: {len(lines)}")
    for line in lines:
        click.echo("  ".join(text or "-" for text in line))


def _found(home: str | None, body: Mapping[str, str]) -> Mapping[str, Any]:
    from registry.cli.remote import remote  # noqa: PLC0415 - the HTTP client is slow to import

    elsewhere = remote()
    if elsewhere is not None:
        return elsewhere.post("/v1/audit/accountings", orjson.dumps(body), "application/json")
    with registry_at(home) as application:
        today = application.kernel.clock.now().date()
        ask = read_accounting(dict(body), application.kernel.number_tag, today=today)
        found = application.accountings.produce(application.local_caller(), ask)
        return accounting_document(found) | {"receipt": receipt_document(found.receipt)}


def _line(one: Mapping[str, Any]) -> tuple[str, ...]:
    told = (one["at"], one["recipient"] or "", one["unit"] or "", " ".join(one["what"]), one["purpose"] or "")
    return (*told, str(one["index"]))


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
