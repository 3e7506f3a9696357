"""Digests: subjects are told once a day how often they were looked up; reviews that are late are told once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.break_glass import Emergency
from registry.services.digests import Digests
from registry.services.kernel import Caller
from registry.services.principals import Grant
from registry.services.send_notices import SentCount
from registry.storage.unit_of_work import SqlWork
from tests.functional.services.homes import ISSUER, Home, person
from tests.functional.services.receivers import VALUES, Receiver, hook, notifying, receiving

DAY = 86_400
MAIL = Purpose(PurposeCode("official_mail"), "MAIL-1", "yearly letters")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as told:
        yield told


def in_unit(home: Home, name: str, unit: str) -> Caller:
    home.app.principals.ensure(Grant(ISSUER, name, frozenset({Role.READER}), None, unit), operator="local:test")
    return home.caller(name, Role.READER)


def digests(receiver: Receiver) -> list[dict[str, Any]]:
    told = [json.loads(body) for _, body in receiver.got]
    return [one["data"] for one in told if one["type"] == "registry.digest"]


def counts(data: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one["purpose"], one["unit"], one["number"]) for one in data["counts"]]


def next_day(home: Home) -> int:
    home.clock.step(DAY)
    return home.app.digests.make_due()


def test_a_subject_is_told_of_a_day_once_by_purpose_and_unit(home: Home, receiver: Receiver) -> None:
    earlier = home.enroll().subject
    home.disclose(home.caller("earlier", Role.READER), home.ask(earlier, Category.PHONE))
    with notifying(home, hook(home, receiver.url)) as site:
        assert site.app.digests.make_due() == 0  # begins here: what was before is told to nobody
        other = site.enroll(person("T-0002")).subject
        desk, patrol = in_unit(site, "desk", "Benefits"), in_unit(site, "patrol", "Patrol")
        for caller, subject, changes in (
            (desk, earlier, {"purpose": MAIL}),
            (desk, earlier, {"purpose": MAIL}),
            (patrol, earlier, {}),
            (desk, other, {"purpose": MAIL}),
        ):
            site.disclose(caller, site.ask(subject, Category.HOME_ADDRESS, **changes))
        site.disclose(site.caller("auditor", Role.AUDITOR), site.ask(earlier, Category.PHONE))  # refused
        own = site.caller("own", Role.SUBJECT, number="T-0001")
        site.disclose(own, site.ask(earlier, Category.PHONE, purpose=None))
        assert site.app.digests.make_due() == 0  # the day is not over
        assert next_day(site) == 2
        assert site.app.digests.make_due() == 0
        site.app.notices.send_due()
        (entry,) = [one for one in site.entries() if one.kind == "digest"]
        assert "people 2" in (entry.values or {})["detail"]
        assert next_day(site) == 0
    by_subject = {data["recipient"]: data for data in digests(receiver)}
    assert set(by_subject) == {f"subject:{earlier}", f"subject:{other}"}
    told = by_subject[f"subject:{earlier}"]
    assert counts(told) == [("official_mail", "Benefits", 2), ("safety", "Patrol", 1)]
    assert told["entry"] == entry.index
    assert counts(by_subject[f"subject:{other}"]) == [("official_mail", "Benefits", 1)]
    bodies = b" ".join(body for _, body in receiver.got).decode()
    assert not [value for value in (*VALUES, "MAIL-1", "yearly") if value in bodies]


def test_a_digest_is_made_once_by_several_processes_and_not_lost_by_a_kill(home: Home, receiver: Receiver) -> None:
    settings = hook(home, receiver.url)
    with notifying(home, settings) as site:
        site.app.digests.make_due()
        site.disclose(in_unit(site, "desk", "Benefits"), site.ask(site.enroll().subject, Category.PHONE))
        site.clock.step(DAY)
    child = os.fork()
    if child == 0:
        with notifying(home, settings) as killed:
            SqlWork.commit = lambda _work: os.kill(os.getpid(), 9)  # type: ignore[method-assign]  # killed where it matters
            killed.app.digests.make_due()
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == 9
    with notifying(home, settings) as one, notifying(home, settings) as other:
        mark = one.app.digests._kernel
        assert mark is not other.app.digests._kernel
        assert sorted([one.app.digests.make_due(), other.app.digests.make_due()]) == [0, 1]
        one.app.notices.send_due()
        assert [entry.kind for entry in one.entries()].count("digest") == 1
    assert len(digests(receiver)) == 1


def test_who_came_second_finds_the_mark_of_the_first(
    home: Home, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have counted before either writes."""
    with notifying(home, hook(home, receiver.url)) as site:
        site.app.digests.make_due()
        site.disclose(in_unit(site, "desk", "Benefits"), site.ask(site.enroll().subject, Category.PHONE))
        site.clock.step(DAY)
        counted = Digests._counted

        def first(digests: Digests, *given: Any) -> Any:
            found = counted(digests, *given)
            monkeypatch.setattr(Digests, "_counted", counted)
            assert site.app.digests.make_due() == 1
            return found

        monkeypatch.setattr(Digests, "_counted", first)
        assert site.app.digests.make_due() == 0


def test_without_a_way_out_nothing_is_counted(home: Home) -> None:
    assert home.app.digests.make_due() == 0
    assert home.sql().execute("SELECT count(*) FROM notice_marks").fetchone()[0] == 0


def test_late_reviews_are_told_once(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        subject = site.enroll().subject
        emergency = Emergency(subject, None, frozenset({Category.PHONE}), "Threat called in, officers on their way")
        _, receipt = site.app.break_glass.open(site.caller("reader", Role.READER), emergency)
        assert site.app.digests.make_due() == 0
        site.clock.step(site.app.kernel.rules.review_ms / 1000 + 1)
        assert site.app.digests.make_due() == 2
        assert site.app.digests.make_due() == 0
        site.app.notices.send_due()
    told = [json.loads(body) for _, body in receiver.got]
    late = [one["data"] for one in told if one["type"] == "registry.break_glass_review_due"]
    assert [data["recipient"] for data in sorted(late, key=str)] == ["role:approver", "role:auditor"]
    assert {data["entry"] for data in late} == {receipt.index}


def test_a_search_by_a_decoys_value_and_an_emergency_for_one_are_told(home: Home, receiver: Receiver) -> None:
    with notifying(home, hook(home, receiver.url)) as site:
        subject = site.enroll().subject
        site.app.decoys.add(site.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
        value = site.app.search.by_value(Category.PHONE, {"kind": "mobile", "number": "816-555-0142"})
        site.app.search.search(site.caller("investigator", Role.INVESTIGATOR), value)
        emergency = Emergency(subject, None, frozenset({Category.PHONE}), "Threat called in, officers on their way")
        site.app.break_glass.open(site.caller("reader", Role.READER), emergency)
        assert site.app.notices.send_due().failed == 0
    kinds = [json.loads(body)["type"] for _, body in receiver.got]
    assert kinds.count("registry.alarm") == 2
    assert SentCount() == SentCount(0, 0)
