"""disclose: one lookup, in process in the development profile, over HTTP otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import orjson

from registry.api.render import card_document, waiting_document
from registry.cli.checking import CASE, NOTE, demand
from registry.cli.common import common, registry_at, write_json
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, InvalidInput, NotFound
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Form
from registry.services.disclose import NOT_FOUND, DisclosureAsk, Failed, Refused, Waiting
from registry.text.rules.employee_number import employee_number_problem


@click.command()
@common
@click.option("--employee-number", required=True, help="Whose card.")
@click.option(
    "--category", "categories", multiple=True, required=True, type=click.Choice([one.value for one in Category])
)
@click.option("--purpose", required=True, help="Its code; GET /v1/purposes and the console list them.")
@click.option("--case", default="", help="Case reference.")
@click.option("--note", default="", help="What it is for, in words.")
@click.option(
    "--form",
    default=Form.MARKED.value,
    show_default=True,
    type=click.Choice([one.value for one in Form]),
    help="In forms drawn for you, exactly as enrolled, or masked.",
)
def disclose(
    home: str | None,
    employee_number: str,
    categories: tuple[str, ...],
    purpose: str,
    case: str,
    note: str,
    form: str,
    *,
    as_json: bool,
) -> None:
    """Look one person up. The lookup is in the ledger before anything is shown."""
    demand(
        ("--employee-number", employee_number, employee_number_problem),
        ("--case", case or None, CASE),
        ("--note", note or None, NOTE),
    )
    from registry.cli.remote import remote  # noqa: PLC0415 - the HTTP client is slow to import

    elsewhere = remote()
    if elsewhere is not None:
        body = {
            "employee_number": employee_number,
            "categories": sorted(set(categories)),
            "purpose": {"code": purpose} | {key: text for key, text in (("case", case), ("note", note)) if text},
            "form": form,
        }
        _show(elsewhere.post("/v1/disclosures", orjson.dumps(body), "application/json"), as_json=as_json)
        return
    with registry_at(home) as application:
        stated = application.kernel.policy.stated(Purpose(PurposeCode(purpose), case, note))
        if stated.code not in application.kernel.policy.codes:
            known = ", ".join(one.code for one in application.kernel.policy.purposes)
            raise click.BadParameter(
                f"there is no such purpose; those that open anything: {known}", param_hint="--purpose"
            )
        if problems := application.kernel.policy.problems(stated):
            raise InvalidInput(problems)
        ask = DisclosureAsk(
            subject=None,
            number_tag=application.kernel.number_tag(employee_number),
            categories=frozenset(Category(one) for one in categories),
            records=frozenset(),
            purpose=stated,
            form=Form(form),
        )
        (answer,) = application.disclose.disclose_many([(application.local_caller(), ask)])
    if isinstance(answer, Failed):
        raise answer.error
    if isinstance(answer, Waiting):
        _show(waiting_document(answer), as_json=as_json)
        return
    if isinstance(answer, Refused):
        if answer.reason == NOT_FOUND:
            raise NotFound
        raise AccessDenied(answer.reason, answer.receipt.index)
    _show(card_document(answer), as_json=as_json)


def _show(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(document)
        return
    if "request" in document:
        who = "somebody else has" if document["needs"]["approvals"] == 1 else "two other people have"
        click.echo(f"request {document['request']}: {who} to approve it; then make the same lookup again")
    for record in document.get("records", ()):
        whose = f" ({record['member']})" if record["member"] else ""
        click.echo(f"{record['category']}{whose}: {record['display']}")
    receipt = document["receipt"]
    click.echo(f"receipt {receipt['code']}: entry {receipt['index']} of {receipt['origin']}")
