"""Every refusal leaves an entry, also those between the first entry and the commit; changes of marks name the marks."""

from __future__ import annotations

from datetime import date

import pytest

from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.errors import Conflict, InvalidInput, RegistryError
from registry.domain.principals import Role
from registry.services.import_people import Existing, Outcome
from registry.services.principals import Grant
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import ISSUER, TODAY, Home, person


def newest(home: Home) -> dict[str, str]:
    entry = home.entries()[-1]
    assert entry.values is not None
    return {"kind": entry.kind, **entry.values}


def update(home: Home, subject: object, expected: int | None = None, **body: object) -> None:
    changes = read_changes(body, today=TODAY)
    hr = home.caller("hr", Role.ENROLLER)
    home.app.update.update(hr, UpdateAsk(subject, changes, expected, TODAY))  # type: ignore[arg-type]  # an id


def test_a_reused_key_is_an_entry(home: Home) -> None:
    home.enroll(key="k")
    size = len(home.entries())
    with pytest.raises(Conflict):
        home.enroll(person("T-0002"), key="k")
    assert len(home.entries()) == size + 1
    assert newest(home)["result"] == "refused key_reused"


def test_an_edited_outcome_of_a_key_is_not_replayed(home: Home) -> None:
    home.enroll(key="k")
    other = home.enroll(person("T-0002"), key="l").subject
    sql = home.sql()
    sql.execute("UPDATE idempotency SET outcome = replace(outcome, substr(outcome, 14, 32), ?)", (other,))
    with pytest.raises(Conflict):
        home.enroll(key="k")


@pytest.mark.parametrize(
    ("body", "error", "result"),
    [
        ({"title": "Warden", "expected": 7}, Conflict, "refused changed"),
        ({"versions": [{"record": "0" * 32, "value": {"number": "1"}}]}, InvalidInput, "refused invalid"),
        ({"ends": [{"record": "1" * 32}]}, InvalidInput, "refused invalid"),
        (
            {"add_family": [{"ref": "c1", "relation": "child", "given_name": "No", "family_name": "One"}]},
            InvalidInput,
            "refused invalid",
        ),
    ],
)
def test_a_refused_update_is_an_entry(
    home: Home, body: dict[str, object], error: type[RegistryError], result: str
) -> None:
    subject = home.enroll().subject
    changes = dict(body)
    expected = changes.pop("expected", None)
    with pytest.raises(error):
        update(home, subject, expected, **changes)  # type: ignore[arg-type]  # a number or None
    told = newest(home)
    assert (told["kind"], told["result"], told["subject"]) == (Kind.UPDATE, result, subject)


def test_an_import_that_changes_nothing_is_an_entry(home: Home) -> None:
    """Else whoever may import could test guesses of a whole document unseen: only misses would be on record."""
    home.enroll()
    size = len(home.entries())
    people = [read_enrollment(person(), today=TODAY)]
    imported = home.import_people(home.caller("hr", Role.ENROLLER), people, Existing.REJECT)
    assert [line.outcome for line in imported.outcomes] == [Outcome.UNCHANGED]
    assert len(home.entries()) == size + 1
    assert "unchanged 1" in newest(home)["result"]


def test_a_mark_lowered_by_an_import_names_record_and_tier(home: Home) -> None:
    sealed = person(records=[{**record, "confidentiality": "sealed"} for record in person()["records"]])
    enrolled = home.enroll(sealed)
    phone = next(line.record for line in enrolled.records if line.category is Category.PHONE)
    assert f"{phone}=sealed" in newest(home)["detail"]
    lowered = [{**record, "confidentiality": "none"} for record in person()["records"]]
    people = [read_enrollment(person(records=lowered), today=date(2026, 3, 2))]
    home.import_people(home.caller("hr", Role.ENROLLER), people, Existing.UPDATE)
    assert f"{phone}=none" in newest(home)["detail"]


def test_records_ended_by_an_import_are_named(home: Home) -> None:
    enrolled = home.enroll()
    phone = next(line.record for line in enrolled.records if line.category is Category.PHONE)
    left = [record for record in person()["records"] if record["category"] != "phone"]
    people = [read_enrollment(person(records=left), today=TODAY)]
    home.import_people(home.caller("hr", Role.ENROLLER), people, Existing.UPDATE)
    assert phone in newest(home)["detail"]


def test_a_grant_says_whose_records_an_account_is_given(home: Home) -> None:
    """Who binds an account to somebody's number opens that person's own view to it."""
    subject = home.enroll().subject
    home.app.principals.ensure(Grant(ISSUER, "thief", frozenset({Role.SUBJECT}), "T-0001"), operator="local:test")
    told = newest(home)
    assert told["kind"] == Kind.GRANT
    assert told["subject"] == subject
