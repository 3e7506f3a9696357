"""trace: one text with a report, or a batch of texts with findings only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from registry.bootstrap import Application
from registry.cli.common import Progress, common, registry_at, write_json
from registry.domain.errors import UnreadableDocument
from registry.leaktrace.dossier import Finding
from registry.reports.as_html import render_html
from registry.reports.as_json import report_document
from registry.reports.as_text import render_text
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from registry.text.strict_json import parse_json

MAX_TEXT_BYTES = 20 * 1024 * 1024


@click.command()
@common
@click.argument("file", type=click.Path(allow_dash=True), required=False)
@click.option("--published-at", help="When the text was first seen in public: RFC 3339, or a date.")
@click.option("--source", default="", help="Where it was seen.")
@click.option("--html", type=click.Path(), help="Write the report as a web page.")
@click.option("--pdf", type=click.Path(), help="Write the report as a PDF.")
@click.option("--evidence", type=click.Path(), help="Write the evidence bundle.")
@click.option("--batch", type=click.Path(exists=True, dir_okay=False), help="Many texts, one JSON object a line.")
@click.option("--out", type=click.Path(dir_okay=False), help="Where the findings of a batch go.")
def trace(
    home: str | None,
    file: str | None,
    published_at: str | None,
    source: str,
    html: str | None,
    pdf: str | None,
    evidence: str | None,
    batch: str | None,
    out: str | None,
    *,
    as_json: bool,
) -> None:
    """Find protected values in FILE (- for standard input), and which served copies held them."""
    if (file is None) == (batch is None) or (batch is None) != (out is None):
        raise click.UsageError("give FILE, or --batch IN.jsonl with --out OUT.jsonl")
    with registry_at(home) as application:
        caller = application.local_caller()
        if batch is not None and out is not None:
            count = _run_batch(application, caller, Path(batch), Path(out))
            if as_json:
                write_json({"texts": count, "out": out})
            else:
                click.echo(f"{count} texts matched; findings are in {out}")
            return
        ask = TraceAsk(_read(file or "-"), _moment(published_at), source)
        traced = application.trace.trace(caller, ask)
        report = traced.stored.report
        page = render_html(report)
        if html:
            Path(html).write_text(page, encoding="utf-8")
        if pdf:
            from registry.reports.as_pdf import render_pdf  # noqa: PLC0415 - the typesetter is slow to import

            Path(pdf).write_bytes(render_pdf(report))
        if evidence:
            extra = {
                "report.json": json.dumps(report_document(report), indent=1).encode(),
                "report.html": page.encode(),
            }
            Path(evidence).write_bytes(application.trace.evidence(caller, traced.trace, application.evidence, extra))
    if as_json:
        write_json({"trace": traced.trace, "report": report_document(report)})
    else:
        click.echo(render_text(report))


def _run_batch(application: Application, caller: Caller, source: Path, target: Path) -> int:
    progress, count = Progress("texts"), 0
    # Written beside the target and moved into place when whole: a stopped run leaves no half answer.
    with NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=".trace-", delete=False) as written:
        try:
            for line in _lines(source):
                json.dump(_batch_line(application, caller, line), written, ensure_ascii=False)
                written.write("\n")
                count += 1
                progress(count)
        except BaseException:
            Path(written.name).unlink()
            raise
    os.replace(written.name, target)  # noqa: PTH105 - atomic on one file system
    progress.close()
    return count


def _lines(source: Path) -> Iterator[bytes]:
    with source.open("rb") as stream:
        for line in stream:
            if line.strip():
                yield line


def _batch_line(application: Application, caller: Caller, line: bytes) -> dict[str, object]:
    try:
        document = parse_json(line, max_bytes=MAX_TEXT_BYTES)
    except UnreadableDocument as error:
        return {"id": None, "findings": [], "possible": [], "error": error.code}
    asked = document if isinstance(document, dict) else {}
    identifier, text = asked.get("id"), asked.get("text")
    if not isinstance(text, str):
        return {"id": identifier, "findings": [], "possible": [], "error": "text_missing"}
    matching = application.matcher.match(caller, text, detail="trace batch").matching
    return {
        "id": identifier,
        "findings": [_finding(finding) for finding in matching.findings],
        "possible": [_finding(finding) for finding in matching.possible],
    }


def _finding(finding: Finding) -> dict[str, object]:
    document: dict[str, object] = {
        "employee_number": finding.employee_number,
        "category": finding.category.value,
        "kind": finding.kind,
        "confidence": round(finding.confidence, 4),
        "spans": [list(span) for span in finding.spans],
        "reason": finding.reason,
    }
    if finding.member is not None:
        document["member"] = finding.member
    return document


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None
    if len(raw) > MAX_TEXT_BYTES:
        raise click.UsageError("the text is larger than 20 MiB")
    return raw.decode("utf-8", "replace")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("give a time such as 2026-03-02T09:00:00Z", param_hint="--published-at") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
