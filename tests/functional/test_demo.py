"""The demonstration: the true copy is among the candidates for twenty seeds, and the whole story over HTTP."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from stdnum import luhn

from registry.api.app import create_app
from registry.cli.demo import offline, steps
from registry.cli.demo.clock import WeekClock, moment_in, working_days
from registry.cli.demo.desk import Desk, StepFailed
from registry.cli.demo.findings import entries_of_copies, found_kinds
from registry.cli.demo.folder import MARKER, Folder, demo_folder
from registry.cli.demo.leak import Leak, make_leak
from registry.cli.demo.people import PEOPLE, make_people, people_csv
from registry.cli.demo.plan import plan_week
from registry.cli.demo.staff import make_staff
from registry.cli.demo.story import Story
from registry.cli.demo.week import Played
from registry.cli.main import main
from registry.domain.clock import iso
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Role
from registry.text.csv_people import COLUMNS
from registry.transparency.note import format_vkey
from registry.transparency.offline import verifier_source
from tests.fakes.clock import TestClock
from tests.fakes.plain_http import plain_client

SEEDS = range(1, 21)
FILES = {"report.html", "report.pdf", "evidence.zip", "demo.log", "people.csv", "post.txt"}


class City:
    """The demonstration's city after its week, without a socket: the desk's client calls the application itself."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.log = io.StringIO()
        self.story = Story(lambda _: None, self.log)
        self.city = steps.open_city(self.story, self.folder)
        self.client = TestClient(create_app(self.city.application))

    def live(self) -> None:
        application = self.city.application
        self.desk = Desk(self.client, application.development_issuer(), self.city.clock)
        self.played: Played = steps.play_week(self.story, self.desk, self.city)

    def leak(self, seed: int) -> Leak:
        return make_leak(seed, self.played.served, self.city.people, self.city.days)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = City(tmp_path_factory.mktemp("demo"))
    with city.client:
        city.live()
        yield city


@pytest.mark.parametrize("seed", SEEDS)
def test_the_true_copy_is_among_the_candidates(lived: City, seed: int) -> None:
    leak = lived.leak(seed)
    traced = steps.trace_leak(lived.desk, leak)
    assert leak.source.index in entries_of_copies(traced.report)
    assert found_kinds(traced.report, leak.source.number) == set(leak.facts)
    assert {person["employee_number"] for person in traced.report["people"]} == {leak.source.number}
    told = json.dumps(traced.report, ensure_ascii=False)
    assert leak.source.sub not in told  # the account that leaked is not named, and neither is any other
    assert not re.search(r"(?:dispatch|payroll|benefits|mailroom|legal|safety|personnel)-\d\d", told)


def test_seeds_differ(lived: City) -> None:
    leaks = [lived.leak(seed) for seed in SEEDS]
    assert len({leak.source.sub for leak in leaks}) > 8
    assert len({leak.post for leak in leaks}) == len(leaks)
    assert len({kind for leak in leaks for kind in leak.facts}) >= 6
    assert lived.leak(3) == lived.leak(3)


def test_a_post_is_made_from_the_answer_that_was_served(lived: City) -> None:
    people = {person.number: person for person in lived.city.people}
    for seed in SEEDS:
        leak = lived.leak(seed)
        assert leak.source in lived.played.served
        assert leak.source.at < leak.published_at < lived.city.clock.now()
        person = people[leak.source.number]
        assert f"{person.given_name} {person.family_name}" in leak.post


def test_a_copy_that_is_not_listed_fails_the_step(lived: City) -> None:
    leak = lived.leak(1)
    elsewhere = next(card for card in lived.played.served if card.number != leak.source.number)
    wrong = Leak(elsewhere, leak.post, leak.facts, leak.published_at)
    with pytest.raises(StepFailed, match="not among the candidates"):
        steps.trace_leak(lived.desk, wrong)


def test_the_week_has_what_a_week_has(lived: City) -> None:
    played = lived.played
    assert len(lived.city.people) == PEOPLE == 200
    assert len(lived.city.readers) == 40
    assert {status for status, count in played.statuses.items() if count} == {200, 401, 403, 404}
    assert played.batches > 3
    assert played.searches > 20
    assert len({card.sub for card in played.served}) == 40
    most = Counter(card.number for card in played.served).most_common(1)[0][1]
    assert most > 10  # somebody was looked up by many


def test_evidence_is_verified_apart_and_refused_when_changed(lived: City) -> None:
    leak = lived.leak(5)
    traced = steps.trace_leak(lived.desk, leak)
    steps.write_results(lived.story, lived.desk, lived.folder, traced)
    steps.verify_evidence(lived.story, lived.folder, lived.city, leak)
    assert lived.folder.file("report.pdf").read_bytes().startswith(b"%PDF-")
    assert lived.folder.file("evidence-flipped.zip").exists()
    assert steps.verify_whole_ledger(lived.story, lived.city).size > 800


def test_a_bundle_that_verifies_although_changed_fails_the_step(lived: City, monkeypatch: pytest.MonkeyPatch) -> None:
    leak = lived.leak(5)
    steps.write_results(lived.story, lived.desk, lived.folder, steps.trace_leak(lived.desk, leak))
    monkeypatch.setattr(steps, "flip_and_mend", lambda bundle, _: bundle)
    with pytest.raises(StepFailed, match="not refused"):
        steps.verify_evidence(lived.story, lived.folder, lived.city, leak)


def test_only_the_signed_tree_refuses_what_was_mended(lived: City) -> None:
    leak = lived.leak(6)
    steps.write_results(lived.story, lived.desk, lived.folder, steps.trace_leak(lived.desk, leak))
    vkey = format_vkey(lived.city.application.verifier_key)
    lived.folder.write("verify_bundle.py", verifier_source())
    bundle = lived.folder.file("evidence.zip").read_bytes()
    lived.folder.write("evidence-flipped.zip", offline.flip_and_mend(bundle, leak.source.index))
    code, verdict = offline.verify_apart(lived.folder.path, "evidence-flipped.zip", vkey)
    assert code == offline.REFUSED
    assert verdict["problems"] == [f"entry {leak.source.index}: the inclusion proof does not lead to the signed root"]


def test_what_the_log_holds(lived: City) -> None:
    lived.story.show("741-12-3456")
    assert "shown on the terminal only" in lived.log.getvalue()
    assert "741-12-3456" not in lived.log.getvalue()


# ---- the made-up people ----


def test_people_are_made_up_and_the_same_each_time() -> None:
    people = make_people()
    assert people == make_people()
    assert (
        len({person.number for person in people}) == len({(one.given_name, one.family_name) for one in people}) == 200
    )
    columns = next(csv.reader(io.StringIO(people_csv(people))))
    assert set(columns) <= COLUMNS
    phones = [one.cells[column] for one in people for column in ("home_phone", "mobile_phone") if one.cells.get(column)]
    assert len(set(phones)) == len(phones) > 250
    assert all(re.fullmatch(r"[2-9]\d\d-555-01\d\d", phone) for phone in phones)
    for person in people:
        assert 734 <= int(person.cells["ssn"][:3]) <= 763
        assert luhn.is_valid(person.cells["card_1"])
        assert person.cells["home_address"].endswith(tuple(f", Wexley Falls, MO 659{n:02}" for n in range(100)))


def test_staff_are_forty_of_the_people() -> None:
    readers = make_staff(make_people())
    assert len({reader.account.sub for reader in readers}) == len(readers) == 40
    assert len({reader.account.employee_number for reader in readers}) == 40


def test_the_plan_is_in_order_and_in_working_hours() -> None:
    people = make_people()
    acts = plan_week(people, make_staff(people))
    assert acts == plan_week(people, make_staff(people))
    assert [(act.day, act.second) for act in acts] == sorted((act.day, act.second) for act in acts)
    assert {act.day for act in acts} == {0, 1, 2, 3, 4}
    for act in acts:
        assert act.reader.account.employee_number not in act.numbers or act.expected == 403


# ---- time ----


@pytest.mark.parametrize("today", [date(2026, 3, 2) + timedelta(days=n) for n in range(8)])
def test_five_working_days_end_before_today(today: date) -> None:
    days = working_days(today)
    assert len(days) == 5
    assert list(days) == sorted(days)
    assert all(day.weekday() < 5 and day < today for day in days)
    assert (today - days[0]).days <= 7


def test_the_week_clock_never_goes_back() -> None:
    real = TestClock()
    clock = WeekClock(real, real.now() - timedelta(days=3))
    start = clock.now()
    clock.move_to(start + timedelta(hours=2))
    clock.move_to(start)
    assert clock.now() == start + timedelta(hours=2)
    clock.release()
    assert clock.now() == real.now()
    assert iso(moment_in((date(2026, 3, 2),), 0, 3661)) == "2026-03-02T01:01:01.000Z"
    assert datetime.now(UTC).tzinfo is not None


# ---- its folder ----


def test_a_former_demonstration_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    with demo_folder(tmp_path / "d") as folder:
        folder.write("post.txt", b"old")
        folder.home.mkdir()
        (folder.path / "mine.txt").write_text("keep")
        assert folder.file("post.txt").stat().st_mode & 0o777 == 0o600
        with pytest.raises(MisconfiguredHome, match="is running in"), demo_folder(tmp_path / "d"):
            pass
    with demo_folder(tmp_path / "d") as folder:
        assert sorted(path.name for path in folder.path.iterdir()) == [MARKER, "mine.txt"]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(MisconfiguredHome, match="is not a demonstration's folder"), demo_folder(tmp_path):
        pass
    with pytest.raises(MisconfiguredHome, match="choose another"), demo_folder(tmp_path / "mine.txt"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_home_is_not_taken(tmp_path: Path) -> None:
    for arguments in (["demo", "--home", str(tmp_path)], ["--home", str(tmp_path), "demo"]):
        refused = CliRunner().invoke(main, [*arguments, "--no-serve", "--dir", str(tmp_path / "d")])
        assert refused.exit_code == 2
        assert "--dir" in refused.stderr
    assert not (tmp_path / "d").exists()


# ---- the whole story ----


def test_the_whole_story_over_http(tmp_path: Path) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    environment["REGISTRY_HOME"] = str(tmp_path / "not-this-one")
    command = [sys.executable, "-m", "registry", "demo", "--no-serve", "--seed", "7"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert done.stderr == ""
    folder = tmp_path / "registry-demo"
    assert {path.name for path in folder.iterdir()} >= FILES
    assert not (tmp_path / "not-this-one").exists()
    _check_story(done.stdout, folder)
    _check_log((folder / "demo.log").read_text("utf-8"), folder)
    verified = CliRunner().invoke(main, ["audit", "verify", "--home", str(folder / "home"), "--json"])
    assert json.loads(verified.stdout)["verified"] is True


def _check_story(told: str, folder: Path) -> None:
    assert "All 10 steps held" in told
    assert "200 lines, 200 created" in told
    assert "3 of the post's 3 facts were found" in told
    assert "Not from here" in told
    assert told.count("refused, ") == 2
    for line in (folder / "post.txt").read_text("utf-8").splitlines():
        assert f"   | {line}" in told


def _check_log(log: str, folder: Path) -> None:
    assert log.count('"event":"answered"') > 400
    assert "All 10 steps held" in log
    rows = list(csv.DictReader((folder / "people.csv").read_text("utf-8").splitlines()))
    columns = ("ssn", "home_address", "mobile_phone", "card_1", "spouse_name")
    values = [row[column] for row in rows for column in columns if row[column]]
    assert len(values) > 800
    assert [value for value in values if value in log] == []


def test_the_console_stays_open_with_a_sign_in_for_each_role(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "registry", "demo", "--dir", str(tmp_path / "d"), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["held"] is True
        assert [one["role"] for one in told["sign_ins"]] == [role.value for role in Role]
        with plain_client(told["url"]) as client:
            _check_sign_ins(client, told)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.communicate()


def _check_sign_ins(client: httpx2.Client, told: dict[str, Any]) -> None:
    assert client.get(told["console"]).status_code == 200
    ways = {one["role"]: one for one in told["sign_ins"]}
    assert {client.get(way["link"]).status_code for way in ways.values()} == {200}
    headers = {role: {"Authorization": f"Bearer {way['token']}"} for role, way in ways.items()}
    # The investigator reads the story's own trace, and the subject sees who looked at what was posted.
    assert client.get(f"/v1/traces/{told['trace']}", headers=headers["investigator"]).status_code == 200
    accounting = client.get("/v1/me/accounting", headers=headers["subject"])
    assert told["true_copy"] in {entry["index"] for entry in accounting.json()["entries"]}
    assert client.get("/audit/checkpoint", headers=headers["auditor"]).status_code == 200
    assert client.get("/v1/principals", headers=headers["security_admin"]).status_code == 200
    assert client.get("/v1/principals", headers=headers["reader"]).status_code == 403
