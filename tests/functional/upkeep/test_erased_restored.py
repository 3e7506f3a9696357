"""An older backup is no way back for who was erased since: with today's keys nothing of theirs opens, and whoever goes
on with it takes them out again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.audit.high_water import Standing
from registry.bootstrap import Application, clear_database, initialise, inspected, key_life, open_application
from registry.domain.categories import Category
from registry.domain.clock import SystemClock
from registry.domain.errors import AuditUnavailable, KeyUnavailable, MisconfiguredHome
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.keys import erased as erased_list
from registry.keys.erased import NAME
from registry.services.disclose import Disclosed, Refused
from registry.services.erase_again import EraseAgain, Returned
from registry.services.key_life import SETTLING
from registry.settings import DEVELOPMENT, load_settings
from tests.fakes.clock import TestClock
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.postgres import PostgresServer, binaries
from tests.functional.cli.conftest import Line
from tests.functional.keys.test_served_with_openbao import configure
from tests.functional.services.homes import Home, person
from tests.functional.services.test_erase import erase, found_in, search
from tests.functional.services.test_erased_nowhere import crowd, database_of, files_with, person_of, still_said
from tests.functional.upkeep.test_high_water import refused

GONE = "T-0777"
LEAK = "Quillon Marrowbeck, 90210 Thistledown Ct, Umberfield, 741-98-7654, 816-555-0199"
CHILDS = "Wrenna Marrowbeck goes to Zephyrgate Middle School"
KINDS = [("sqlite", "local"), ("sqlite", "openbao"), ("postgresql", "local"), ("postgresql", "openbao")]


@dataclass
class Place:
    """A registry and its command line; opened and closed as a server would be."""

    line: Line
    clock: TestClock
    postgres: PostgresServer | None = None
    _opened: Home | None = None

    @property
    def home(self) -> Home:
        if self._opened is None:
            settings = load_settings(self.line.home, self.line.environment)
            self._opened = Home(open_application(settings, self.clock), self.clock)
        return self._opened

    def stop(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def looked_at(self, what: Callable[[Application], Any]) -> Any:
        with inspected(load_settings(self.line.home, self.line.environment), self.clock) as application:
            return what(application)

    def put_back(self, backup: Path) -> None:
        self.stop()
        assert self.line.json("restore", backup, "--replace")["standing"] == "behind"

    def recover(self, exits: int = 0) -> Any:
        told = self.line.json("audit", "recover", "--reason", "Disk lost; an older copy", exits=exits)
        # The command has the machine's time, and no entry is older than the one before it.
        self.clock.step((SystemClock().now() - self.clock.now()).total_seconds())
        return told


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    engine, keys = getattr(request, "param", ("sqlite", "local"))
    path, postgres, name, url = tmp_path / "home", None, "", ""
    if engine == "postgresql":
        postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("PATH", f"{binaries()}{os.pathsep}{os.environ['PATH']}")
        name = postgres.create_database()
        url = postgres.url(name)
    if keys == "openbao":
        bao: OpenBaoServer = request.getfixturevalue("openbao")
        configure(path, bao.set_up())
    line = Line(path, {"REGISTRY_HOME": str(path), "REGISTRY_DATABASE_URL": url})
    clock = TestClock()
    initialise(load_settings(path, line.environment), DEVELOPMENT, clock)
    made = Place(line, clock, postgres)
    yield made
    made.stop()
    if postgres is not None:
        postgres.drop_database(name)


def backed_up(place: Place, folder: Path) -> Path:
    place.stop()
    place.line("backup", folder)
    return folder


def opens(place: Place, subject: SubjectId) -> bool:
    """Try, with the registry opened to be looked at only, whether the data key of who was erased opens."""

    def attempt(application: Application) -> bool:
        looking = Home(application, place.clock)
        application.kernel.vault.known_person(*person_of(looking, subject))
        return True

    return bool(place.looked_at(attempt))


def demand_unknown(home: Home, subject: SubjectId) -> None:
    """Nobody looks them up, and no trace finds them; the others are there."""
    assert search(home, GONE) == []
    reader = home.caller("reader", Role.READER)
    refusal = home.disclose(reader, home.ask(subject, Category.PHONE))
    assert isinstance(refusal, Refused)
    assert refusal.reason == "not_found"
    assert found_in(home, LEAK) == set()
    assert found_in(home, CHILDS) == set()
    (other,) = search(home, "T-0001")
    assert isinstance(home.disclose(reader, home.ask(other, Category.PHONE)), Disclosed)


@pytest.mark.parametrize("place", KINDS, ids="-".join, indirect=True)
def test_who_was_erased_does_not_come_back_with_an_older_backup(place: Place, tmp_path: Path) -> None:
    subject, needles = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    erase(place.home, subject)
    place.put_back(backup)
    # It is all there, and nothing of it opens; nothing is served.
    with pytest.raises(KeyUnavailable) as caught:
        opens(place, subject)
    assert caught.value.code == "key_erased"
    refused(place.line)
    found = place.line.json("audit", "fsck", exits=1)["faults"]
    assert {fault["part"]: fault["state"] for fault in found} == {"high_water": "stays", "erased": "stays"}

    assert place.recover()["erased_again"] == 1
    assert place.line.json("audit", "verify")["verified"]
    assert place.line.json("audit", "fsck")["faults"] == []
    demand_unknown(place.home, subject)
    demand_nowhere(place, needles)
    said = [entry.values for entry in place.home.entries() if entry.kind == "erase"]
    assert [one["request"] for one in said] == [f"subject {subject}"]
    assert said[0]["principal"].partition(" ")[2].startswith("local:")
    assert " unfound 0" in said[0]["detail"]


def demand_nowhere(place: Place, needles: dict[str, bytes]) -> None:
    left = still_said(place.home, needles)
    assert len(left) > 80
    if place.postgres is None:
        place.stop()
        assert files_with(place.line.home, left) == {}
        return
    name, number = database_of(place.home)
    place.stop()
    clear_database(load_settings(place.line.home, place.line.environment))
    with place.postgres.admin(name) as connection:
        connection.execute("CHECKPOINT")
    assert files_with(place.line.home, left) == {}
    assert files_with(place.postgres.folder / "data" / "base" / str(number), left) == {}


@pytest.mark.parametrize("place", [KINDS[0], KINDS[3]], ids="-".join, indirect=True)
def test_one_member_of_a_household_does_not_come_back_either(place: Place, tmp_path: Path) -> None:
    subject, _ = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    erase(place.home, subject, "c1")
    place.put_back(backup)
    assert place.recover()["erased_again"] == 1
    assert place.line.json("audit", "fsck")["faults"] == []
    assert found_in(place.home, CHILDS) == set()
    assert search(place.home, GONE) == [subject], "the others of the household stay"
    assert found_in(place.home, LEAK)


def test_a_database_that_was_put_back_with_its_mark_is_not_served_with_them(place: Place, tmp_path: Path) -> None:
    """The mark does not tell: it is of that day too. What a search or a trace would find of them nobody is answered."""
    subject, _ = crowd(place.home)
    place.stop()
    before = shutil.copytree(place.line.home, tmp_path / "before")
    erase(place.home, subject)
    place.stop()
    keys = shutil.copytree(place.line.home / "keys", tmp_path / "keys")
    shutil.rmtree(place.line.home)
    shutil.copytree(before, place.line.home)
    shutil.rmtree(place.line.home / "keys")
    shutil.copytree(keys, place.line.home / "keys")
    assert place.looked_at(lambda application: application.compare_high_water().standing) is Standing.FOLLOWS
    with pytest.raises(MisconfiguredHome, match="people who were erased stand in this database"):
        place.home.app.close()
    assert place.recover()["erased_again"] == 1
    demand_unknown(place.home, subject)


def test_whoever_is_erased_while_another_process_starts_keeps_it_from_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, _ = crowd(place.home)
    erase(place.home, subject)
    place.stop()
    seen = iter([[Returned(subject, None)], []])
    monkeypatch.setattr(EraseAgain, "returned", lambda _: next(seen))
    assert search(place.home, GONE) == []


def test_on_another_machine_todays_key_folder_is_enough(place: Place, tmp_path: Path) -> None:
    subject, _ = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    erase(place.home, subject)
    place.stop()
    new = Place(
        Line(tmp_path / "new", {"REGISTRY_HOME": str(tmp_path / "new"), "REGISTRY_DATABASE_URL": ""}), place.clock
    )
    new.line("restore", backup)
    shutil.copytree(place.line.home / "keys", new.line.home / "keys")
    with pytest.raises(KeyUnavailable, match="was erased"):
        opens(new, subject)
    assert new.recover()["erased_again"] == 1
    demand_unknown(new.home, subject)
    new.stop()


def test_a_key_folder_from_before_the_erasure_knows_of_nothing(place: Place, tmp_path: Path) -> None:
    """What the list is for: without it they are back. So it is copied after each erasure."""
    subject, _ = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    keys = shutil.copytree(place.line.home / "keys", tmp_path / "keys")
    erase(place.home, subject)
    listed = (place.line.home / "keys" / NAME).read_bytes()
    place.stop()
    shutil.rmtree(place.line.home / "keys")
    shutil.copytree(keys, place.line.home / "keys")
    place.put_back(backup)
    assert opens(place, subject)
    # One file of a later copy is all that lacks.
    (place.line.home / "keys" / NAME).write_bytes(listed)
    (place.line.home / "keys" / NAME).chmod(0o600)
    assert place.recover()["erased_again"] == 1
    demand_unknown(place.home, subject)


def test_where_their_key_is_destroyed_too_it_goes_all_the_same(place: Place, tmp_path: Path) -> None:
    subject, _ = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    erase(place.home, subject)
    life = key_life(place.home.app)
    former = place.home.app.keyring.key_ids()["data"]
    life.rotate("data", operator="local:test")
    life.rewrap(operator="local:test")
    place.clock.step(SETTLING.total_seconds() + 60)
    life.discard(former, operator="local:test")
    place.put_back(backup)
    # Everybody's data key in this backup was wrapped under the one that is gone: the backup is past its time, and
    # whoever goes on with it has nobody's values. It still says so, and the erased are taken out.
    assert place.recover()["erased_again"] == 1
    assert place.line.json("audit", "verify")["verified"]
    said = [entry.values for entry in place.home.entries() if entry.kind == "erase"]
    assert " unfound 0" not in said[0]["detail"]
    assert search(place.home, GONE) == []
    assert found_in(place.home, LEAK) == set()


def test_cut_off_before_they_are_out_nothing_is_served_and_it_is_run_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, _ = crowd(place.home)
    backup = backed_up(place, tmp_path / "backup")
    erase(place.home, subject)
    place.put_back(backup)
    with monkeypatch.context() as patched:

        def fail(*_: object, **__: object) -> int:
            raise AuditUnavailable("not_granted")

        patched.setattr(EraseAgain, "run", fail)
        place.line("audit", "recover", "--reason", "cut off", exits=3)
    refused(place.line)
    assert place.recover()["erased_again"] == 1
    demand_unknown(place.home, subject)


def test_the_list_names_nobody_and_is_made_anew_from_the_ledger(place: Place) -> None:
    subject, _ = crowd(place.home)
    done = erase(place.home, subject)
    assert done.is_clean
    place.stop()
    path = place.line.home / "keys" / NAME
    text = path.read_text()
    assert (len(text.splitlines()), path.stat().st_mode & 0o777) == (2 + 3, 0o600)  # two persons and a subject
    assert subject not in text
    path.unlink()
    told = place.line.json("audit", "fsck", exits=1)["faults"]
    assert [(one["part"], one["state"]) for one in told] == [("erased", "can be mended with --repair")]
    place.line("audit", "fsck", "--repair")
    assert place.line.json("audit", "fsck")["faults"] == []
    assert place.looked_at(lambda application: application.erased.covers(subject))
    # A start does it too: of an erasure at another machine, or by a version that kept no list.
    path.unlink()
    place.home.app.database.read()
    assert path.exists()


def test_a_damaged_list_opens_nobody_and_is_mended(place: Place) -> None:
    subject, _ = crowd(place.home)
    erase(place.home, subject)
    other = place.home.enroll(person("T-0900"))
    place.stop()
    path = place.line.home / "keys" / NAME
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(KeyUnavailable, match="damaged"):
        opens(place, other.subject)
    place.line("audit", "fsck", "--repair")
    assert opens(place, other.subject)
    assert [one.name for one in path.parent.glob(f"{NAME}.damaged-*")]


def test_an_erasure_that_cannot_be_listed_says_that_something_is_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, _ = crowd(place.home)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(erased_list, "replace_file", full)
        assert not erase(place.home, subject).is_clean
    place.stop()
    place.line("audit", "fsck", "--repair")
    assert place.looked_at(lambda application: application.erased.covers(subject))


def test_whoever_is_enrolled_anew_stays(place: Place, tmp_path: Path) -> None:
    subject, _ = crowd(place.home)
    erase(place.home, subject)
    anew = place.home.enroll(person(GONE))
    backup = backed_up(place, tmp_path / "backup")
    place.home.enroll(person("T-0901"))
    place.put_back(backup)
    assert place.recover()["erased_again"] == 0
    assert search(place.home, GONE) == [anew.subject]
