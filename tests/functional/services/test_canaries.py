"""Canaries through the real flow: served with digits of their own, committed, leaked, found, read blindly, told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import open_application
from registry.domain.categories import Category
from registry.domain.errors import Conflict
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TierLabel, TraceReport
from registry.marks.canaries import Canaries
from registry.policy.decide import Form
from registry.reports.as_html import render_html
from registry.reports.as_json import report_document
from registry.reports.as_pdf import render_pdf
from registry.services.disclose import Disclosed
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk, Traced
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import report as told_by
from registry.transparency.offline.verify_bundle import verify
from tests.functional.services.homes import Home, person

CANARIES = Canaries(("200301", "81655501"))
RESERVED, OWNED = "816-555-0100", "200-301-0000"


@contextmanager
def with_canaries(home: Home, canaries: Canaries = CANARIES) -> Iterator[Home]:
    """Serve the registry of a home a second time, with ranges for canaries."""
    opened = Home(open_application(replace(home.app.settings, canaries=canaries), home.clock), home.clock)
    try:
        yield opened
    finally:
        opened.close()


def enrolled(home: Home, number: str, phone: str) -> SubjectId:
    line = f"{1000 + int(number[-2:])} Larkspur Ave, Fairhollow, MO 64999"
    records = [
        {"category": "home_address", "value": {"line": line}},
        {"category": "phone", "value": {"kind": "mobile", "number": phone}},
    ]
    body = person(number, given_name=f"Dana{number[-2:]}", family=[], records=records)
    return home.enroll(body).subject


def canary(home: Home, number: str, phone: str) -> SubjectId:
    subject = enrolled(home, number, phone)
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), [number])
    return subject


def number_shown(home: Home, who: Caller, subject: SubjectId, form: Form = Form.MARKED) -> str:
    """Return the ten digits that somebody is shown."""
    answer = home.disclose(who, home.ask(subject, Category.PHONE, form=form))
    assert isinstance(answer, Disclosed)
    return re.sub(r"\D", "", answer.fields[0].expose()["number"])[-10:]


def readers(home: Home, count: int) -> list[Caller]:
    return [home.caller(f"reader {number}", Role.READER) for number in range(count)]


def traced(home: Home, text: str) -> Traced:
    home.clock.step(60)
    published = home.clock.now()
    home.clock.step(60)
    return home.app.trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk(text, published_at=published))


def bounds(report: TraceReport) -> dict[str, float]:
    assert report.marks is not None
    return {one.label: one.evidence.bound for one in report.marks.copies}


def test_each_account_is_shown_digits_of_its_own_and_the_same_ones_again(home: Home) -> None:
    with with_canaries(home) as opened:
        subject = canary(opened, "T-0001", OWNED)
        shown = [number_shown(opened, reader, subject) for reader in readers(opened, 6)]
        assert len(set(shown)) >= 5  # two of six have the same of 9,000 once in 600 times
        assert all(one.startswith("200301") and one[-1] != "0" for one in shown)
        machine = number_shown(opened, opened.caller("machine", Role.READER), subject, Form.AS_ENTERED)
        assert machine == "2003010000"


def test_never_a_real_residents(home: Home) -> None:
    """With the very number of a canary, but nobody's decoy; and a decoy with a number of no range."""
    with with_canaries(home) as opened:
        resident = enrolled(opened, "T-0001", RESERVED)
        decoy = enrolled(opened, "T-0002", "400-240-0100")
        other = enrolled(opened, "T-0003", "816-555-0142")
        assert {number_shown(opened, one, resident) for one in readers(opened, 5)} == {"8165550100"}
        assert {number_shown(opened, one, other) for one in readers(opened, 5)} == {"8165550142"}
        with pytest.raises(Conflict, match="canary_number_in_use"):
            opened.app.decoys.add(opened.caller("admin", Role.SECURITY_ADMIN), ["T-0002"])
        assert opened.entries()[-1].kind == Kind.DECOY
    with with_canaries(home, Canaries(("200301",))) as opened:
        opened.app.decoys.add(opened.caller("admin", Role.SECURITY_ADMIN), ["T-0002"])
        assert {number_shown(opened, one, decoy) for one in readers(opened, 5)} == {"4002400100"}


def test_a_residents_number_beside_a_canarys_is_not_taken_for_it(home: Home) -> None:
    with with_canaries(home, Canaries(("200301",))) as opened:
        enrolled(opened, "T-0001", OWNED)
        text = "Dana01 Brightwater, 1001 Larkspur Ave, Fairhollow, MO 64999, ring 200-301-0042"
        report = traced(opened, text).stored.report
        assert [one.found.category for person in report.people for one in person.findings] == [Category.HOME_ADDRESS]


def test_a_leaked_number_of_a_canary_points_at_the_copy_that_has_it(home: Home) -> None:
    with with_canaries(home) as opened:
        subject = canary(opened, "T-0001", OWNED)
        shown = [number_shown(opened, reader, subject) for reader in readers(opened, 5)]
        text = f"they live at ... call {shown[2]} any time"  # typed anew, in nobody's writing
        report = traced(opened, text).stored.report
        assert report.marks is not None
        (found,) = report.marks.canaries
        assert found.accounts == ("Account 3",)
        assert (found.evidence.numbers, found.evidence.compared, found.evidence.is_as_enrolled) == (9_000, 5, False)
        least = bounds(report)
        assert least["Account 3"] < 0.002
        assert all(bound > 0.05 for label, bound in least.items() if label != "Account 3")
        assert report.tier.label in (TierLabel.LEAD, TierLabel.STRONG)
        told = " ".join(report.summary)
        assert "F1 is the number of a canary. The text has the digits that were drawn for Account 3" in told
        assert "one of 9000 equally likely numbers" in told
        assert "By which values they were served alone, 5 accounts cannot be distinguished" in told
        for page in (render_html(report), json.dumps(report_document(report))):
            assert "canary" in page or "canaries" in page
        assert render_pdf(report).startswith(b"%PDF")


def test_the_enrolled_number_speaks_for_no_account(home: Home) -> None:
    with with_canaries(home) as opened:
        subject = canary(opened, "T-0001", OWNED)
        for reader in readers(opened, 4):
            number_shown(opened, reader, subject)
        report = traced(opened, f"call {OWNED}").stored.report
        assert report.marks is not None
        (found,) = report.marks.canaries
        assert (found.evidence.is_as_enrolled, found.accounts) == (True, ())
        assert all(bound > 0.05 for bound in bounds(report).values())
        assert "the database, a backup" in " ".join(report.summary)


def test_digits_that_nobody_was_shown_flag_nobody(home: Home) -> None:
    with with_canaries(home) as opened:
        subject = canary(opened, "T-0001", OWNED)
        shown = {number_shown(opened, reader, subject) for reader in readers(opened, 4)}
        made_up = next(one for one in ("2003013719", "2003018264") if one not in shown)
        report = traced(opened, f"call {made_up}").stored.report
        assert report.marks is not None
        assert report.marks.canaries[0].accounts == ()
        assert report.tier.label in (TierLabel.NONE, TierLabel.LEAD)
        assert all(one.evidence.tier == TierLabel.NONE for one in report.marks.copies)


def test_copies_from_before_it_was_a_canary_say_nothing_and_are_not_called_broken(home: Home) -> None:
    with with_canaries(home) as opened:
        subject = enrolled(opened, "T-0001", OWNED)
        early, *late = readers(opened, 3)
        assert number_shown(opened, early, subject) == "2003010000"
        opened.app.decoys.add(opened.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
        shown = [number_shown(opened, one, subject) for one in late]
        report = traced(opened, f"call {shown[0]}").stored.report
        assert report.gaps == ()
        assert set(bounds(report)) == {"Account 2", "Account 3"}
        opened.app.decoys.remove(opened.caller("admin", Role.SECURITY_ADMIN), ["T-0001"])
        later = traced(opened, f"call {OWNED}").stored.report
        assert later.gaps == ()  # nor is what was drawn for a canary, when it is one no more


def test_an_outsider_computes_a_canarys_figures_anew(home: Home) -> None:
    with with_canaries(home) as opened:
        subjects = [canary(opened, f"T-{number:04}", phone) for number, phone in enumerate((OWNED, RESERVED))]
        shown = {}
        for reader in readers(opened, 4):
            ask = opened.ask(None, Category.PHONE, form=Form.MARKED)
            batch = [(reader, replace(ask, subject=subject)) for subject in subjects]
            answers = opened.app.disclose.disclose_many(batch)
            shown[reader] = [one.fields[0].expose()["number"] for one in answers if isinstance(one, Disclosed)]
        leaked = list(shown.values())[1]
        run = traced(opened, "\n".join(leaked))
        assert run.stored.report.tier.label in (TierLabel.STRONG, TierLabel.ATTRIBUTED)
        investigator = opened.caller("investigator", Role.INVESTIGATOR)
        bundle = opened.app.trace.evidence(
            investigator, run.trace, opened.app.evidence, lambda _: {"report.txt": b"a report\n"}
        )
        verdict = verify(bundle, format_vkey(opened.app.verifier_key))
        assert verdict.problems == []
        (anew,) = verdict.marks
        assert run.stored.report.marks is not None
        (accused,) = [one for one in run.stored.report.marks.copies if one.label == anew["label"]]
        for name in ("e", "p", "bound"):
            assert anew[name] == pytest.approx(getattr(accused.evidence, name), rel=1e-9)
        assert anew["slots"] == accused.evidence.slots >= 6
        assert "computed anew" in told_by(verdict)
        opened.app.trace.open_draws(investigator, run.trace, "asked for by counsel")
        whole = opened.app.trace.evidence(
            investigator, run.trace, opened.app.evidence, lambda _: {"report.txt": b"a report\n"}
        )
        again = verify(whole, format_vkey(opened.app.verifier_key))
        assert again.problems == []
        assert len(again.marks) == 4
