"""case: notes, replies, how the case of a trace stands, and what is seen later; here or at REGISTRY_URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from registry.api.render import receipt_document
from registry.api.trace_bodies import added_document, added_item_document, label_problem, note_problem
from registry.bootstrap import Application
from registry.cli.checking import SOURCE, demand
from registry.cli.common import common, write_json
from registry.cli.trace_acts import done, entry_line, path_of, trace_id
from registry.cli.traced import content_of
from registry.cli.tracing import how_seen, read_text, read_time
from registry.domain.case_states import CaseState, ReplyBy
from registry.domain.clock import iso
from registry.services.evidence_items import ItemAsk
from registry.text.rules.texts import reason_problem, url_problem


@click.group()
def case() -> None:
    """Keep the case of your TRACE: notes, replies, how it stands, what is seen later."""


@case.command("note")
@common
@click.argument("trace")
@click.argument("text")
def note(home: str | None, trace: str, text: str, *, as_json: bool) -> None:
    """Add a note. It is kept encrypted, and shown with the text of the trace alone."""
    identifier = trace_id(trace)
    demand(("TEXT", text, note_problem))

    def here(application: Application) -> dict[str, Any]:
        added = application.trace.file.note(application.local_caller(), identifier, text)
        return added_document(identifier, added) | {"receipt": receipt_document(added.receipt)}

    document = done(home, f"{path_of(identifier)}/notes", {"text": text}, here)
    _tell(document, f"part {document['part']}; the case is {document['state']}", as_json=as_json)


@case.command("reply")
@common
@click.argument("trace")
@click.argument("text")
@click.option("--by", type=click.Choice([by.value for by in ReplyBy]), required=True, help="Who replies.")
@click.option("--account", help='The label of the account in the report ("Account 1"), with --by account_holder.')
def reply(home: str | None, trace: str, text: str, by: str, account: str | None, *, as_json: bool) -> None:
    """Record what somebody says of the report, which prints it in their words."""
    identifier = trace_id(trace)
    if (by == ReplyBy.ACCOUNT_HOLDER) != (account is not None):
        raise click.UsageError("--account goes with --by account_holder, and with no other")
    demand(("TEXT", text, note_problem), ("--account", account, label_problem))

    def here(application: Application) -> dict[str, Any]:
        added = application.trace.reply(application.local_caller(), identifier, (ReplyBy(by), account or ""), text)
        return added_document(identifier, added) | {"receipt": receipt_document(added.receipt)}

    body = {"text": text, "by": by} | ({"account": account} if account else {})
    document = done(home, f"{path_of(identifier)}/notes", body, here)
    _tell(document, f"part {document['part']}; the report prints it", as_json=as_json)


@case.command("state")
@common
@click.argument("trace")
@click.argument("state", type=click.Choice([state.value for state in CaseState]))
@click.option("--reason", required=True, help="Why. It is kept encrypted with the case.")
def state(home: str | None, trace: str, state: str, reason: str, *, as_json: bool) -> None:
    """Say how the case stands from now on."""
    identifier = trace_id(trace)
    demand(("--reason", reason, reason_problem))

    def here(application: Application) -> dict[str, Any]:
        added = application.trace.file.set_state(application.local_caller(), identifier, CaseState(state), reason)
        return added_document(identifier, added) | {"receipt": receipt_document(added.receipt)}

    document = done(home, f"{path_of(identifier)}/state", {"state": state, "reason": reason}, here)
    _tell(document, f"the case is {document['state']}", as_json=as_json)


@case.command("add")
@common
@click.argument("trace")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--published-at", required=True, help="When it was first seen in public: RFC 3339, or a date.")
@how_seen
@click.option("--url", help="The address of its page. It is printed in the report and never fetched.")
def add(
    home: str | None,
    trace: str,
    file: str,
    published_at: str,
    uncertainty_minutes: int,
    source: str,
    url: str | None,
    *,
    as_json: bool,
) -> None:
    """Add what was seen later, FILE (- for standard input): values that no earlier item has are judged with the others.

    The same values again are kept with the case and add no weight.
    """
    identifier = trace_id(trace)
    demand(("--source", source or None, SOURCE), ("--url", url, url_problem))
    moment = read_time(published_at)
    text, upload = read_text(file)
    item = ItemAsk(text, moment, uncertainty_minutes * 60, source, url or "", upload)

    def here(application: Application) -> dict[str, Any]:
        later = application.later_items.add(application.local_caller(), identifier, item)
        return added_item_document(identifier, later) | {"receipt": receipt_document(later.added.receipt)}

    seen = {"published_at": iso(moment) if moment else None, "uncertainty_seconds": item.uncertainty_seconds}
    told = content_of(item) | seen | ({"source": source} if source else {}) | ({"url": url} if url else {})
    document = done(home, f"{path_of(identifier)}/items", told, here)
    _tell(document, str(document["said"]), as_json=as_json)


def _tell(document: Mapping[str, Any], said: str, *, as_json: bool) -> None:
    if as_json:
        write_json(document)
    else:
        click.echo(f"{said}\n{entry_line(document)}")
