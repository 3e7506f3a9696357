"""What one act costs does not grow with the registry: it reads as many rows by as many statements at every size.

Work is counted, not timed: on SQLite the steps of its machine, on PostgreSQL the rows that its indexes and tables gave.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.services import entry_filter, read_audit
from registry.services.disclose import Disclosed
from registry.services.entry_filter import EntryFilter
from registry.services.import_people import Existing
from registry.services.trace import TraceAsk
from registry.text.intake import read_enrollment
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import TODAY, Home, make_template, open_copy, person

SMALL, LARGE = 16, 320
# Rows or steps more than at the small size that are no growth: a list's end that is looked for by doubling.
SLACK = 1.10
# Small for ever: an installation has a few principals and one of everything else.
_NEVER_LARGE = {
    *("registry_meta", "ledger_head", "ledger_keys", "alembic_version", "sqlite_master", "sqlite_schema"),
    *(
        "index_state",
        "index_generations",
        "index_terms",
        "mark_generations",
    ),  # a row for each secret that there ever was
}
_DANA = "T-0007"


def _fill(home: Home, people: int) -> None:
    """Enroll the person who is asked for, and others who share a department and words with her and nothing else."""
    bodies = [_somebody(number) for number in range(people)]
    bodies[7] = person(_DANA)
    clerk = home.caller("hr", Role.ENROLLER)
    home.import_people(clerk, [read_enrollment(body, today=TODAY) for body in bodies], Existing.REJECT)
    home.caller("dana", Role.SUBJECT, number=_DANA)
    for name, role in (("reader", Role.READER), ("auditor", Role.AUDITOR), ("investigator", Role.INVESTIGATOR)):
        home.caller(name, role)


def _somebody(number: int) -> dict[str, Any]:
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")
    return {
        "employee_number": f"T-{number:04}",
        "given_name": f"Given{name}",
        "family_name": f"Family{name}",
        "department": "Parks",
        "records": [{"category": "email", "value": {"address": f"p{number}@example.org"}}],
    }


Act = Callable[[Home], None]


def _look_up(home: Home) -> None:
    tag = home.app.kernel.number_tag(_DANA)
    ask = home.ask(None, Category.PHONE, Category.HOME_ADDRESS)
    reader = home.caller("reader", Role.READER)
    (answer,) = home.app.disclose.disclose_many(
        [(reader, type(ask)(None, tag, ask.categories, ask.records, ask.purpose))]
    )
    assert isinstance(answer, Disclosed)


def _enroll(home: Home, number: str) -> None:
    home.enroll({**_somebody(9_000), "employee_number": number})


def _search(home: Home) -> None:
    search = home.app.search
    found = search.search(home.caller("reader", Role.READER), search.by_name("Dana", "Brightwater"))
    assert len(found.hits) == 1


def _trace(home: Home) -> None:
    text = "Dana Brightwater lives at 1207 Larkspur Ave Apt 3, Fairhollow"
    traced = home.app.trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk(text))
    assert traced.stored.report.people


def _page(home: Home, kind: Kind | None = None) -> None:
    home.app.audit.page(home.caller("auditor", Role.AUDITOR), before=None, limit=5, wanted=EntryFilter(kind))


def _accounting(home: Home) -> None:
    assert home.app.audit.accounting(home.caller("dana", Role.SUBJECT)).entries


def _own_records(home: Home) -> None:
    assert home.app.audit.own_records(home.caller("dana", Role.SUBJECT))[1]


def _nothing(_home: Home) -> None:
    """Only open and close: what a start costs."""


# Each act is done once before it is counted: what a process learns once is not its cost.
ACTS: dict[str, tuple[Act, Act]] = {
    "start": (_nothing, _nothing),
    "lookup": (_look_up, _look_up),
    "enrollment": (partial(_enroll, number="T-9001"), partial(_enroll, number="T-9002")),
    "search": (_search, _search),
    "trace": (_nothing, _trace),
    "page": (_page, _page),
    "accounting": (_accounting, _accounting),
    "own records": (_own_records, _own_records),
}


@dataclass
class Statements:
    """What SQLite was asked, and how many steps it took."""

    texts: list[str] = field(default_factory=list)
    steps: int = 0
    is_counting: bool = False

    def listen(self, home: Home) -> None:
        for engine in (home.app.database._engine, home.app.database._read_only):
            event.listen(engine, "checkout", self._watch)

    def _watch(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(self._text)
        connection.set_progress_handler(self._step, 1)

    def _text(self, text: str) -> None:
        if self.is_counting:
            self.texts.append(text)

    def _step(self) -> int:
        self.steps += self.is_counting
        return 0


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    made = {}
    for people in (SMALL, LARGE):
        folder = make_template(tmp_path_factory.mktemp("growth"))
        home = open_copy(folder, folder.with_name("filled"))
        _fill(home, people)
        home.close()
        made[people] = folder.with_name("filled")
    return made


@pytest.fixture(scope="module")
def on_postgresql(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, tuple[Path, str]]]:
    made = {}
    for people in (SMALL, LARGE):
        name = postgres.create_database()
        folder = make_template(tmp_path_factory.mktemp("growth"), postgres.url(name))
        home = open_copy(folder, folder.with_name("filled"), postgres.url(name))
        _fill(home, people)
        home.close()
        with postgres.admin(name) as connection:
            connection.execute("ANALYZE")
        made[people] = (folder.with_name("filled"), name)
    yield made
    for _, name in made.values():
        postgres.drop_database(name)


@pytest.mark.parametrize("act", ACTS)
def test_sqlite_does_as_much_at_every_size(act: str, on_sqlite: dict[int, Path], tmp_path: Path) -> None:
    before, counted = ACTS[act]
    found = {}
    for people, folder in on_sqlite.items():
        found[people] = Statements()
        home = open_copy(folder, tmp_path / str(people))
        try:
            found[people].listen(home)
            before(home)
            found[people].is_counting = True
            counted(home)
        finally:
            home.close()
    small, large = found[SMALL], found[LARGE]
    assert len(large.texts) == len(small.texts)
    assert large.steps <= small.steps * SLACK


@pytest.mark.parametrize("act", ACTS)
def test_sqlite_reads_no_large_table_without_an_index(act: str, on_sqlite: dict[int, Path], tmp_path: Path) -> None:
    seen = Statements(is_counting=True)
    home = open_copy(on_sqlite[SMALL], tmp_path / "home")
    try:
        seen.listen(home)
        for step in ACTS[act]:
            step(home)
    finally:
        home.close()
    connection = sqlite3.connect(tmp_path / "home" / "registry.db")
    asked = {text for text in seen.texts if text.lstrip().split(None, 1)[0].upper() in ("SELECT", "UPDATE", "DELETE")}
    scans = {text: _scans(connection, text) for text in asked}
    connection.close()
    assert not {text: found for text, found in scans.items() if found}


def _scans(connection: sqlite3.Connection, text: str) -> list[str]:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()
    return [line[3] for line in plan if line[3].startswith("SCAN") and line[3].split()[1] not in _NEVER_LARGE]


@pytest.mark.parametrize("act", ACTS)
def test_postgresql_reads_as_many_rows_at_every_size(
    act: str, on_postgresql: dict[int, tuple[Path, str]], postgres: PostgresServer, tmp_path: Path
) -> None:
    _, counted = ACTS[act]
    rows: dict[int, dict[str, int]] = {}
    for people, (folder, template) in on_postgresql.items():
        name = postgres.create_database(template)
        with postgres.admin(name) as connection:
            # A small table is read whole for good reasons: only so does it show what is read without an index.
            connection.execute(f"ALTER DATABASE {name} SET enable_seqscan = off")
        start = _rows_read(postgres, name)
        home = open_copy(folder, tmp_path / str(people), postgres.url(name))
        try:
            counted(home)
        finally:
            home.close()
        rows[people] = {table: count - start.get(table, 0) for table, count in _rows_read(postgres, name).items()}
        postgres.drop_database(name)
    grown = {table: (rows[SMALL].get(table, 0), count) for table, count in rows[LARGE].items()}
    # Twenty times the people; its planner may join the same few rows in another order, and then reads them again.
    assert not {table: both for table, both in grown.items() if both[1] > both[0] * 3 + 10}


def _rows_read(postgres: PostgresServer, database: str) -> dict[str, int]:
    """Count the rows that every table has given; connections tell what they read at their end."""
    with postgres.admin(database) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        query = "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
        return dict(connection.execute(query).fetchall())


def test_a_page_of_a_rare_kind_looks_at_so_many_entries_and_the_next_goes_on(
    on_sqlite: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_filter, "MOST_LOOKED_AT", read_audit.MAX_PAGE)
    home = open_copy(on_sqlite[LARGE], tmp_path / "home")
    try:
        auditor, pages = home.caller("auditor", Role.AUDITOR), []
        before: int | None = LARGE
        while before is not None:
            pages.append(home.app.audit.page(auditor, before=before, limit=5, wanted=EntryFilter(Kind.INIT)))
            before = pages[-1].before
    finally:
        home.close()
    assert [page.before for page in pages] == [LARGE - read_audit.MAX_PAGE, None]
    assert [[entry.index for entry in page.entries] for page in pages] == [[], [0]]
