"""The report as one self-contained HTML page: no script, no request, readable at 320 px, on paper and aloud."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from registry.domain.clock import iso
from registry.leaktrace.report_model import TraceReport
from registry.reports.blocks import Bullets, Drawing, Facts, Paragraph, Table
from registry.reports.layout import lay_out
from registry.reports.plain import utc

_BLOCK_NAMES = {Paragraph: "paragraph", Bullets: "bullets", Facts: "facts", Table: "table", Drawing: "drawing"}


def render_html(report: TraceReport) -> str:
    """Return the page. Everything is escaped but the drawing and the style sheet, which are ours."""
    document = lay_out(report)
    return (
        _environment()
        .get_template("trace_report.html.j2")
        .render(
            document=document,
            made_at=utc(document.made_at),
            made_at_iso=iso(document.made_at),
            style=Markup(_style()),  # noqa: S704  # a file of this package
            style_source=style_source(),
        )
    )


def style_source() -> str:
    """Return the page's style sheet as a Content-Security-Policy source: ``'sha256-...'``.

    Whoever serves the page under a strict policy adds it to ``style-src``; nothing else in the page needs leave.
    """
    digest = hashlib.sha256(_style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _style() -> str:
    return _template("trace_report.css")


def _template(name: str) -> str:
    return files("registry.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _svg(drawing: Drawing) -> Markup:
    # Ours, built from labels, times and numbers; texts are escaped where they are drawn.
    return Markup(drawing.svg)  # noqa: S704  # see above


def environment_of(load: Callable[[str], str]) -> Environment:
    """Return an environment of templates that escapes everything and fails on what is not given; for the console too.

    Args:
        load: returns a template's text by its name.
    """
    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["block_name"] = lambda block: _BLOCK_NAMES[type(block)]
    return environment


@cache
def _environment() -> Environment:
    environment = environment_of(_template)
    environment.filters["svg"] = _svg
    return environment
