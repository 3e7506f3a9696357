"""What reading the ledger with filters costs an auditor over HTTP, in a ledger of real lookups."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from benchmarks.load import UnsoundRun
from benchmarks.registries import Registry, filled, look_up_in_process, served
from benchmarks.serving import Plan
from benchmarks.table import markdown, milliseconds, number
from registry.bootstrap import opened
from registry.domain.clock import SystemClock, from_unix_ms, iso
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant

_PAGE = 50
_WHO = "bench-auditor"
_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class _Read:
    """One page: seconds, entries on it, and the path of the next one; None at the end."""

    seconds: float
    found: int
    following: str | None


def reading(plan: Plan) -> str:
    """Measure pages of entries by filter, and how long it takes to read all that a filter finds, or ten pages."""
    with TemporaryDirectory(prefix="registry-bench-") as name:
        registry = filled(Path(name), min(plan.people, 500))
        token, filters = _prepared(registry, plan.entries)
        with served(registry, Path(name) / "log") as target:
            rows = [_measured(target.port, token, what, query, plan.rounds) for what, query in filters.items()]
        size = registry.entries()
    columns = ["filter", "first page, ms p50", "entries on it", "ten pages or to the end, ms", "entries in them"]
    return f"{size:,} entries of real lookups on SQLite, pages of {_PAGE}.\n\n{markdown(columns, rows)}"


def _prepared(registry: Registry, entries: int) -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """Fill the ledger by lookups; return an auditor's token, and what is asked for."""
    with opened(registry.settings) as application:
        while (missing := entries - registry.entries()) > 0:
            look_up_in_process(application, [person % registry.people for person in range(min(missing, 2_000))])
        application.principals.ensure(
            Grant(DEVELOPMENT_ISSUER, _WHO, frozenset({Role.AUDITOR})), operator="local:bench"
        )
        issuer = application.development_issuer()
        token = issuer.issue(_WHO, [Role.AUDITOR], ttl_seconds=_SECONDS, now=SystemClock().now())
        with application.database.read() as work:
            subject = next(iter(work.entries.all_states()))[0]
            row = work.entries.entries([entries // 2])[0]
        said = application.audit.read(row)
        principal = (said.values or {})["principal"].split(" ", 1)[0]
    return token, {
        "none": {},
        "kind of nearly all": {"kind": "disclose"},
        "kind of one, the first": {"kind": "init"},
        "account of nearly all": {"principal": principal},
        "subject": {"subject": subject},
        "category": {"category": "ssn"},
        "category of none": {"category": "health"},
        "purpose": {"purpose": "safety"},
        "outcome": {"outcome": "permitted"},
        "outcome of none": {"outcome": "denied"},
        "before a moment": {"to": iso(from_unix_ms(said.unix_ms))},
    }


def _measured(port: int, token: str, what: str, query: Mapping[str, str], rounds: int) -> list[str]:
    path = f"/v1/audit/entries?{urlencode({'limit': _PAGE, **query})}"
    with _asking(port, token) as ask:
        ask(path)
        first = [ask(path) for _ in range(max(rounds, 3))]
        total, found = 0.0, 0
        following: str | None = path
        for _ in range(10):
            if following is not None:
                page = ask(following)
                total, found, following = total + page.seconds, found + page.found, page.following
    middle = milliseconds(statistics.median(one.seconds for one in first))
    return [what, middle, number(first[0].found), milliseconds(total), number(found)]


@contextmanager
def _asking(port: int, token: str) -> Iterator[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(path: str) -> _Read:
        started = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - started
        if answer.status != http.HTTPStatus.OK:
            raise UnsoundRun(f"GET {path}: {answer.status} {body[:300]!r}")
        document = json.loads(body)
        return _Read(seconds, len(document["entries"]), document["next"])

    try:
        yield ask
    finally:
        connection.close()
