"""Many texts at once: matching only, one line out for every line in, in the same order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO

import click

from registry.bootstrap import Application
from registry.cli.common import Progress
from registry.domain.errors import UnreadableDocument
from registry.leaktrace.dossier import Finding
from registry.services.few_collections import few_collections
from registry.services.kernel import Caller
from registry.services.match import MANY_TEXTS
from registry.text.strict_json import parse_json

MAX_TEXT_BYTES = 20 * 1024 * 1024
# Room for the other members and for escapes.
_MAX_LINE_BYTES = 2 * MAX_TEXT_BYTES


def run_batch(application: Application, caller: Caller, source: Path, target: Path) -> int:
    """Match every text of a JSON lines file; returns how many there were.

    The target is written beside its place and moved there when whole: a stopped run leaves no half answer.
    """
    progress, count = Progress("texts"), 0
    with few_collections(), _written(target) as stream:
        for line in _lines(source):
            # Not json.dump, which writes piece by piece in Python: a tenth of the time of a long dump.
            stream.write(json.dumps(_answer(application, caller, line), ensure_ascii=False) + "\n")
            count += 1
            progress(count)
    progress.close()
    return count


@contextmanager
def _written(target: Path) -> Iterator[TextIO]:
    try:
        descriptor, draft = mkstemp(prefix=".trace-", dir=target.parent)
    except OSError as error:
        raise click.UsageError(f"{target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yield stream
        os.replace(draft, target)  # noqa: PTH105 - atomic on one file system
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _lines(source: Path) -> Iterator[bytes]:
    with source.open("rb") as stream:
        while line := stream.readline(_MAX_LINE_BYTES):
            if line.strip():
                yield line


def _answer(application: Application, caller: Caller, line: bytes) -> dict[str, object]:
    try:
        document = parse_json(line, max_bytes=_MAX_LINE_BYTES)
    except UnreadableDocument as error:
        return _failed(None, error.code)
    if not isinstance(document, dict):
        return _failed(None, "wrong_type")
    identifier, text = document.get("id"), document.get("text")
    if not isinstance(text, str):
        return _failed(identifier, "text_missing")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        return _failed(identifier, "too_large")
    matching = application.matcher.match(caller, text, detail="trace batch", use=MANY_TEXTS).matching
    return {
        "id": identifier,
        "findings": [finding_document(finding) for finding in matching.findings],
        "possible": [finding_document(finding) for finding in matching.possible],
    }


def _failed(identifier: object, code: str) -> dict[str, object]:
    return {"id": identifier, "findings": [], "possible": [], "error": code}


def finding_document(finding: Finding) -> dict[str, object]:
    """Return one finding; spans are ``[start, end)`` in code points."""
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
