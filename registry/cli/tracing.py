"""trace: one text with a report, or a batch of texts with findings only."""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from registry.cli.checking import SOURCE, demand
from registry.cli.common import F, common, registry_at, write_json
from registry.cli.remote import remote
from registry.cli.trace_batch import MAX_TEXT_BYTES, run_batch
from registry.cli.traced import Told, traced
from registry.documents.ebcdic import ebcdic_page
from registry.documents.formats import format_of
from registry.domain.errors import UnreadableDocument
from registry.services.trace import MAX_UNCERTAINTY_SECONDS, TraceAsk
from registry.services.uploads import Upload
from registry.upkeep.sealing_pool import settle_heap

# Ends of names of texts that carry other documents within: these are read as what they are called.
_CARRIERS = (".eml", ".mht", ".mhtml", ".html", ".htm", ".xhtml", ".mbox", ".mbx", ".vcf", ".vcard", ".ics", ".vcs")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Files to write besides the answer on standard output."""

    html: str | None
    pdf: str | None
    evidence: str | None


def how_seen(function: F) -> F:
    """Give a command ``--uncertainty-minutes`` and ``--source``."""
    function = click.option("--source", default="", help="Where it was seen.")(function)
    return click.option(
        "--uncertainty-minutes",
        type=click.IntRange(0, MAX_UNCERTAINTY_SECONDS // 60),
        default=0,
        help="--published-at may be so much too early or too late.",
    )(function)


@click.command()
@common
@click.argument("file", type=click.Path(allow_dash=True), required=False)
@click.option("--published-at", help="When the text was first seen in public: RFC 3339, or a date.")
@how_seen
@click.option("--html", type=click.Path(dir_okay=False), help="Write the report as a web page.")
@click.option("--pdf", type=click.Path(dir_okay=False), help="Write the report as a PDF.")
@click.option("--evidence", type=click.Path(dir_okay=False), help="Write the evidence bundle.")
@click.option("--batch", type=click.Path(exists=True, dir_okay=False), help="Many texts, one JSON object a line.")
@click.option("--out", type=click.Path(dir_okay=False), help="Where the findings of a batch go.")
def trace(
    home: str | None,
    file: str | None,
    published_at: str | None,
    uncertainty_minutes: int,
    source: str,
    html: str | None,
    pdf: str | None,
    evidence: str | None,
    batch: str | None,
    out: str | None,
    *,
    as_json: bool,
) -> None:
    """Find protected values in FILE (- for standard input), and which served copies held them.

    With REGISTRY_URL and REGISTRY_TOKEN set, by the registry there.
    """
    if (file is None) == (batch is None) or (batch is None) != (out is None):
        raise click.UsageError("give FILE, or --batch IN.jsonl with --out OUT.jsonl")
    demand(("--source", source or None, SOURCE))
    if batch is not None and out is not None:
        _trace_batch(home, batch, out, as_json=as_json)
        return
    moment = read_time(published_at)
    text, upload = read_text(file or "-")
    if uncertainty_minutes and moment is None:
        raise click.UsageError("--uncertainty-minutes needs --published-at")
    ask = TraceAsk(text, moment, source, upload, uncertainty_minutes * 60)
    with traced(home, ask) as told:
        _write(told, _Wanted(html, pdf, evidence))
        if as_json:
            write_json(told.document)
        else:
            click.echo(told.text())


def _trace_batch(home: str | None, batch: str, out: str, *, as_json: bool) -> None:
    if remote() is not None:
        raise click.UsageError("--batch works in the development profile only; with REGISTRY_URL, trace text by text")
    with registry_at(home) as application:
        settle_heap()
        count = run_batch(application, application.local_caller(), Path(batch), Path(out))
    if as_json:
        write_json({"texts": count, "out": out})
    else:
        click.echo(f"{count} texts matched; findings are in {out}")


def _write(told: Told, wanted: _Wanted) -> None:
    for path, content in ((wanted.html, told.html), (wanted.pdf, told.pdf), (wanted.evidence, told.evidence)):
        if path:
            _save(path, content())


def _save(path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"the output cannot be written: {error.strerror}") from None


def read_text(file: str) -> tuple[str, Upload | None]:
    """Read a text, or a document; bytes that are not UTF-8 become U+FFFD: a text is searched as far as that goes."""
    try:
        raw = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.UsageError(f"FILE cannot be read: {error.strerror}") from None
    if len(raw) > MAX_TEXT_BYTES:
        raise click.UsageError("the text is larger than 20 MiB")
    end = Path(file).suffix.lower()
    if end in _CARRIERS or not _is_text(raw):
        return "", Upload(raw, f"document{end}" if end in _CARRIERS else "")
    text = raw.decode("utf-8", "replace")
    if "\ufffd" in text and b"\xef\xbf\xbd" not in raw:
        click.echo("registry: the text is not all UTF-8; the other bytes were read as U+FFFD", err=True)
    return text, None


def _is_text(raw: bytes) -> bool:
    """Tell whether bytes are a text as it is pasted: anything else is opened as a document, or refused as none."""
    if b"\0" in raw or raw.startswith(_WIDE) or ebcdic_page(raw) is not None:
        return False
    try:
        return format_of(raw) == "txt"
    except UnreadableDocument:
        return False


def read_time(text: str | None) -> datetime | None:
    """Return the time that an option gives, in UTC where it has no offset; None where there is none.

    Raises:
        BadParameter: it is no time.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("give a time such as 2026-03-02T09:00:00Z", param_hint="--published-at") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
