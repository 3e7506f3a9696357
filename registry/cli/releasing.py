"""release-check: a document before it is published."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from registry.cli.common import common, registry_at, write_json
from registry.cli.failures import FOUND_WRONG
from registry.cli.remote import remote, waiting
from registry.documents.limits import MAX_FILE_BYTES
from registry.domain.errors import AccessDenied
from registry.domain.ids import is_id
from registry.domain.purposes import ReleasePurpose
from registry.policy.decide import QUOTA_EXCEEDED
from registry.reports.release_json import release_document
from registry.services.release_check import ReleaseAsk
from registry.services.uploads import Upload
from registry.services.waivers import Waive
from registry.text.rules.texts import reason_problem

_CODES = [purpose.value for purpose in ReleasePurpose]


@click.command("release-check")
@common
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the redacted copy there.")
@click.option("--purpose", type=click.Choice(_CODES), default=_CODES[0], show_default=True, help="Why it leaves.")
@click.option("--case", default="", help="The case it belongs to.")
@click.option("--note", default="", help="A note for the entry.")
@click.option("--waive", multiple=True, metavar="PLACE", help="A place that stays in the copy, by its id.")
@click.option("--reason", default="", help="Why these places stay; another person has to approve it.")
@click.pass_context
def release_check(
    context: click.Context,
    home: str | None,
    file: str,
    out: Path | None,
    purpose: str,
    case: str,
    note: str,
    waive: tuple[str, ...],
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Find protected values in FILE, and write a copy without them.

    Exit code 0: nothing was found. 1: something was, or a part that nobody could read may hide something.
    With REGISTRY_URL and REGISTRY_TOKEN set, by the registry there.

    With --waive and --reason these places stay in the copy, once another person has approved it: then give the same
    command again.
    """
    if out is not None and out.exists():
        raise click.UsageError("the file for the copy exists already")
    asked = _Asked(_read(file), f"document{Path(file).suffix}", purpose, case, note, _waived(waive, reason))
    document = _checked(home, asked)
    copy = document["redacted"]
    if out is not None and copy is not None:
        _write(out, base64.b64decode(copy["content"]))
    if as_json:
        write_json(document)
    else:
        _tell(document, out)
    context.exit(0 if document["clean"] else FOUND_WRONG)


@dataclass(frozen=True, slots=True)
class _Asked:
    content: bytes
    name: str
    purpose: str
    case: str
    note: str
    waive: Waive | None

    def body(self) -> dict[str, Any]:
        said = {name: text for name, text in (("case", self.case), ("note", self.note)) if text}
        content = base64.b64encode(self.content).decode("ascii")
        body = {"file": {"content": content, "name": self.name}, "purpose": {"code": self.purpose} | said}
        if self.waive is None:
            return body
        return body | {"waive": {"places": sorted(self.waive.places), "reason": self.waive.reason}}


def _waived(places: tuple[str, ...], reason: str) -> Waive | None:
    if bool(places) != bool(reason):
        raise click.UsageError("--waive and --reason go together")
    if not places:
        return None
    if not all(map(is_id, places)):
        raise click.UsageError("--waive takes ids of places, as a check shows them")
    if reason_problem(reason) is not None:
        raise click.UsageError("--reason has to say something, in at most 1,000 characters")
    return Waive(frozenset(places), reason)


def _checked(home: str | None, asked: _Asked) -> Mapping[str, Any]:
    elsewhere = remote()
    if elsewhere is not None:
        answer = elsewhere.post("/v1/release-checks", orjson.dumps(asked.body()), "application/json")
        if answer.get("state") == "pending":
            raise waiting(answer)
        return answer
    upload = Upload(asked.content, asked.name)
    ask = ReleaseAsk(upload, ReleasePurpose(asked.purpose), asked.case, asked.note, asked.waive)
    with registry_at(home) as application:
        checked = application.release_check.check(application.local_caller(), ask)
    if checked.is_refused:
        raise AccessDenied(QUOTA_EXCEEDED, checked.receipt.index)
    return release_document(checked)


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"FILE cannot be read: {error.strerror}") from None


def _write(out: Path, content: bytes) -> None:
    try:
        with out.open("xb") as target:
            target.write(content)
    except OSError as error:
        raise click.UsageError(f"the copy cannot be written: {error.strerror}") from None


def _tell(document: Mapping[str, Any], out: Path | None) -> None:
    for place in document["places"]:
        sign = "STAYS   " if place["waived"] else "FOUND   " if place["certain"] else "possible"
        click.echo(f"{sign} {_words(place['at'])}: {place['kind']} ({place['reason']}), place {place['place']}")
    for one in document["unread"]:
        sign = "LOOK    " if one["may_hide"] else "not read"
        click.echo(f"{sign} {_words(one['at'])}: {one['what'].replace('_', ' ')}")
    if document["not_redacted"] is not None:
        click.echo(f"no copy can be made: {document['not_redacted']}")
    elif document["redacted"] is not None:
        click.echo(f"a copy without what was found is in {out}" if out else "give --out to write a copy without it")
    elif document["clean"]:
        click.echo("nothing protected was found")


def _words(at: list[list[str | int]]) -> str:
    return ", ".join(str(value) if name == "part" else f"{name} {value}" for name, value in at) or "somewhere"
