"""What was erased is in no file of the registry: pages, write-ahead log, free list, tiles; and no backup opens it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from registry.bootstrap import inspected, key_life
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, KeyUnavailable
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.keys.erased import NAME
from registry.keys.ports import PROVIDER_PURPOSES
from registry.services.contact import Contact
from registry.services.key_life import SETTLING
from registry.services.petitions import Correction
from registry.services.trace import TraceAsk
from registry.storage import engine
from registry.storage.dead_rows import clear_dead_rows
from registry.storage.roles import APPLICATION, ERASURE, MIGRATION
from tests.fakes.postgres import ADMINISTRATOR, PostgresServer
from tests.functional.services.homes import Home, make_template, open_copy, person
from tests.functional.services.test_erase import ERASER, erase, inspector, update

OTHERS = 40
NOT_SHARED: Mapping[str, Any] = {
    "given_name": "Quillon",
    "family_name": "Marrowbeck",
    "title": "Keeper of lanterns",
    "family": [{"ref": "c1", "relation": "child", "given_name": "Wrenna", "family_name": "Marrowbeck"}],
    "records": [
        {"category": "home_address", "value": {"line": "90210 Thistledown Ct, Umberfield, MO 64998"}},
        {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0199"}},
        {"category": "ssn", "value": {"number": "741-98-7654"}},
        {"category": "payment_card", "value": {"number": "5555 5555 5555 4444"}},
        {"category": "school", "member": "c1", "value": {"name": "Zephyrgate Middle School"}},
        {"category": "health", "value": {"statement": "Chronic labyrinthitis of the left ear"}},
        {"category": "email", "value": {"address": "quillon.marrowbeck@example.org"}},
    ],
}
WORDS = ("Quillon", "Marrowbeck", "Wrenna", "Thistledown", "741-98-7654", "Zephyrgate", "labyrinthitis", "T-0777")
COLUMNS = {
    "subjects": ("number_tag", "content_tag", "directory", "directory_digest", "ties", "chain"),
    "former_directories": ("sealed", "digest"),
    "persons": ("ref_tag", "wrapped_key"),
    "records": ("slot_tag",),
    "record_versions": ("sealed", "digest", "value_tag"),
    "petitions": ("wrapped_key", "about", "sealed_text"),
    "provisions": ("user_tag", "outside_tag", "names", "digest"),
    "contacts": ("label", "wrapped_key", "about", "sealed"),
    "traces": ("wrapped_key", "sealed_text", "sealed_report"),
    "case_parts": ("sealed",),
}


@pytest.fixture
def postgres_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    template, made = postgres_template
    postgres.create_login(ERASER, f"{APPLICATION}, {ERASURE}")
    name = postgres.create_database(made)
    opened = open_copy(template, tmp_path / "home", postgres.url(name, ERASER))
    yield opened
    opened.close()
    postgres.drop_database(name)


def crowd(home: Home) -> tuple[SubjectId, dict[str, bytes]]:
    """Enroll somebody among others, have everything of them kept, and return what is to be found nowhere."""
    for number in range(OTHERS // 2):
        home.enroll(person(f"T-{number:04}"))
    before = stored(home)
    gone = home.enroll(person("T-0777", **NOT_SHARED), key="theirs")
    mine = home.caller("quillon", Role.SUBJECT, number="T-0777")
    phone = next(line.record for line in gone.records if line.category is Category.PHONE)
    update(home, gone, versions=[{"record": phone, "value": {"kind": "mobile", "number": "816-555-0198"}}])
    update(home, gone, family_name="Marrowbeck-Ames")
    home.disclose(home.caller("reader", Role.READER), home.ask(gone.subject, Category.PHONE))
    home.app.petitions.correct(mine, Correction(phone, "Marrowbeck says: not my phone"))
    home.app.contacts.put(mine, Contact("email", "marrowbeck@example.org"))
    traced = home.app.trace.trace(inspector(home), TraceAsk("Quillon Marrowbeck, 816-555-0199, 741-98-7654"))
    home.app.trace.file.note(inspector(home), traced.trace, "Quillon Marrowbeck was told")
    needles = {name: value for name, value in stored(home).items() if name not in before}
    for number in range(OTHERS // 2, OTHERS):
        home.enroll(person(f"T-{number:04}"))
    return gone.subject, needles | words(home, gone.subject)


def words(home: Home, subject: SubjectId) -> dict[str, bytes]:
    return {word: word.encode() for word in WORDS} | {"what they were traced by": b"816-555-0199"}


def stored(home: Home) -> dict[str, bytes]:
    """Return everything that is stored of people, by where it stands; the values that others have too are left out."""
    found: dict[str, bytes] = {}
    with home.app.database.engine.connect() as connection:
        for table, names in COLUMNS.items():
            for row in connection.execute(text(f"SELECT {', '.join(names)} FROM {table}")):
                values = [bytes(value) for value in row if value]
                found |= {f"{table} {value.hex()}": value for value in values}
        for label, value in connection.execute(text("SELECT label, value FROM postings")):
            found |= {f"posting {label.hex()}": bytes(value), f"label {label.hex()}": bytes(label)}
        for event, sealed in connection.execute(
            text("SELECT event, sealed FROM ledger_body WHERE i > 0 AND sealed IS NOT NULL")
        ):
            found[f"opening of {event}"] = bytes(sealed)
        connection.rollback()
    return found


def files_with(folder: Path, needles: Mapping[str, bytes]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            inside = sorted(name for name, needle in needles.items() if needle in content)
            if inside:
                held[path.name] = inside
    return held


def still_said(home: Home, needles: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the needles without what stays: openings of entries about several people and about accounts, and labels
    of tombstones, in lists of words that others have too.
    """
    kept = {f"opening of {row.event}" for row in home.rows() if row.sealed is not None}
    kept |= {name for name in stored(home) if name.startswith("label ")}
    return {name: value for name, value in needles.items() if name not in kept}


def test_on_sqlite(sqlite_home: Home) -> None:
    home = sqlite_home
    subject, needles = crowd(home)
    assert len(needles) > 80
    assert set(files_with(home.app.settings.home, needles)) & {"registry.db", "registry.db-wal"}
    done = erase(home, subject)
    assert (done.is_clean, done.kept["unfound"]) == (True, 0)
    left = still_said(home, needles)
    labels = sum(name.startswith("label ") for name in needles.keys() - left.keys())
    assert labels == done.kept["tombstones"] < 12
    assert files_with(home.app.settings.home, left) == {}
    verify_ledger(home.app, 1)


def test_on_sqlite_it_is_the_setting_that_clears_what_is_freed(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``secure_delete`` the bytes lie in free space: nothing but that setting takes them away."""
    monkeypatch.setitem(engine._PRAGMAS, "secure_delete", 0)
    home = open_copy(template, tmp_path / "home")
    try:
        subject, needles = crowd(home)
        assert erase(home, subject).is_clean
        left = still_said(home, needles)
        assert len(held_in(home.app.settings.home, left)) > len(left) // 4
    finally:
        home.close()


def test_on_postgresql_once_its_tables_are_made_anew(postgres_home: Home, postgres: PostgresServer) -> None:
    """A commit leaves dead rows behind, a plain VACUUM their bytes, clearing neither."""
    home = postgres_home
    subject, needles = crowd(home)
    done = erase(home, subject)
    assert (done.is_clean, done.kept["unfound"]) == (False, 0)
    name, number = database_of(home)
    files, left = postgres.folder / "data" / "base" / str(number), still_said(home, needles)
    with postgres.admin(name) as connection:
        connection.execute("CHECKPOINT")
        # Of a page that is nearly full whatever is dead is taken out by the next one who reads it.
        assert len(held_in(files, left)) > len(left) // 3
        connection.execute("VACUUM")
        connection.execute("CHECKPOINT")
        assert held_in(files, left)
    with pytest.raises(AuditUnavailable, match="not_granted"):
        clear_dead_rows(postgres.url(name, ERASER))
    cleared = clear_dead_rows(owner_of(postgres, name))
    # Its owner is no superuser: that the log goes on is for the server to do.
    assert (cleared.kept, cleared.is_log_ended) == ((), False)
    with postgres.admin(name) as connection:
        connection.execute("CHECKPOINT")
    assert files_with(files, left) == {}
    verify_ledger(home.app, 1)


def test_while_somebody_reads_an_older_state_clearing_says_so(
    postgres_home: Home, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine._SET_ON_POSTGRESQL, "lock_timeout", "100ms")
    home = postgres_home
    gone = home.enroll()
    name, _ = database_of(home)
    with postgres.admin(name) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM erasures")
        erase(home, gone.subject)
        with pytest.raises(AuditUnavailable, match="locked"):
            clear_dead_rows(owner_of(postgres, name))
        connection.execute("COMMIT")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM pg_class")
        erase(home, home.enroll(person("T-0002")).subject)
        kept = clear_dead_rows(owner_of(postgres, name)).kept
        connection.execute("COMMIT")
    assert {"persons", "record_versions", "ledger_body"} <= set(kept)
    assert clear_dead_rows(owner_of(postgres, name)).kept == ()


@pytest.mark.slow
def test_the_log_of_postgresql_holds_it_until_its_segments_are_gone(postgres: PostgresServer, tmp_path: Path) -> None:
    server = postgres.another({"wal_recycle": "off", "max_wal_size": "32MB", "min_wal_size": "32MB"})
    server.start()
    try:
        url = server.url(server.create_database())
        home = open_copy(make_template(tmp_path / "made", url), tmp_path / "home", url)
        try:
            gone = home.enroll(person("T-0777", **NOT_SHARED))
            needles = {f"sealed {at}": value for at, value in enumerate(sealed_of(home))}
            assert len(needles) > 5
            erase(home, gone.subject)
            assert held_in(server.folder / "data" / "pg_wal", needles) == set(needles)
            done = clear_dead_rows(server.url(database_of(home)[0], ADMINISTRATOR))
            assert done.is_log_ended
            segments = {path.name for path in (server.folder / "data" / "pg_wal").iterdir()}
            assert all(done.log_until < name for name in segments if re.fullmatch("[0-9A-F]{24}", name))
            assert files_with(server.folder / "data", needles) == {}
        finally:
            home.close()
    finally:
        server.remove()


def sealed_of(home: Home) -> list[bytes]:
    with home.app.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT sealed FROM record_versions UNION SELECT wrapped_key FROM persons"))
        found = [bytes(value) for (value,) in rows]
        connection.rollback()
    return found


def database_of(home: Home) -> tuple[str, int]:
    with home.app.database.engine.connect() as connection:
        row = connection.execute(text("SELECT datname, oid FROM pg_database WHERE datname = current_database()")).one()
        connection.rollback()
    return str(row[0]), int(row[1])


def owner_of(postgres: PostgresServer, name: str) -> str:
    postgres.create_login("registry_owner", MIGRATION)
    return postgres.url(name, "registry_owner")


def held_in(folder: Path, needles: Mapping[str, bytes]) -> set[str]:
    return {name for inside in files_with(folder, needles).values() for name in inside}


def test_no_older_backup_opens_it_once_the_keys_of_its_day_are_destroyed(sqlite_home: Home, tmp_path: Path) -> None:
    home = sqlite_home
    gone, other = home.enroll(), home.enroll(person("T-0002"))
    home.app.database.scrub()
    backup = tmp_path / "backup.db"
    shutil.copy(home.app.settings.home / "registry.db", backup)
    home.clock.step(60)
    erase(home, gone.subject)
    life = key_life(home.app)

    def waiting() -> dict[str, int]:
        return {one.facts.key_id: one.erasures for one in life.status() if one.erasures}

    former = set(waiting())
    assert {key.split("-")[0] for key in former} == set(PROVIDER_PURPOSES)
    home.clock.step(60)
    for purpose in PROVIDER_PURPOSES:
        life.rotate(purpose, operator="local:test")
    life.rewrap(operator="local:test")
    assert set(waiting()) == former  # the new ones were made afterwards
    home.clock.step(SETTLING.total_seconds())
    for key in sorted(former):
        if not key.startswith("bodies"):
            life.discard(key, operator="local:test")
    assert {key.split("-")[0] for key in waiting()} == {"bodies"}
    (home.app.settings.keys / NAME).unlink()  # so that nothing but the destroyed keys is in the way
    settings = replace(home.app.settings, database_url=f"sqlite:///{backup}")
    with inspected(settings) as restored:
        verify_ledger(restored, 1)
        old = replace(home, app=restored)
        with pytest.raises(KeyUnavailable):
            old.app.kernel.vault.known_person(*person_of(old, gone.subject))
    assert home.app.kernel.vault.known_person(*person_of(home, other.subject))
    for key in sorted(waiting()):
        life.discard(key, operator="local:test")
    assert waiting() == {}
    with pytest.raises(KeyUnavailable), inspected(settings):
        pass  # nor is what its entries say of them read in it


def person_of(home: Home, subject: SubjectId) -> Any:
    with home.app.database.read() as work:
        one = work.persons.of_subjects([subject])[0]
    return one.id, one.key
