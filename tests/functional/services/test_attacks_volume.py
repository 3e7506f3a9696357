"""A clerk who stuffs somebody's record must not make their lookups or traces fail."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.errors import InvalidInput
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services import match, update
from registry.services.disclose import Disclosed
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes
from tests.functional.services.homes import TODAY, Home


def change(home: Home, subject: SubjectId, **body: Any) -> None:
    ask = UpdateAsk(subject, read_changes(body, today=TODAY), None, TODAY)
    home.app.update.update(home.caller("hr", Role.ENROLLER), ask)


def mails(number: int, count: int) -> list[dict[str, Any]]:
    return [
        {"category": "email", "value": {"address": f"m{number}.{index}@example.org"}, "confidentiality": "none"}
        for index in range(count)
    ]


def test_a_household_has_an_end_below_what_one_entry_holds(home: Home) -> None:
    subject = home.enroll().subject
    for number in range(4):
        change(home, subject, add_records=mails(number, 200))
    with pytest.raises(InvalidInput) as refused:
        change(home, subject, add_records=mails(4, 200))
    assert refused.value.problems[0].code == "too_many"
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(subject, *Category))
    assert isinstance(answer, Disclosed)
    assert 800 < len(answer.fields) <= update.MAX_ACTIVE


def test_versions_without_end_do_not_stop_a_trace(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "_LINES_PER_ENTRY", 20)
    enrolled = home.enroll()
    phone = next(line.record for line in enrolled.records if line.category is Category.PHONE)
    for number in range(30):
        value = {"kind": ("home", "mobile")[number % 2], "number": "816-555-0142"}
        change(home, enrolled.subject, versions=[{"record": phone, "value": value}])
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    matched = home.app.matcher.match(investigator, "Dana Brightwater 816-555-0142", detail="test")
    assert any(finding.category is Category.PHONE for finding in matched.matching.findings)
    assert max(len(entry.records) for entry in home.entries() if entry.kind == "open") <= 20
