"""A transaction that PostgreSQL ends because another came first: the whole service function is run again.

The errors are the server's own: a real circle of locks, and SQLSTATE 40001 raised in the middle of a transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Contended
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services.disclose import Refused
from registry.services.import_people import Existing
from registry.services.principals import Grant
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment
from tests.fakes.postgres import AsAdministrator, PostgresServer
from tests.functional.services.conftest import SERVER
from tests.functional.services.homes import ISSUER, TODAY, Home, open_copy, person

Act = Callable[[Home, SubjectId], object]


@pytest.fixture
def patient_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    """A registry whose connections look for a circle after three seconds, so that a test can close one before."""
    template, made = postgres_template
    name = postgres.create_database(made)
    with postgres.admin() as admin:
        admin.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '3s'")
    opened = open_copy(template, tmp_path / "home", postgres.url(name, SERVER))
    yield opened
    opened.close()
    postgres.drop_database(name)


def change_title(home: Home, subject: SubjectId, clerk: str = "somebody") -> object:
    changes = read_changes({"title": "Warden"}, today=TODAY)
    return home.app.update.update(home.caller(clerk), UpdateAsk(subject, changes, None, TODAY))


def look_up(home: Home, subject: SubjectId) -> object:
    return home.disclose(home.caller("somebody"), home.ask(subject, Category.PHONE))


@pytest.mark.parametrize("act", [change_title, look_up])
def test_the_loser_of_a_deadlock_decides_anew(patient_home: Home, act: Act) -> None:
    """It holds the subject and waits for the head while its role is taken; the other waits the other way round."""
    home = patient_home
    subject = home.enroll().subject
    home.caller("somebody", Role.ENROLLER, Role.READER)
    other = AsAdministrator(home.app.settings.database_url)
    other.execute("SET deadlock_timeout = '1min'")  # the service is the one that notices, and loses
    other.execute("BEGIN")
    other.execute("SELECT n FROM ledger_head FOR UPDATE")
    given: list[object] = []

    def run() -> None:
        try:
            given.append(act(home, subject))
        except AccessDenied as refused:
            given.append(refused)

    thread = threading.Thread(target=run)
    thread.start()
    while other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
        time.sleep(0.01)
    home.sql().execute("UPDATE principals SET roles = '' WHERE sub = 'somebody'")
    other.execute("SELECT id FROM subjects WHERE id = ? FOR UPDATE", (subject,))
    other.execute("COMMIT")
    other.close()
    thread.join()
    (answer,) = given
    assert isinstance(answer, AccessDenied | Refused)
    assert home.entries()[-1].kind == "deny"
    assert [entry.kind for entry in home.entries()].count("update") == 0


ACTS: dict[str, tuple[str, Act]] = {
    "enroll": ("enroll", lambda home, _: home.enroll(person("T-0002"), key="k")),
    "update": ("update", lambda home, subject: change_title(home, subject, "a clerk")),
    "disclose": (
        "disclose",
        lambda home, subject: home.disclose(home.caller("reader"), home.ask(subject, Category.PHONE)),
    ),
    "import": (
        "enroll",
        lambda home, _: home.import_people(
            home.caller("somebody"), [read_enrollment(person("T-0003"), today=TODAY)], Existing.REJECT
        ),
    ),
    "search": (
        "search",
        lambda home, _: home.app.search.search(home.caller("somebody"), home.app.search.by_department("Parks")),
    ),
    "grant": (
        "grant",
        lambda home, _: home.app.principals.grant(
            home.caller("somebody"), Grant(ISSUER, "another", frozenset({Role.READER}))
        ),
    ),
    "read": ("audit-read", lambda home, _: home.app.audit.accounting(home.caller("somebody"))),
}


def lose(home: Home, times: int) -> AsAdministrator:
    """Make PostgreSQL end as many of the next appending transactions with a serialization failure."""
    administrator = AsAdministrator(home.app.settings.database_url)
    administrator.execute("CREATE SEQUENCE lost")
    administrator.execute(
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        f" IF nextval('lost') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; RETURN NEW; END $$"
    )
    administrator.execute("CREATE TRIGGER lose BEFORE INSERT ON ledger_leaf FOR EACH STATEMENT EXECUTE FUNCTION lose()")
    return administrator


@pytest.fixture
def ready(postgres_home: Home) -> tuple[Home, SubjectId]:
    subject = postgres_home.enroll().subject
    roles = (Role.ENROLLER, Role.READER, Role.SECURITY_ADMIN, Role.SUBJECT)
    postgres_home.caller("somebody", *roles, number="T-0001")
    postgres_home.caller("reader", Role.READER)
    postgres_home.caller("a clerk", Role.ENROLLER)
    return postgres_home, subject


@pytest.mark.parametrize("name", ACTS)
def test_a_serialization_failure_is_run_again_and_happens_once(ready: tuple[Home, SubjectId], name: str) -> None:
    home, subject = ready
    kind, act = ACTS[name]
    before = [entry.kind for entry in home.entries()]
    lose(home, 1).close()
    answer: Any = act(home, subject)
    assert not isinstance(answer, Refused)
    assert not hasattr(answer, "error")
    after = [entry.kind for entry in home.entries()]
    assert after[: len(before)] == before
    assert after.count(kind) == before.count(kind) + 1
    verify_ledger(home.app, 1)


@pytest.mark.parametrize("name", ACTS)
def test_who_keeps_losing_is_told_and_nothing_is_kept(ready: tuple[Home, SubjectId], name: str) -> None:
    home, subject = ready
    _, act = ACTS[name]
    before = len(home.entries())
    administrator = lose(home, 1_000)
    with pytest.raises(Contended):
        act(home, subject)
    administrator.close()
    assert len(home.entries()) == before
    verify_ledger(home.app, 1)
