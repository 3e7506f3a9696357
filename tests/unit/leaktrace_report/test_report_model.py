"""What a report may say, must say first, and must never say."""

from __future__ import annotations

import dataclasses
import random
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from registry.domain.categories import Category
from registry.leaktrace import wording
from registry.leaktrace.copies import MASKED, held_findings, label_findings
from registry.leaktrace.outside import OUTSIDE_DEFAULTS, OutsideField
from registry.leaktrace.report_model import (
    TierLabel,
    TraceReport,
    build_report,
    digest_of_text,
    label_ranges,
)
from registry.leaktrace.report_shapes import not_held
from registry.policy.decide import Form
from tests.unit.leaktrace_report.evidence import (
    ADDRESS,
    ALPHA,
    BRAVO,
    CHARLIE,
    CLERK,
    HEALTH,
    NOON,
    OTHER,
    SCHOOL,
    evidence,
    exposure,
    found,
    question,
    served,
)

BOTH = (found(ADDRESS), found(HEALTH, spans=((50, 70),)))


def sentences(report: TraceReport) -> str:
    return "\n".join(
        (
            *report.gaps,
            report.first_line,
            report.tier.wording,
            *report.tier.reasons,
            *report.summary,
            *report.unknown,
            *report.would_change,
            *report.must_not,
        )
    )


def test_a_copy_is_not_a_person_is_the_first_line_and_never_the_sole_basis() -> None:
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 10),)))
    assert report.first_line.startswith("A copy is not a person")
    assert "sole basis" in report.first_line
    assert report.gaps == ()


def test_accounts_stand_by_first_serving_not_by_how_much_they_held() -> None:
    heavy = served(BRAVO, 50, ADDRESS, HEALTH)
    light = served(ALPHA, 10, ADDRESS)
    report = build_report(question(), evidence(BOTH, (heavy, light)))
    assert [(account.label, account.held) for account in report.accounts] == [
        ("Account 1", ("F2",)),
        ("Account 2", ("F1", "F2")),
    ]


def test_what_a_copy_held_and_did_not_hold_is_told() -> None:
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 10, ADDRESS, SCHOOL),)))
    (account,) = report.accounts
    by_kind = {item.found.kind: item.label for item in report.people[0].findings}
    assert account.held == (by_kind["home_address"],)
    assert not_held(report.labels(), account) == (by_kind["health"],)
    assert account.copies[0].other_records == 1
    assert account.copies[0].seconds_before == 90 * 3600
    assert report.unexplained == (by_kind["health"],)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ((ADDRESS, HEALTH), "The copies of all of them held every found value."),
        ((HEALTH,), "The copies of 1 of them held every found value;"),
    ],
)
def test_how_many_accounts_held_everything_is_told(second: tuple[str, ...], said: str) -> None:
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 10, ADDRESS, HEALTH), served(BRAVO, 20, *second))))
    assert any(said in sentence for sentence in report.summary)


def test_copies_after_publication_are_apart_and_never_candidates() -> None:
    late = served(BRAVO, 10, served_at=NOON + timedelta(seconds=1))
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 11), late)))
    assert [len(account.copies) for account in report.accounts] == [1]
    assert [account.label for account in report.after_publication] == ["Account 2"]
    assert report.after_publication[0].copies[0].seconds_before == -1


def test_a_copy_at_the_stated_instant_is_not_left_out() -> None:
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 10, served_at=NOON),)))
    assert len(report.accounts) == 1


def test_one_account_keeps_one_label_in_every_list() -> None:
    copies = (served(ALPHA, 10), served(ALPHA, 11, served_at=NOON + timedelta(hours=1)))
    report = build_report(question(), evidence(BOTH, copies, (exposure("enrolled by", ALPHA),)))
    assert report.accounts[0].label == report.after_publication[0].label == report.exposures[0].account == "Account 1"
    assert report.accounts[0].also == ("enrolled by",)


def test_the_enrolling_clerk_is_an_exposure_and_makes_no_reader_a_candidate() -> None:
    report = build_report(question(), evidence(BOTH, (), (exposure("enrolled by", CLERK),)))
    assert report.accounts == ()
    assert report.exposures[0].account == "Account 1"
    assert "do not explain it" in " ".join(report.summary)
    assert report.tier.label is TierLabel.NONE


def test_internal_opens_are_never_candidates() -> None:
    report = build_report(question(), evidence(BOTH, (), (exposure("internal open", CLERK),)))
    assert report.accounts == ()
    assert report.exposures == ()
    assert len(report.internal_opens) == 1


def test_own_views_are_apart_unless_the_account_was_served_others_too() -> None:
    own = served(ALPHA, 10, via="self")
    assert build_report(question(), evidence(BOTH, (own,))).accounts == ()
    assert len(build_report(question(), evidence(BOTH, (own,))).own_views) == 1
    other = served(ALPHA, 12, HEALTH)
    report = build_report(question(), evidence(BOTH, (own, other)))
    assert [copy.via for copy in report.accounts[0].copies] == ["self", "single"]


def test_only_versions_that_hold_the_value_count() -> None:
    old = found(ADDRESS, versions=(1,))
    newer = served(ALPHA, 10, records=((ADDRESS, 2, Category.HOME_ADDRESS),))
    assert build_report(question(), evidence((old,), (newer,))).accounts == ()
    assert len(build_report(question(), evidence((old,), (served(BRAVO, 10),))).accounts) == 1


def test_a_finding_without_a_record_leaves_no_holder_off() -> None:
    report = build_report(question(), evidence((found(None),), (served(ALPHA, 10), served(BRAVO, 11, subject=OTHER))))
    assert [account.label for account in report.accounts] == ["Account 1"]
    assert any("Which record F1" in line for line in report.unknown)


def test_copies_and_exposures_of_nobody_found_are_left_out() -> None:
    report = build_report(
        question(),
        evidence((found(ADDRESS),), (served(ALPHA, 10, HEALTH),), (exposure("enrolled by", CLERK, subject=OTHER),)),
    )
    assert report.accounts == ()
    assert report.exposures == ()


def test_tier_lead_needs_a_held_value_that_is_hard_to_get_outside() -> None:
    both = build_report(question(), evidence(BOTH, (served(ALPHA, 10, HEALTH),)))
    easy = build_report(question(), evidence(BOTH, (served(ALPHA, 10, ADDRESS),)))
    assert both.tier.label is TierLabel.LEAD
    assert "not a finding" in both.tier.wording
    assert easy.tier.label is TierLabel.NONE
    assert "No inference about any person is supported" in easy.tier.wording
    edited = {**OUTSIDE_DEFAULTS, "health": OutsideField("health", 0.9, "as the agency found")}
    assert build_report(question(), evidence(BOTH, (served(ALPHA, 10, HEALTH),)), edited).tier.label is TierLabel.NONE


def test_without_a_publication_time_all_copies_are_listed_and_there_is_no_lead() -> None:
    late = served(BRAVO, 10, HEALTH, served_at=NOON + timedelta(hours=3))
    report = build_report(question(published_at=None), evidence(BOTH, (served(ALPHA, 11, HEALTH), late)))
    assert len(report.accounts) == 2
    assert report.after_publication == ()
    assert report.tier.label is TierLabel.NONE
    assert any("No publication time" in line for line in report.summary)
    assert report.accounts[0].copies[0].seconds_before is None


def test_a_gap_comes_first_caps_the_result_and_forbids_nothing_was_served() -> None:
    report = build_report(question(), evidence(BOTH, (), (), "KC-000101: counter 4 is missing"))
    assert report.gaps[0].startswith("The ledger is incomplete")
    assert "KC-000101: counter 4 is missing" in report.gaps
    assert "do not explain it" not in " ".join(report.summary)
    assert "nothing follows from the empty list" in " ".join(report.summary)


def test_no_findings_is_said_without_clearing_anyone() -> None:
    report = build_report(question(), evidence((), (served(ALPHA, 10),)))
    assert report.accounts == ()
    assert report.people == ()
    assert "No protected value" in report.summary[0]
    assert "does not show that the text holds none" in report.summary[0]
    assert report.tier.label is TierLabel.NONE


def test_accounts_with_the_same_values_are_told_to_be_indistinguishable() -> None:
    copies = (served(ALPHA, 10, HEALTH), served(BRAVO, 11, HEALTH), served(CHARLIE, 12, ADDRESS))
    report = build_report(question(), evidence(BOTH, copies))
    assert "3 accounts cannot be distinguished" in " ".join(report.summary)
    assert [len(group.accounts) for group in report.not_distinguished] == [2, 1]


def test_one_listed_account_is_not_evidence() -> None:
    report = build_report(question(), evidence(BOTH, (served(ALPHA, 10, HEALTH, ADDRESS),)))
    assert "not evidence of being the source" in " ".join(report.summary)


def test_shared_places_are_told() -> None:
    twin = found(HEALTH, employee_number="KC-000102", subject=OTHER, spans=((10, 40),))
    report = build_report(question(), evidence((found(ADDRESS), twin)))
    assert any("F1, F2" in line and "counts once for each" in line for line in report.unknown)


@pytest.mark.parametrize("published_at", [NOON, None])
@pytest.mark.parametrize("gaps", [(), ("KC-000101: counter 4 is missing",)])
@pytest.mark.parametrize(
    "copies", [(), (served(ALPHA, 10),), (served(ALPHA, 10, HEALTH), served(BRAVO, 11, ADDRESS, HEALTH))]
)
@pytest.mark.parametrize("findings", [(), BOTH])
def test_no_report_speaks_of_guilt_percent_or_names_an_account(findings, copies, gaps, published_at) -> None:
    exposures = (exposure("enrolled by", CLERK), exposure("subject and household", None))
    report = build_report(question(published_at=published_at), evidence(findings, copies, exposures, *gaps))
    text = sentences(report)
    assert not re.search(
        r"guilt|culprit|suspect\b|perpetrator|leaker|%|percent|posterior|likely the source", text, re.IGNORECASE
    )
    everything = repr(dataclasses.asdict(report))
    assert not any(account in everything for account in (ALPHA, BRAVO, CHARLIE, CLERK))
    assert report.tier.label in {TierLabel.NONE, TierLabel.LEAD}
    assert "sole basis" in text


def test_the_same_evidence_in_any_order_gives_the_same_report() -> None:
    copies = [served(ALPHA, 10, HEALTH), served(BRAVO, 11), served(CHARLIE, 12), served(ALPHA, 13)]
    exposures = [exposure("enrolled by", CLERK), exposure("changed by", BRAVO), exposure("internal open", ALPHA)]
    findings = list(BOTH)
    first = build_report(question(), evidence(tuple(findings), tuple(copies), tuple(exposures)))
    shuffler = random.Random(7)
    for _ in range(10):
        for items in (copies, exposures, findings):
            shuffler.shuffle(items)
        assert build_report(question(), evidence(tuple(findings), tuple(copies), tuple(exposures))) == first


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        build_report(question(published_at=datetime(2026, 3, 10)), evidence())  # noqa: DTZ001  # the point of the test


def test_the_digest_depends_on_the_nonce_and_takes_any_text() -> None:
    assert digest_of_text("a", bytes(32)) != digest_of_text("a", b"\x01" * 32)
    assert len(digest_of_text("\ud800", bytes(32))) == 64
    with pytest.raises(ValueError, match="32 bytes"):
        digest_of_text("a", b"")


@pytest.mark.parametrize(
    ("labels", "text"),
    [((), ""), (("F1",), "F1"), (("F1", "F2"), "F1, F2"), (("F1", "F2", "F3", "F5"), "F1 to F3, F5")],
)
def test_label_ranges(labels: tuple[str, ...], text: str) -> None:
    assert label_ranges(labels) == text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("home_address", "home address"),
        ("phone:mobile", "phone (mobile)"),
        ("family_member:spouse", "family member (spouse)"),
        ("ssn", "SSN"),
        ("email", "e-mail"),
    ],
)
def test_sentences_name_kinds_in_words(kind: str, words: str) -> None:
    assert wording.kind_words(kind) == words


def test_a_masked_copy_fits_what_it_shows() -> None:
    assert MASKED == Form.MASKED
    whole, tail = found(HEALTH, category=Category.SSN), found(HEALTH, category=Category.SSN, is_tail=True)
    card = found(SCHOOL, category=Category.PAYMENT_CARD)
    masked = served(ALPHA, 5, form=MASKED, records=((HEALTH, 1, Category.SSN), (SCHOOL, 1, Category.PAYMENT_CARD)))
    full = replace(masked, form="as_entered")
    for one, fits in ((whole, False), (tail, True), (card, True)):
        assert bool(held_findings(masked, label_findings([one]))) is fits
        assert held_findings(full, label_findings([one]))
