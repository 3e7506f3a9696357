"""Tags of values and documents go under the index's other secret with its postings, on both engines.

Who has the index key, which is never exchanged, and the database tries values against them: that ends with a change of
the index. What the tags are there for does not: the same value is known again before, while and after it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from registry.bootstrap import Application, open_application, rebuild_index, rekey_index
from registry.crypto.tag_seal import TagSeal
from registry.domain.errors import Contended, KeyUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.keys.opening import load_keyring
from registry.services import index_change as service
from registry.services.import_people import Existing, Outcome
from registry.services.index_change import COPYING, MAKING, REMOVING, SEALING, IndexChange
from registry.services.key_changes import REKEY, command_of
from registry.services.values import subject_tag
from registry.storage.roles import APPLICATION, ERASURE
from registry.text.intake import canonical_document, read_enrollment
from registry.vault.blind_index import BlindIndex
from registry.vault.generations import Generation
from tests.functional.services.homes import TODAY, Home, person
from tests.functional.services.keepers import keeping
from tests.functional.services.test_erase import erase, update
from tests.functional.services.test_rekey_index import at, stop

KEEPER = "registry_tag_keeper"
WHO = "local:somebody"
SSNS = [f"741-12-{number:04}" for number in range(3400, 3500)]
SEALED = {"value": "SELECT value_tag, tag_generation FROM record_versions"}
SEALED["content"] = "SELECT content_tag, content_generation FROM subjects"


@dataclass
class Kept:
    """A registry that serves, and another process that changes its index."""

    home: Home
    keeper: Application
    made: Callable[[Application], IndexChange]

    @property
    def index(self) -> IndexChange:
        return self.made(self.keeper)

    def run(self, **how: Any) -> service.Changed:
        return self.index.run(operator=WHO, **how)

    def restart(self) -> None:
        settings = self.home.app.settings
        self.home.app.close()
        self.home.app = open_application(settings, self.home.clock)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PEOPLE_AT_ONCE", 2)
    monkeypatch.setattr(service, "AT_ONCE", 40)
    monkeypatch.setattr(service, "SEALED_AT_ONCE", 1)


@pytest.fixture(params=[rekey_index, rebuild_index], ids=lambda made: made.__name__)
def kept(request: pytest.FixtureRequest, home: Home) -> Iterator[Kept]:
    with keeping(request, home, (KEEPER, f"{APPLICATION}, {ERASURE}"), both=True) as keeper:
        yield Kept(home, keeper, request.param)


def tags(home: Home, what: str) -> list[tuple[bytes, int]]:
    return [(bytes(row[0]), int(row[1])) for row in home.sql().execute(SEALED[what]).fetchall()]


def generations(home: Home) -> set[int]:
    return {under for what in SEALED for _, under in tags(home, what)}


def thief(home: Home) -> BlindIndex:
    """Return what somebody makes of a copy of the index key; no other key is theirs."""
    ring = load_keyring(home.app.settings.keys, home.app.settings.custody)
    try:
        return BlindIndex.of(ring.secret("index"))
    finally:
        ring.close()


def guessed(home: Home, subject: SubjectId) -> list[str]:
    """Try numbers, and a whole document, against the tags of a nameless subject: what a thief finds out."""
    index, stored = thief(home), {tag for what in SEALED for tag, _ in tags(home, what)}
    found = [
        number for number in SSNS if subject_tag(index, subject, "value", ["ssn", "", [("number", number)]]) in stored
    ]
    document = canonical_document(read_enrollment(person("T-0001"), today=TODAY))
    return found + (["document"] if index.tag("enrollment", document) in stored else [])


def imported(home: Home, *bodies: dict[str, Any]) -> list[Outcome]:
    people = [read_enrollment(body, today=TODAY) for body in bodies]
    done = home.import_people(home.caller("hr", Role.ENROLLER), people, Existing.UPDATE)
    return [one.outcome for one in done.outcomes]


def versions(home: Home) -> int:
    return len(tags(home, "value"))


def other_phone(number: str, phone: str) -> dict[str, Any]:
    body = person(number)
    body["records"][1] = {"category": "phone", "value": {"kind": "mobile", "number": phone}}
    return body


def test_who_has_the_index_key_and_the_database_guesses_nothing_after_it(kept: Kept) -> None:
    home = kept.home
    subject = home.enroll(person("T-0001")).subject
    update(home, home.enroll(person("T-0002")), given_name="Wrenna")
    assert guessed(home, subject) == ["741-12-3456", "document"]
    before = {tag for what in SEALED for tag, _ in tags(home, what)}
    kept.run()
    assert guessed(home, subject) == []
    after = {tag for what in SEALED for tag, _ in tags(home, what)}
    assert not after & before
    assert len(after) == len(before)
    # Nor what is stored from now on, by a process that has not seen the change.
    home.enroll(person("T-0003"))
    update(home, home.enroll(person("T-0004")), given_name="Wrenna")
    imported(home, other_phone("T-0001", "816-555-0199"))
    assert guessed(home, subject) == []
    assert generations(home) == {2}


def test_a_second_and_third_change_take_them_along(kept: Kept) -> None:
    home = kept.home
    body = person("T-0001")
    subject = home.enroll(body).subject
    seen = {tag for what in SEALED for tag, _ in tags(home, what)}
    for number in (2, 3, 4):
        kept.run()
        now = {tag for what in SEALED for tag, _ in tags(home, what)}
        assert not now & seen
        seen |= now
        assert generations(home) == {number}
        assert kept.index.standing().tags == number
        assert guessed(home, subject) == []
        count = versions(home)
        assert imported(home, body) == [Outcome.UNCHANGED]
        assert versions(home) == count


STEPS = [
    pytest.param("first", 1, id="begun"),
    pytest.param(SEALING, 2, id="sealing"),
    pytest.param(REMOVING, 1, id="removing"),
]


def first_of(kept: Kept, step: str) -> str:
    return step if step != "first" else COPYING if kept.made is rekey_index else MAKING


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_the_same_value_is_known_again_meanwhile_and_another_one_is_a_new_version(
    kept: Kept, step: str, number: int
) -> None:
    home = kept.home
    for place in range(1, 6):
        home.enroll(person(f"T-{place:04}"))
    done: list[str] = []

    def act() -> None:
        for place in range(1, 6):
            count = versions(home)
            assert imported(home, person(f"T-{place:04}")) == [Outcome.UNCHANGED]
            assert versions(home) == count
            changed = other_phone(f"T-{place:04}", f"816-555-01{place:02}")
            assert imported(home, changed) == [Outcome.UPDATED]
            assert versions(home) == count + 1
            assert imported(home, changed) == [Outcome.UNCHANGED]
        assert imported(home, person("T-0006")) == [Outcome.CREATED]
        done.append("yes")

    kept.run(told=at(first_of(kept, step), number, act))
    assert done == ["yes"]
    assert generations(home) == {2}
    for place in range(1, 6):
        count = versions(home)
        assert imported(home, other_phone(f"T-{place:04}", f"816-555-01{place:02}")) == [Outcome.UNCHANGED]
        body = other_phone(f"T-{place:04}", f"816-555-01{place:02}") | {"title": "Warden"}
        assert imported(home, body) == [Outcome.UPDATED]
        assert versions(home) == count
    home.app.row_check.check()


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_what_was_cut_off_goes_on(kept: Kept, step: str, number: int) -> None:
    home = kept.home
    subjects = [home.enroll(person(f"T-{place:04}")).subject for place in range(1, 5)]
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(first_of(kept, step), number, stop))
    erase(home, subjects.pop())
    assert kept.index.standing().next_step
    kept.run()
    assert generations(home) == {2}
    assert kept.index.standing().next_step == ""
    assert [guessed(home, one) for one in subjects] == [[], [], []]
    assert imported(home, *(person(f"T-{place:04}") for place in range(1, 4))) == [Outcome.UNCHANGED] * 3


def test_erased_people_leave_no_tag(kept: Kept) -> None:
    home = kept.home
    subjects = [home.enroll(person(f"T-{place:04}")).subject for place in range(1, 4)]
    kept.run(told=at(SEALING, 1, lambda: erase(home, subjects[0])))
    for subject in subjects[1:]:
        erase(home, subject)
    assert [tags(home, what) for what in SEALED] == [[], []]


def test_who_loses_a_member_has_another_document_s_tag_sealed_like_any(kept: Kept) -> None:
    home = kept.home
    subject = home.enroll(person("T-0001")).subject
    kept.run()
    ((before, _),) = tags(home, "content")
    erase(home, subject, member="c1")
    ((after, under),) = tags(home, "content")
    with home.app.database.read() as work:
        assert work.kept_tags.opened(after, under) == home.app.kernel.index.tag("enrollment-changed", before)
    assert under == 2


def rekeyed_by_an_earlier_version(kept: Kept, number: str) -> SubjectId:
    """Leave what a version leaves that took only postings along: tags as they were made."""
    subject = kept.home.enroll(person(number)).subject
    sql = kept.home.sql()
    values = sql.execute("SELECT record, version, value_tag FROM record_versions").fetchall()
    contents = sql.execute("SELECT id, content_tag FROM subjects").fetchall()
    kept.run()
    for record, version, tag in values:
        sql.execute(
            "UPDATE record_versions SET value_tag = ?, tag_generation = 1 WHERE record = ? AND version = ?",
            (bytes(tag), record, version),
        )
    for one, tag in contents:
        sql.execute("UPDATE subjects SET content_tag = ?, content_generation = 1 WHERE id = ?", (bytes(tag), one))
    sql.execute("DELETE FROM index_tags")
    return subject


def test_a_registry_whose_index_an_earlier_version_changed_is_told_and_mended(kept: Kept) -> None:
    home = kept.home
    subject = rekeyed_by_an_earlier_version(kept, "T-0001")
    assert guessed(home, subject) == ["741-12-3456", "document"]
    now = kept.index.standing()
    assert (now.generation, now.tags) == (2, 1)
    assert now.next_step == f"tags of values stand under a former secret; run: {command_of(REKEY)}"
    count = versions(home)
    assert imported(home, person("T-0001")) == [Outcome.UNCHANGED]
    assert imported(home, person("T-0001", title="Warden")) == [Outcome.UPDATED]
    assert versions(home) == count
    kept.run()
    assert guessed(home, subject) == []
    assert (generations(home), kept.index.standing().next_step) == ({3}, "")


def test_a_tag_whose_secret_is_gone_is_that_of_no_value(kept: Kept) -> None:
    home = kept.home
    home.enroll(person("T-0001"))
    kept.run()
    sql, count = home.sql(), versions(home)
    sql.execute("UPDATE record_versions SET tag_generation = 9")
    sql.execute("UPDATE subjects SET content_generation = 9")
    assert imported(home, person("T-0001")) == [Outcome.UPDATED]
    assert versions(home) == 2 * count
    assert imported(home, person("T-0001")) == [Outcome.UNCHANGED]


def test_whoever_seals_by_what_was_loses_the_transaction_and_is_run_again(kept: Kept) -> None:
    """Else a tag would stand under a secret that is destroyed, or under the index key alone, for good."""
    home = kept.home
    home.enroll(person("T-0001"))
    with home.app.database.write() as work:
        subject = next(iter(work.subjects.by_number_tags([home.app.kernel.number_tag("T-0001")]).values()))
        work.subjects.update(subject, 1)
        work.commit()
    kept.run()
    with home.app.database.write() as work:
        work.subjects.update(subject, 1)
        with pytest.raises(Contended):
            work.commit()
    with home.app.database.write() as work:
        work.subjects.update(subject, 1)
        work.commit()
    assert generations(home) == {2}


def test_who_stored_nothing_for_two_changes_needs_no_secret_that_no_longer_opens(kept: Kept) -> None:
    """Its key may have been exchanged and destroyed meanwhile: nobody could be enrolled until a restart."""
    home = kept.home
    home.enroll(person("T-0001"))
    kept.run()
    home.enroll(person("T-0002"))
    kept.run()

    def opener(generation: Generation) -> TagSeal | None:
        if generation.number == 2:
            raise KeyUnavailable("the key that wrapped it is gone")
        return home.app.kernel.index.tag_seal(generation)

    home.app.database.open_tags_with(opener)
    home.enroll(person("T-0003"))
    assert generations(home) == {3}


def test_while_a_secret_cannot_be_opened_nothing_is_stored_and_afterwards_it_is(kept: Kept) -> None:
    home = kept.home
    home.enroll(person("T-0001"))
    kept.run()

    def unavailable(generation: Generation) -> TagSeal | None:
        raise KeyUnavailable(f"generation {generation.number}")

    home.app.database.open_tags_with(unavailable)
    for _ in range(2):
        with pytest.raises(KeyUnavailable):
            home.enroll(person("T-0002"))
    assert len(tags(home, "content")) == 1
    home.app.database.open_tags_with(home.app.kernel.index.tag_seal)
    home.enroll(person("T-0002"))
    assert generations(home) == {2}


def test_what_tells_of_the_tags_cannot_be_changed(kept: Kept) -> None:
    kept.home.enroll(person("T-0001"))
    kept.run()
    kept.home.sql().execute("UPDATE index_tags SET k = 3")
    with pytest.raises(LedgerCorrupt):
        kept.index.standing()


def test_a_process_that_starts_after_it_knows_values_again(kept: Kept) -> None:
    kept.home.enroll(person("T-0001"))
    kept.run()
    kept.restart()
    count = versions(kept.home)
    assert imported(kept.home, person("T-0001", title="Warden")) == [Outcome.UPDATED]
    assert versions(kept.home) == count


def test_the_files_hold_no_former_tag(sqlite_home: Home) -> None:
    home = sqlite_home
    for place in range(1, 30):
        home.enroll(person(f"T-{place:04}"))
    before = {tag for what in SEALED for tag, _ in tags(home, what)}
    assert rekey_index(home.app).run(operator=WHO).is_clean
    content = b"".join(path.read_bytes() for path in home.app.settings.home.glob("registry.db*"))
    assert not [tag for tag in before if tag in content]
