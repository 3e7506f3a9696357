"""A registry in a folder of its own, with made-up people, for tests of the services."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from registry.audit.ports import EntryRow
from registry.bootstrap import Application, initialise, open_application
from registry.domain.categories import Category
from registry.domain.duties import DEVELOPMENT_ISSUER
from registry.domain.enrollment import Enrollment
from registry.domain.ids import SubjectId
from registry.domain.principals import Claims, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Form
from registry.services.disclose import Answer, DisclosureAsk
from registry.services.enroll import Enrolled
from registry.services.entry_reading import ReadEntry
from registry.services.import_people import Candidate, Existing, Imported
from registry.services.kernel import Caller
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, Settings, load_settings
from registry.text.intake import read_enrollment
from tests.fakes.clock import TestClock
from tests.fakes.postgres import AsAdministrator

TODAY = date(2026, 3, 2)
ISSUER = DEVELOPMENT_ISSUER  # one name may hold roles here that nobody may hold together elsewhere


def person(number: str = "T-0001", **changes: Any) -> dict[str, Any]:
    """Return an enrollment body of a made-up person."""
    body: dict[str, Any] = {
        "employee_number": number,
        "given_name": "Dana",
        "family_name": "Brightwater",
        "department": "Parks",
        "title": "Ranger",
        "family": [
            {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Brightwater"},
            {"ref": "c1", "relation": "child", "given_name": "Mika", "family_name": "Brightwater"},
        ],
        "records": [
            {"category": "home_address", "value": {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}},
            {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}},
            {"category": "ssn", "value": {"number": "741-12-3456"}},
            {"category": "date_of_birth", "value": {"date": "1984-02-29"}},
            {"category": "payment_card", "value": {"number": "4111 1111 1111 1111"}},
            {"category": "school", "member": "c1", "value": {"name": "Larch Hill Elementary School"}},
            {"category": "health", "value": {"statement": "Seasonal vestibular migraine"}},
            {"category": "email", "value": {"address": "dana.brightwater@example.org"}},
            {"category": "vehicle_plate", "value": {"plate": "ZX4 T9Q", "state": "MO"}},
        ],
    }
    return body | changes


@dataclass
class Home:
    """One registry and callers for it."""

    app: Application
    clock: TestClock
    _beside: list[AsAdministrator] = field(default_factory=list)

    def close(self) -> None:
        self.app.close()
        for connection in self._beside:
            connection.close()

    def caller(self, name: str, *roles: Role, number: str | None = None) -> Caller:
        self.app.principals.ensure(Grant(ISSUER, name, frozenset(roles), number), operator="local:test")
        return Caller(Claims(ISSUER, name, None, f"jti-{name}", "test-client", 0, 2**53), "127.0.0.1")

    def enroll(self, body: dict[str, Any] | None = None, *, key: str | None = None) -> Enrolled:
        hr = self.caller("hr", Role.ENROLLER)
        return self.app.enroll.enroll(hr, read_enrollment(body or person(), today=TODAY), key=key)

    def import_people(self, caller: Caller, people: Sequence[Enrollment], existing: Existing) -> Imported:
        """Import documents as lines of a file would be."""
        importer = self.app.import_people
        candidates = [
            Candidate(
                importer.sealer.number_tag(person.employee_number),
                importer.sealer.content_tag(person),
                partial(_itself, person),
            )
            for person in people
        ]
        return importer.run(caller, candidates, existing)

    def ask(self, subject: SubjectId | None, *categories: Category, **changes: Any) -> DisclosureAsk:
        purpose = changes.pop("purpose", Purpose(PurposeCode("safety"), "CASE-1", "welfare check"))
        form = changes.pop("form", Form.AS_ENTERED)
        return DisclosureAsk(subject, None, frozenset(categories), frozenset(), purpose, form=form, **changes)

    def disclose(self, caller: Caller, ask: DisclosureAsk) -> Answer:
        return self.app.disclose.disclose_many([(caller, ask)])[0]

    def entries(self) -> list[ReadEntry]:
        with self.app.database.reader() as reader:
            return [self.app.audit.read(row) for row in reader.scan(0, reader.head().size)]

    def rows(self) -> list[EntryRow]:
        with self.app.database.reader() as reader:
            return list(reader.scan(0, reader.head().size))

    def sql(self) -> Any:
        """Return a connection as somebody with the database has it, triggers dropped; it takes SQLite's words."""
        url = self.app.settings.database_url
        if url.startswith("postgresql"):
            self._beside.append(AsAdministrator(url))
            return self._beside[-1]
        connection = sqlite3.connect(self.app.settings.home / "registry.db", isolation_level=None)
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        return connection


def make_template(folder: Path, url: str | None = None) -> Path:
    """Make a registry that tests copy."""
    home = folder / "template"
    initialise(_settings(home, url), DEVELOPMENT, TestClock())
    return home


def open_copy(template: Path, home: Path, url: str | None = None) -> Home:
    """Open a copy of the template, over a copy of its database when that is not in the folder."""
    shutil.copytree(template, home)
    clock = TestClock()
    return Home(open_application(_settings(home, url), clock), clock)


def _settings(home: Path, url: str | None) -> Settings:
    return load_settings(home, {} if url is None else {"REGISTRY_DATABASE_URL": url})


def _itself(person: Enrollment) -> Enrollment:
    return person
