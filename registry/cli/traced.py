"""What one trace gave: made here in the development profile, or by the registry at REGISTRY_URL."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from registry.bootstrap import Application
from registry.cli.common import registry_at
from registry.cli.remote import Remote, remote, waiting
from registry.domain.clock import iso
from registry.reports.as_html import render_html
from registry.reports.as_json import candidates_of, findings_of, report_document
from registry.reports.as_text import render_text
from registry.services.evidence_items import ItemAsk
from registry.services.trace import TraceAsk


@dataclass(frozen=True, slots=True)
class Told:
    """A trace as the command tells it.

    Attributes:
        document: ``{"trace", "findings", "candidates", "report"}``.
        text: the report for reading.
        html, pdf, evidence: make or fetch a file; each is an entry of its own where the investigator's reading is one.
    """

    document: Mapping[str, Any]
    text: Callable[[], str]
    html: Callable[[], bytes]
    pdf: Callable[[], bytes]
    evidence: Callable[[], bytes]


@contextmanager
def traced(home: str | None, ask: TraceAsk) -> Iterator[Told]:
    """Trace a text and give what came of it, as long as the files are wanted.

    Raises:
        RegistryError: as the service does, here or there.
    """
    elsewhere = remote()
    if elsewhere is not None:
        yield _traced_elsewhere(elsewhere, ask)
        return
    with registry_at(home) as application:
        yield _traced_here(application, ask)


def _traced_here(application: Application, ask: TraceAsk) -> Told:
    caller = application.local_caller()
    done = application.trace.trace(caller, ask)
    report = done.stored.report

    def pdf() -> bytes:
        from registry.reports.as_pdf import render_pdf  # noqa: PLC0415 - the typesetter is slow to import

        return render_pdf(report)

    def evidence() -> bytes:
        from registry.reports.for_bundle import reports_for_bundle  # noqa: PLC0415 - the typesetter is slow to import

        return application.trace.evidence(caller, done.trace, application.evidence, reports_for_bundle)

    document = {
        "trace": done.trace,
        "findings": findings_of(report),
        "candidates": candidates_of(report),
        "report": report_document(report),
    }
    return Told(document, lambda: render_text(report), lambda: render_html(report).encode(), pdf, evidence)


def content_of(ask: TraceAsk | ItemAsk) -> dict[str, Any]:
    """Return what is to be traced; a document is read by the registry that is asked, which notes it."""
    if ask.upload is None:
        return {"text": ask.text}
    file = {"content": b64encode(ask.upload.content).decode("ascii")}
    return {"file": file | ({"name": ask.upload.name} if ask.upload.name else {})}


def _traced_elsewhere(there: Remote, ask: TraceAsk) -> Told:
    published: dict[str, Any] = {} if ask.published_at is None else {"published_at": iso(ask.published_at)}
    published |= {"uncertainty_seconds": ask.uncertainty_seconds} if ask.uncertainty_seconds else {}
    body = content_of(ask) | published | ({"source": ask.source} if ask.source else {})
    answer = there.post("/v1/traces", orjson.dumps(body), "application/json")
    if "request" in answer:
        raise waiting(answer)
    document = {name: answer.get(name) for name in ("trace", "findings", "candidates", "report")}
    folder = f"/v1/traces/{document['trace']}"
    return Told(
        document,
        lambda: there.fetch(f"{folder}/report.txt").decode(),
        lambda: there.fetch(f"{folder}/report.html"),
        lambda: there.fetch(f"{folder}/report.pdf"),
        lambda: there.fetch(f"{folder}/evidence.zip"),
    )
