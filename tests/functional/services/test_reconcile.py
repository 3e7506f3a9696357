"""What a log of unwraps is compared with: entry by entry, on CloudTrail's shape, with marks that anybody can reckon."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from registry.bootstrap import reconcile
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import PersonId, SubjectId
from registry.domain.principals import Role
from registry.keys.data_keys import context_of
from registry.keys.kms.context import context_digest
from registry.keys.kms.trail import TrailMarks, read_trail
from registry.keys.ports import HEALTH_CONTEXT
from registry.keys.uses import KeyLog, texts_of
from registry.services.disclose import Disclosed, Refused
from registry.services.reconcile import Reconciled, Windows
from tests.functional.services.homes import Home

ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OTHER = ARN.replace("1111-2222", "9999-2222")
WINDOWS = Windows(skew=5, within=60)


class Trail:
    """A folder of CloudTrail's files, as they lie in a bucket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "AWSLogs"
        self.folder.mkdir()
        self._count = 0

    def add(self, at_ms: int, context: bytes | None, **changed: object) -> None:
        self._count += 1
        told = None
        if context is not None:
            told = {"registry-key": "data-0123456789abcdef", "registry-context": context_digest(context)}
        record = {
            "eventVersion": "1.11",
            "eventID": f"id-{self._count}",
            "eventTime": f"{iso(from_unix_ms(at_ms))[:19]}Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "sourceIPAddress": "192.0.2.7",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/registry/i-1"},
            "requestParameters": {"encryptionContext": told, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
            "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": ARN}],
            "readOnly": True,
        }
        raw = json.dumps({"Records": [record | changed]}).encode()
        (self.folder / f"{self._count:03}.json.gz").write_bytes(gzip.compress(raw))

    def read(self) -> KeyLog:
        return read_trail(texts_of([self.folder]), frozenset({ARN}))


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return Trail(tmp_path)


def own(home: Home, subject: SubjectId) -> bytes:
    """Return what the own key of a subject is bound to."""
    with home.app.database.read() as work:
        person = work.subjects.by_ids([subject])[subject].directory.person
    return context_of(home.app.kernel.registry, person)


def run(home: Home, trail: Trail, windows: Windows = WINDOWS) -> Reconciled:
    return reconcile(home.app).run(trail.read(), TrailMarks(), windows, operator="local:test")


def looked_up(home: Home) -> tuple[SubjectId, int]:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    assert isinstance(home.disclose(reader, home.ask(subject, Category.PHONE)), Disclosed)
    return subject, home.app.kernel.now_ms()


def test_one_entry_explains_one_unwrap(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    assert run(home, trail).is_sound
    trail.add(now, own(home, subject))
    found = run(home, trail)
    assert (found.explained, len(found.unexplained), found.is_sound) == (1, 1, False)
    (alarm,) = found.unexplained
    assert (alarm.key, alarm.at_ms // 1_000) == (ARN, now // 1_000)
    assert alarm.who == "arn:aws:sts::111122223333:assumed-role/registry/i-1 192.0.2.7"


@pytest.mark.parametrize(("off", "is_sound"), [(-4_000, True), (-7_000, False), (63_000, True), (67_000, False)])
def test_an_entry_explains_within_its_window_alone(home: Home, trail: Trail, off: int, *, is_sound: bool) -> None:
    subject, now = looked_up(home)
    trail.add(now + off, own(home, subject))
    assert run(home, trail).is_sound is is_sound


def test_a_refusal_explains_nothing(home: Home, trail: Trail) -> None:
    subject = home.enroll().subject
    enroller = home.caller("hr", Role.ENROLLER)
    assert isinstance(home.disclose(enroller, home.ask(subject, Category.PHONE)), Refused)
    trail.add(home.app.kernel.now_ms(), own(home, subject))
    assert len(run(home, trail).unexplained) == 1


def test_the_key_of_another_in_the_household_is_not_explained(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    with home.app.database.read() as work:
        persons = {one.id for one in work.persons.of_subjects([subject])}
        others = persons - {work.subjects.by_ids([subject])[subject].directory.person}
    assert len(others) == 2
    trail.add(now, context_of(home.app.kernel.registry, others.pop()))
    assert len(run(home, trail).unexplained) == 1


def test_throw_away_keys_and_starts_are_counted_apart(home: Home, trail: Trail) -> None:
    now = home.app.kernel.now_ms()
    trail.add(now, HEALTH_CONTEXT)
    for _ in range(3):
        trail.add(now, context_of(home.app.kernel.registry, PersonId("ledger-bodies")))
    found = run(home, trail)
    assert (found.probes, found.openings, found.explained, found.is_sound) == (1, 3, 0, True)
    assert run(home, trail, Windows(starts=3)).is_sound
    assert not run(home, trail, Windows(starts=2)).is_sound


def test_what_carries_no_context_of_ours_is_an_alarm_under_our_key_alone(home: Home, trail: Trail) -> None:
    now = home.app.kernel.now_ms()
    trail.add(now, None)
    trail.add(now, None, resources=[{"ARN": OTHER}])
    trail.add(now, None, errorCode="AccessDenied")
    assert len(run(home, trail).unexplained) == 1


def test_a_key_that_is_moved_elsewhere_is_an_alarm(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject), eventName="ReEncrypt")
    found = run(home, trail)
    assert (len(found.log.taken), found.is_sound) == (1, False)


def test_the_same_record_twice_counts_once(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    first = trail.folder / "001.json.gz"
    (trail.folder / "again.json.gz").write_bytes(first.read_bytes())
    assert run(home, trail).is_sound


def test_the_run_is_an_entry_that_names_the_alarms(home: Home, trail: Trail) -> None:
    trail.add(home.app.kernel.now_ms(), None)
    (alarm,) = run(home, trail).unexplained
    said = home.entries()[-1].values
    assert said is not None
    assert said["result"] == "explained 0, unexplained 1, taken 0, keyring opened 0"
    assert said["detail"] == f"{iso(from_unix_ms(alarm.at_ms))} {ARN}"


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"Records": 1}', b'{"Records": [{"eventTime": "now"}]}'])
def test_what_is_no_trail_is_refused(home: Home, trail: Trail, raw: bytes) -> None:
    (trail.folder / "x.json").write_bytes(raw)
    with pytest.raises(MisconfiguredHome):
        run(home, trail)


def test_a_damaged_file_is_refused(home: Home, trail: Trail) -> None:
    (trail.folder / "x.json.gz").write_bytes(b"\x1f\x8b nothing")
    with pytest.raises(MisconfiguredHome, match=r"x\.json\.gz"):
        run(home, trail)
