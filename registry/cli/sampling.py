"""audit sample, audit review: the lookups of a week that the lot chose, and what a reviewer finds of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import click
import orjson

from registry.cli.checking import NOTE, demand
from registry.cli.common import common, registry_at, write_json
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.weeks import week_named
from registry.services.review_sample import Finding, Judgement


@click.command()
@common
@click.option("--week", help="A week that is over, such as 2026-W10; the last one when left out.")
def sample(home: str | None, week: str | None, *, as_json: bool) -> None:
    """List the lookups of a week that the lot chose for review."""
    from registry.cli.remote import remote  # noqa: PLC0415 - the HTTP client is slow to import

    elsewhere = remote()
    if elsewhere is None:
        document = _sample_here(home, week)
    else:
        query = "" if week is None else f"?{urlencode({'week': week})}"
        document = orjson.loads(elsewhere.fetch(f"/v1/audit/sample{query}"))
    if as_json:
        write_json(document)
        return
    click.echo(f"{document['week']}: {len(document['lookups'])} lookups, due {document['due']}")
    for one in document["lookups"]:
        told = one["finding"] or "open"
        click.echo(f"entry {one['entry']}  {told:12}  {one['at']}  {one['principal']}  {one['purpose']['code']}")
    for one in document["late"]:
        click.echo(f"overdue: {one['open']} of {one['week']}")


@click.command()
@common
@click.argument("entry", type=click.IntRange(0))
@click.option("--finding", required=True, type=click.Choice([one.value for one in Finding]))
@click.option("--note", default="", help="Why; for the ledger. Needed but for fits.")
def review(home: str | None, entry: int, finding: str, note: str, *, as_json: bool) -> None:
    """Say whether a lookup of a sample fits its purpose."""
    if not note and finding != Finding.FITS:
        raise click.UsageError("give a --note")
    demand(("--note", note or None, NOTE))
    from registry.cli.remote import remote  # noqa: PLC0415 - as above

    elsewhere = remote()
    if elsewhere is None:
        with registry_at(home) as application:
            judgement = Judgement(entry, Finding(finding), note)
            row, receipt = application.review_sample.review(application.local_caller(), judgement)
        document: Mapping[str, Any] = {"entry": row.entry, "finding": row.finding, "noted": receipt.index}
    else:
        body = {"finding": finding} | ({"note": note} if note else {})
        answer = elsewhere.post(f"/v1/audit/sample/{entry}", orjson.dumps(body), "application/json")
        document = {key: answer[key] for key in ("entry", "finding")} | {"noted": answer["receipt"]["index"]}
    if as_json:
        write_json(document)
    else:
        click.echo(f"entry {document['entry']}: {document['finding']}; entry {document['noted']} says so")


def _sample_here(home: str | None, named: str | None) -> Mapping[str, Any]:
    from registry.api.sample_documents import sample_document  # noqa: PLC0415 - as above

    with registry_at(home) as application:
        service, last = application.review_sample, application.review_sample.last_week()
        week = last if named is None else week_named(named)
        if week is None or week.start_ms > last.start_ms:
            raise InvalidInput([FieldProblem("/query/week", "not_a_week" if week is None else "not_over")])
        return sample_document(service.sample(application.local_caller(), week))
