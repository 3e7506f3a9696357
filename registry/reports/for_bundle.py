"""The forms of a report that an evidence bundle takes."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from registry.leaktrace.report_model import TraceReport
from registry.reports.as_json import report_document
from registry.reports.as_pdf import render_pdf
from registry.reports.as_text import render_text


def reports_for_bundle(report: TraceReport) -> Mapping[str, bytes]:
    """Return the report's files by name. A page could run something where the bundle is opened, so it stays out."""
    return {
        "report.json": orjson.dumps(report_document(report)),
        "report.txt": render_text(report).encode(),
        "report.pdf": render_pdf(report),
    }
