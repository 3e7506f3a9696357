"""Enrollment, changes and imports: nothing overwritten, nothing opened without an entry, nothing done twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, InvalidInput, NotFound
from registry.domain.ids import RecordId, SubjectId, new_id
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from registry.services.enroll import Enrolled
from registry.services.idempotency import KEPT_MS, SWEPT_AT_ONCE
from registry.services.import_people import Existing, Outcome
from registry.services.kernel import UNKNOWN_PRINCIPAL
from registry.services.ports import IdempotencyRow
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import TODAY, Home, person


def shown(home: Home, subject: SubjectId) -> dict[str, dict[str, str]]:
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(subject, *Category))
    assert isinstance(answer, Disclosed)
    return {field.category: dict(field.expose()) for field in answer.fields}


def update(home: Home, enrolled: Enrolled, expected: int | None = None, **body: Any) -> Enrolled:
    changes = read_changes(body, today=TODAY)
    hr = home.caller("hr", Role.ENROLLER)
    return home.app.update.update(hr, UpdateAsk(enrolled.subject, changes, expected, TODAY))


def record_of(enrolled: Enrolled, category: Category) -> RecordId:
    return next(record.record for record in enrolled.records if record.category is category)


def run_import(home: Home, *bodies: dict[str, Any], existing: Existing = Existing.REJECT) -> list[Outcome]:
    people = [read_enrollment(body, today=TODAY) for body in bodies]
    imported = home.import_people(home.caller("hr", Role.ENROLLER), people, existing)
    return [line.outcome for line in imported.outcomes]


def test_an_answer_names_records_and_members_and_has_a_receipt(home: Home) -> None:
    enrolled = home.enroll()
    assert len(enrolled.records) == 11
    assert {record.member for record in enrolled.records} == {None, "s1", "c1"}
    assert home.entries()[-1].kind == "enroll"
    assert home.entries()[-1].index == enrolled.receipt.index


def test_the_same_number_twice_is_a_conflict_and_an_entry(home: Home) -> None:
    home.enroll()
    before = len(home.entries())
    with pytest.raises(Conflict) as conflict:
        home.enroll(person(given_name="Else"))
    assert conflict.value.code == "exists"
    entry = home.entries()[-1]
    assert len(home.entries()) == before + 1
    assert entry.values is not None
    assert entry.values["result"] == "refused exists"


def test_an_idempotency_key_gives_the_first_answer_again(home: Home) -> None:
    first = home.enroll(key="k-1")
    size = len(home.entries())
    assert home.enroll(key="k-1") == replace(first, is_replay=True)
    assert len(home.entries()) == size
    with pytest.raises(Conflict) as conflict:
        home.enroll(person(given_name="Else"), key="k-1")
    assert conflict.value.code == "key_reused"


def test_a_key_is_forgotten_after_seven_days(home: Home) -> None:
    home.enroll(key="k-1")
    home.clock.step(KEPT_MS / 1000 - 1)
    assert home.enroll(key="k-1").is_replay
    home.clock.step(2)
    with pytest.raises(Conflict) as conflict:
        home.enroll(key="k-1")
    assert conflict.value.code == "exists"  # the key tells nothing any more, the number does
    assert not home.enroll(person("T-0002"), key="k-1").is_replay
    assert home.enroll(person("T-0002"), key="k-1").is_replay


def test_keys_that_are_over_are_swept_a_few_with_every_write(home: Home) -> None:
    for number in range(5):
        home.enroll(person(f"T-1{number}"), key=f"old-{number}")
    home.clock.step(KEPT_MS / 1000 + 1)
    rows = [row(f"key {number}".encode()) for number in range(SWEPT_AT_ONCE)]
    with home.app.database.write() as work:
        for one in rows:
            work.idempotency.put(one)
        work.commit()
    home.enroll(person("T-20"), key="new-0")
    assert keys_kept(home) == 6  # twenty of the twenty-five went, one came
    home.enroll(person("T-21"), key="new-1")
    assert keys_kept(home) == 2


def row(key_tag: bytes) -> IdempotencyRow:
    return IdempotencyRow(UNKNOWN_PRINCIPAL, key_tag.ljust(16), bytes(16), "{}", created_at=0)


def keys_kept(home: Home) -> int:
    return int(home.sql().execute("SELECT count(*) FROM idempotency").fetchone()[0])


def test_only_enrollers_enroll(home: Home) -> None:
    reader = home.caller("reader", Role.READER)
    with pytest.raises(AccessDenied):
        home.app.enroll.enroll(reader, read_enrollment(person(), today=TODAY))
    assert home.entries()[-1].kind == "deny"


def test_a_new_value_is_a_new_version_and_the_old_one_stays(home: Home) -> None:
    enrolled = home.enroll()
    phone = record_of(enrolled, Category.PHONE)
    after = update(home, enrolled, versions=[{"record": phone, "value": {"kind": "mobile", "number": "816-555-0199"}}])
    assert after.version == 2
    assert shown(home, enrolled.subject)["phone"]["number"] == "816-555-0199"
    with home.app.database.read() as work:
        versions = work.records.versions_of([phone])
    assert [version.version for version in versions] == [1, 2]
    assert versions[0].valid_to == versions[1].valid_from


def test_the_same_value_makes_no_version(home: Home) -> None:
    enrolled = home.enroll()
    phone = record_of(enrolled, Category.PHONE)
    update(home, enrolled, versions=[{"record": phone, "value": {"kind": "mobile", "number": "816-555-0142"}}])
    with home.app.database.read() as work:
        assert len(work.records.versions_of([phone])) == 1


def test_a_stale_version_is_refused(home: Home) -> None:
    enrolled = home.enroll()
    update(home, enrolled, 1, title="Warden")
    with pytest.raises(Conflict) as conflict:
        update(home, enrolled, 1, title="Keeper")
    assert conflict.value.code == "changed"


def test_a_bad_value_changes_nothing(home: Home) -> None:
    enrolled = home.enroll()
    phone = record_of(enrolled, Category.PHONE)
    with pytest.raises(InvalidInput):
        update(home, enrolled, title="Warden", versions=[{"record": phone, "value": {"kind": "mobile", "number": "1"}}])
    with home.app.database.read() as work:
        assert work.subjects.by_ids([enrolled.subject])[enrolled.subject].version == 1


def test_names_are_opened_under_an_entry_and_search_follows_them(home: Home) -> None:
    enrolled = home.enroll()
    update(home, enrolled, family_name="Stillwater")
    kinds = [entry.kind for entry in home.entries()[-2:]]
    assert kinds == ["open", "update"]
    reader = home.caller("reader", Role.READER)
    search = home.app.search
    assert not search.search(reader, search.by_name("Dana", "Brightwater")).hits
    (hit,) = search.search(reader, search.by_name("dana", "STILLWATER")).hits
    assert hit.expose()["title"] == "Ranger"


def test_marks_have_a_history_and_decide_at_once(home: Home) -> None:
    enrolled = home.enroll()
    reader = home.caller("reader", Role.READER)
    phone = record_of(enrolled, Category.PHONE)
    update(home, enrolled, marks=[{"record": phone, "confidentiality": "sealed", "basis": "HR policy 12"}])
    answer = home.disclose(reader, home.ask(enrolled.subject, Category.PHONE))
    assert not isinstance(answer, Disclosed)
    assert [entry.kind for entry in home.entries()[-3:]] == ["mark", "update", "request"]


def test_an_ended_record_is_shown_no_more(home: Home) -> None:
    enrolled = home.enroll()
    update(home, enrolled, ends=[{"record": record_of(enrolled, Category.PHONE)}])
    assert "phone" not in shown(home, enrolled.subject)


def test_new_members_and_records(home: Home) -> None:
    enrolled = home.enroll()
    update(
        home,
        enrolled,
        add_family=[{"ref": "c2", "relation": "child", "given_name": "Noor", "family_name": "Brightwater"}],
        add_records=[
            {"category": "school", "member": "c2", "value": {"name": "Alder Grove Middle School"}},
            {"category": "phone", "value": {"kind": "home", "number": "816-555-0143"}},
        ],
    )
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(enrolled.subject, Category.SCHOOL))
    assert isinstance(answer, Disclosed)
    assert {field.member for field in answer.fields} == {"c1", "c2"}
    with pytest.raises(InvalidInput) as refused:
        update(
            home,
            enrolled,
            add_family=[{"ref": "c2", "relation": "child", "given_name": "No", "family_name": "One"}],
        )
    assert refused.value.problems[0].code == "exists"


def test_an_unknown_subject_is_not_found_and_an_entry(home: Home) -> None:
    enrolled = home.enroll()
    nobody = Enrolled(SubjectId(new_id()), 1, (), enrolled.receipt)
    with pytest.raises(NotFound):
        update(home, nobody, title="Warden")
    entry = home.entries()[-1]
    assert entry.values is not None
    assert entry.values["result"] == "not_found"


def test_an_import_tells_created_unchanged_exists_and_updated(home: Home) -> None:
    one, two = person("T-1"), person("T-2", given_name="Lee")
    assert run_import(home, one, two) == [Outcome.CREATED, Outcome.CREATED]
    size = len(home.entries())
    assert run_import(home, two, one) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert len(home.entries()) == size + 1
    changed = person("T-1", title="Warden")
    assert run_import(home, changed) == [Outcome.EXISTS]
    assert home.entries()[-1].values is not None
    assert home.entries()[-1].values["result"] == "refused exists 1 unchanged 0"  # type: ignore[index]  # checked above
    assert run_import(home, changed, existing=Existing.UPDATE) == [Outcome.UPDATED]
    assert run_import(home, changed) == [Outcome.UNCHANGED]


def test_one_number_twice_in_a_batch_is_taken_in_order(home: Home) -> None:
    one = person("T-1")
    assert run_import(home, one, one, person("T-1", title="Warden")) == [
        Outcome.CREATED,
        Outcome.UNCHANGED,
        Outcome.EXISTS,
    ]


def test_a_replaced_document_pairs_values_by_slot(home: Home) -> None:
    run_import(home, person("T-1"))
    records = person()["records"]
    moved = [
        {"category": "home_address", "value": {"line": "88 Quarry Rd, Fairhollow, MO 64999"}},
        *[record for record in records if record["category"] not in ("home_address", "health")],
    ]
    assert run_import(home, person("T-1", records=moved), existing=Existing.UPDATE) == [Outcome.UPDATED]
    with home.app.database.read() as work:
        row = work.subjects.by_number_tags([home.app.kernel.number_tag("T-1")]).popitem()[1]
        rows = {record.category: record for record in work.records.of_subjects([row.id])}
    assert rows[Category.HOME_ADDRESS].field.version == 2
    assert rows[Category.SSN].field.version == 1
    assert rows[Category.HEALTH].state == "ended"
    assert shown(home, row.id)["home_address"]["line"] == "88 Quarry Rd, Fairhollow, MO 64999"
