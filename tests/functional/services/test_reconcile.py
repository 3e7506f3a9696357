"""What a log of unwraps is compared with: entry by entry, on CloudTrail's shape, with marks that anybody can reckon."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from registry.bootstrap import reconcile, rotate_marks
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import PersonId, SubjectId
from registry.domain.principals import Role
from registry.keys.data_keys import context_of
from registry.keys.kms.context import context_digest
from registry.keys.kms.trail import TrailMarks, read_trail
from registry.keys.mark_keys import marks_owner
from registry.keys.ports import HEALTH_CONTEXT
from registry.keys.uses import KeyLog, texts_of
from registry.services.disclose import Disclosed, Refused
from registry.services.erase_scope import ErasureAsk
from registry.services.reconcile import Reconciled, Windows
from registry.services.send_notices import SentCount
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes
from tests.functional.services.homes import TODAY, Home, person
from tests.functional.services.receivers import hook, notifying, receiving

ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OTHER = ARN.replace("1111-2222", "9999-2222")
WINDOWS = Windows(skew=5, within=60)


class Trail:
    """A folder of CloudTrail's files, as they lie in a bucket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "AWSLogs"
        self.folder.mkdir(parents=True)
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
    trail.add(now, HEALTH_CONTEXT)  # so that the entry is of the log's time, wherever the other one is
    trail.add(now + off, own(home, subject))
    assert run(home, trail).is_sound is is_sound


@pytest.mark.parametrize(("off", "is_sound"), [(-63_000, True), (-67_000, False), (63_000, True), (67_000, False)])
def test_a_change_may_have_its_keys_before_its_entry(home: Home, trail: Trail, off: int, *, is_sound: bool) -> None:
    enrolled = home.enroll()
    home.clock.step(600)
    changes = read_changes({"given_name": "Daphne"}, today=TODAY)
    home.app.update.update(home.caller("hr", Role.ENROLLER), UpdateAsk(enrolled.subject, changes, None, TODAY))
    now = home.app.kernel.now_ms()
    trail.add(now, HEALTH_CONTEXT)
    trail.add(now + off, own(home, enrolled.subject))
    assert run(home, trail).is_sound is is_sound


def test_who_was_looked_up_and_erased_since_is_explained_by_the_number_of_records(
    sqlite_home: Home, trail: Trail
) -> None:
    home = sqlite_home
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    home.clock.step(600)
    ask = ErasureAsk(subject, None, "asked for by the person", "item 12")
    home.app.erase.erase(home.caller("hr", Role.ENROLLER), ask)
    assert run(home, trail).is_sound
    trail.add(now + 300_000, HEALTH_CONTEXT)  # the number is of its own time alone
    trail.add(now + 300_000, b"somebody")
    assert not run(home, trail).is_sound


def test_a_member_who_was_taken_out_since_is_explained_by_the_entries_that_still_say_their_records(
    sqlite_home: Home, trail: Trail
) -> None:
    """Of one member no entry's opening goes: whose record it was is known no more, only that there was one."""
    home = sqlite_home
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    found = home.disclose(reader, home.ask(subject, Category.SCHOOL))
    assert isinstance(found, Disclosed)
    now = home.app.kernel.now_ms()
    with home.app.database.read() as work:
        (member,) = (one.field.person for one in work.records.of_subjects([subject]) if one.category is Category.SCHOOL)
    theirs = context_of(home.app.kernel.registry, member)
    assert theirs != own(home, subject)
    trail.add(now, theirs)
    home.clock.step(600)
    ask = ErasureAsk(subject, "c1", "asked for by the person", "item 12")
    home.app.erase.erase(home.caller("hr", Role.ENROLLER), ask)
    assert any(one.kind == "disclose" and one.values is not None for one in home.entries())
    assert run(home, trail).is_sound
    trail.add(now, theirs)  # one record was looked at, and explains one unwrap
    assert len(run(home, trail).unexplained) == 1


def test_a_later_secret_of_marks_is_an_opening_of_the_keyring(sqlite_home: Home, trail: Trail) -> None:
    owner = context_of(sqlite_home.app.kernel.registry, marks_owner(1))
    trail.add(sqlite_home.app.kernel.now_ms(), owner)
    assert len(run(sqlite_home, trail).unexplained) == 1
    assert rotate_marks(sqlite_home.app).rotate(operator="local:test", redraws=False).number == 1
    found = run(sqlite_home, trail)
    assert (found.openings, found.unexplained) == (1, ())


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


def test_a_key_that_is_moved_into_another_region_is_an_alarm(home: Home, trail: Trail) -> None:
    """What is decrypted there stands in the trail of that region."""
    now = home.app.kernel.now_ms()
    asked = {"keyId": ARN, "replicaRegion": "us-west-2"}
    trail.add(now, None, eventName="ReplicateKey", requestParameters=asked)
    trail.add(now, None, eventName="ReplicateKey", requestParameters=asked, resources=[{"ARN": OTHER}])
    found = run(home, trail)
    assert ([one.key for one in found.log.taken], found.is_sound) == ([ARN], False)


def test_wrapped_bytes_that_are_moved_from_a_key_of_before_are_an_alarm(home: Home, trail: Trail) -> None:
    """A key that the ring does not name any more: what was wrapped under it is known by its context."""
    subject, now = looked_up(home)
    context = {"registry-key": "data-0123456789abcdef", "registry-context": context_digest(own(home, subject))}
    asked = {"sourceEncryptionContext": context, "destinationEncryptionContext": {}}
    trail.add(now, None, eventName="ReEncrypt", requestParameters=asked, resources=[{"ARN": OTHER}])
    assert len(run(home, trail).log.taken) == 1


def test_digests_beside_the_files_are_passed_over(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    digest = {"awsAccountId": "111122223333", "digestStartTime": "2026-11-26T04:00:00Z", "logFiles": []}
    (trail.folder / "digest.json").write_text(json.dumps(digest))
    assert run(home, trail).explained == 1


@pytest.mark.parametrize(("after", "is_repeat"), [(1_000, True), (10_000, True), (12_000, False)])
def test_a_question_that_was_sent_twice_is_an_alarm_that_says_so(
    home: Home, trail: Trail, after: int, *, is_repeat: bool
) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    trail.add(now + after, own(home, subject))
    found = run(home, trail)
    assert (found.explained, len(found.unexplained), found.is_sound) == (1, 1, False)
    assert found.repeats == (frozenset(found.unexplained) if is_repeat else frozenset())


def test_somebody_elses_question_is_no_repeat(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    trail.add(now, own(home, subject))
    trail.add(now + 1_000, own(home, subject), sourceIPAddress="192.0.2.8")
    found = run(home, trail)
    assert (len(found.unexplained), found.repeats) == (1, frozenset())


def test_the_same_question_for_another_person_is_no_repeat(home: Home, trail: Trail) -> None:
    subject, now = looked_up(home)
    other = home.enroll(person("T-0002")).subject
    trail.add(now, own(home, subject))
    trail.add(now + 1_000, own(home, other))
    assert run(home, trail).repeats == frozenset()


def test_a_time_between_two_logs_is_an_alarm(home: Home, trail: Trail, tmp_path: Path) -> None:
    """A log that begins in the middle: the file between was left out, or rotated away."""
    began = home.app.kernel.now_ms()
    trail.add(began, HEALTH_CONTEXT)
    assert run(home, trail).is_sound  # the first run follows none
    home.clock.step(7_200)
    later = Trail(tmp_path / "later")
    later.add(began + 5_400_000, HEALTH_CONTEXT)
    found = run(home, later)
    assert found.unseen == (began // 1_000 * 1_000, (began + 5_400_000) // 1_000 * 1_000)
    assert not found.is_sound
    said = home.entries()[-1].values
    assert said is not None
    assert said["detail"].startswith("not looked at ")
    assert run(home, later).is_sound  # told once: it goes on from here


def test_logs_that_overlap_join_on(home: Home, trail: Trail, tmp_path: Path) -> None:
    began = home.app.kernel.now_ms()
    trail.add(began, HEALTH_CONTEXT)
    run(home, trail)
    home.clock.step(7_200)
    trail.add(began + 5_400_000, HEALTH_CONTEXT)
    assert run(home, trail).is_sound
    home.clock.step(7_200)
    empty = Trail(tmp_path / "empty")
    assert run(home, empty).unseen is not None  # no log at all is no agreement


def test_a_log_from_the_future_vouches_for_no_time_to_come(home: Home, trail: Trail, tmp_path: Path) -> None:
    began = home.app.kernel.now_ms()
    trail.add(began, HEALTH_CONTEXT)
    trail.add(began + 86_400_000, HEALTH_CONTEXT)
    run(home, trail)
    home.clock.step(43_200)
    later = Trail(tmp_path / "later")
    later.add(began + 36_000_000, HEALTH_CONTEXT)
    assert run(home, later).unseen is not None


def test_security_administrators_and_auditors_are_told_of_alarms_alone(home: Home, trail: Trail) -> None:
    with receiving() as receiver, notifying(home, hook(home, receiver.url)) as site:
        trail.add(site.app.kernel.now_ms(), HEALTH_CONTEXT)
        run(site, trail)
        assert site.app.notices.counts() == {}
        trail.add(site.app.kernel.now_ms(), None)
        run(site, trail)
        assert site.app.notices.send_due() == SentCount(2, 0)
        entry = site.entries()[-1]
    told = [json.loads(body) for _, body in receiver.got]
    assert {(one["type"], one["data"]["recipient"], one["data"]["entry"]) for one in told} == {
        ("registry.unwraps", f"role:{role}", entry.index) for role in ("security_admin", "auditor")
    }


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
