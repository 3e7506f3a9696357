"""audit entries: reading the ledger as an auditor, with the filters of ``GET /v1/audit/entries``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import click
import orjson

from registry.cli.common import common, registry_at, write_json
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.services.entry_query import FILTERS, filter_of
from registry.services.read_audit import MAX_PAGE


@click.command()
@common
@click.option("--kind", help="Of this kind, such as disclose or deny.")
@click.option("--principal", help="Said by this account (its id).")
@click.option("--subject", help="About this subject (its id).")
@click.option("--category", help="Naming a record of this category.")
@click.option("--purpose", help="For this purpose.")
@click.option("--outcome", help="With a result that begins with this word, such as permitted or denied.")
@click.option("--from", "from_", help="From this moment on, such as 2026-01-31T00:00:00Z.")
@click.option("--to", help="Before this moment.")
@click.option("--before", type=click.IntRange(0), help="Below this index: where the page before it stopped.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE), default=50, show_default=True)
def entries(home: str | None, before: int | None, limit: int, *, as_json: bool, **given: str | None) -> None:
    """List entries, newest first, as an auditor; the reading is an entry itself."""
    from registry.cli.remote import remote  # noqa: PLC0415 - the HTTP client is slow to import

    asked = {name.rstrip("_"): text for name, text in given.items() if text is not None}
    elsewhere = remote()
    if elsewhere is None:
        document = _entries_here(home, before, limit, asked)
    else:
        query = {name: asked[name] for name in FILTERS if name in asked} | {"limit": limit}
        query |= {} if before is None else {"before": before}
        document = orjson.loads(elsewhere.fetch(f"/v1/audit/entries?{urlencode(query)}"))
    if as_json:
        write_json(document)
        return
    for one in document["entries"]:
        said = one["fields"] or {}
        told = (one["at"], one["kind"], said.get("principal", "").partition(" ")[2], said.get("result", ""))
        click.echo("  ".join([str(one["index"]), *(text or "-" for text in told)]))
    if document["next"] is not None:
        click.echo(f"There may be more: --before {document['next'].partition('before=')[2].partition('&')[0]}")


def _entries_here(home: str | None, before: int | None, limit: int, asked: Mapping[str, str]) -> Mapping[str, Any]:
    from registry.api.entry_documents import entry_page  # noqa: PLC0415 - as above

    problems: list[FieldProblem] = []
    wanted = filter_of(asked, problems)
    if problems:
        raise InvalidInput(problems)
    with registry_at(home) as application:
        caller = application.local_caller()
        page = application.audit.page(caller, before=before, limit=limit, wanted=wanted)
        return entry_page(page, {"limit": str(limit), **asked})
