"""Whole made-up reports for the renderers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from registry.domain.categories import Category
from registry.domain.ids import EntryIndex, PrincipalId, RecordId, SubjectId
from registry.leaktrace.coverage import ColumnCoverage, Coverage, TableCoverage, UnitCoverage
from registry.leaktrace.receipt_codes import CodeMatch, CodesEvidence
from registry.leaktrace.report_model import FoundValue, ServedCopy, TraceReport, build_report
from tests.unit.leaktrace_report.evidence import (
    ADDRESS,
    ALPHA,
    BRAVO,
    CHARLIE,
    CLERK,
    HEALTH,
    NOON,
    SCHOOL,
    evidence,
    exposure,
    found,
    question,
    served,
)

HOSTILE = "</title><script>alert(1)</script> #panic() {{7*7}} \u202ezz \u4e2d\u6587 \U0001f600 <b>&amp;"
GAP = "KC-000101: counter 4 is missing"
ACCOUNT_IDS = (ALPHA, BRAVO, CHARLIE, CLERK)


def ordinary(*gaps: str, **asked: object) -> TraceReport:
    findings = (
        found(ADDRESS, reason="number, street and ZIP agree"),
        found(HEALTH, spans=((50, 70),), confidence=0.93, reason="same words"),
        found(SCHOOL, member="c1", spans=((90, 120), (130, 140)), reason="school with the child's first name"),
    )
    copies = (
        served(ALPHA, 10, ADDRESS),
        served(BRAVO, 50, ADDRESS, HEALTH, SCHOOL, purpose="safety", case_given=True),
        served(CHARLIE, 80, ADDRESS),
        served(ALPHA, 95, ADDRESS, SCHOOL, via="batch"),
        served(CHARLIE, 99, HEALTH, served_at=NOON + timedelta(hours=30)),
        served(PrincipalId("9" * 32), 60, ADDRESS, via="self"),
    )
    exposures = (
        exposure("enrolled by", CLERK),
        exposure("subject and household", None, entry=None, note="always"),
        exposure("changed by", BRAVO, at=NOON - timedelta(hours=70), entry=EntryIndex(44)),
        exposure("internal open", None, at=NOON + timedelta(hours=40), entry=EntryIndex(880), note="matching"),
    )
    return build_report(question(**asked), evidence(findings, copies, exposures, *gaps))


def coded() -> TraceReport:
    """A report on a text in which the receipt code of a served copy stands."""
    findings = (found(ADDRESS),)
    codes = CodesEvidence(2, 2, (CodeMatch("K7QF-2M9D", EntryIndex(50), BRAVO),), 4e-12)
    gathered = evidence(findings, (served(ALPHA, 10, ADDRESS), served(BRAVO, 50, ADDRESS)))
    return build_report(question(), replace(gathered, codes=codes))


def covered(unit: str = "Parks") -> TraceReport:
    """A report on a dump."""
    columns = (
        ColumnCoverage(1, 9, (("directory", 9),)),
        ColumnCoverage(2, 9, (("phone:mobile", 8),)),
        ColumnCoverage(3, 9, ()),
        ColumnCoverage(4, 2, ()),
    )
    counted = Coverage(9, (UnitCoverage(unit, 7, 14),), 2, (("phone:mobile", 8),), (TableCoverage(40, 9, columns),))
    gathered = evidence((found(ADDRESS),), (served(ALPHA, 10, ADDRESS),))
    return build_report(question(), replace(gathered, coverage=counted))


def hostile() -> TraceReport:
    """A report whose every free text tries to become markup."""
    bad = (found(ADDRESS, employee_number=HOSTILE, member=HOSTILE, reason=HOSTILE),)
    copies = (served(ALPHA, 10, ADDRESS, purpose=HOSTILE, via=HOSTILE),)
    exposures = (exposure("enrolled by", CLERK, note=HOSTILE), exposure("internal open", None, note=HOSTILE))
    counted = Coverage(5, (UnitCoverage(HOSTILE, 5, 9),), 0, ((HOSTILE, 5),), ())
    gathered = replace(evidence(bad, copies, exposures, HOSTILE), coverage=counted)
    return build_report(question(source=HOSTILE, engine=HOSTILE), gathered)


def empty() -> TraceReport:
    return build_report(question(), evidence())


def unserved() -> TraceReport:
    return build_report(question(), evidence((found(ADDRESS),)))


def found_addresses(people: int) -> tuple[FoundValue, ...]:
    """Return one found address for each of so many people."""
    return tuple(
        found(
            RecordId(f"{n:032x}"),
            employee_number=f"KC-{n:06d}",
            subject=SubjectId(f"{n:032x}"),
            category=Category.HOME_ADDRESS,
            kind="home_address",
            spans=((n * 50, n * 50 + 30),),
        )
        for n in range(1, people + 1)
    )


def address_served(number: int, account: int, hours_before: int) -> ServedCopy:
    """Return a copy of somebody's address."""
    return served(
        PrincipalId(f"{account:032x}"),
        number,
        subject=SubjectId(f"{number:032x}"),
        records=((RecordId(f"{number:032x}"), 1, Category.HOME_ADDRESS),),
        served_at=NOON - timedelta(hours=hours_before),
    )


def dump(people: int = 120, accounts: int = 55) -> TraceReport:
    """Many people, many accounts."""
    copies = tuple(address_served(n, n % accounts + 1, 3 * n) for n in range(1, min(people, 99) + 1))
    known = (exposure("enrolled by", CLERK, subject=SubjectId(f"{1:032x}")),)
    return build_report(question(), evidence(found_addresses(people), copies, known))


EVERY = (
    ordinary(),
    ordinary(GAP),
    ordinary(published_at=None),
    hostile(),
    empty(),
    unserved(),
    coded(),
    dump(),
    covered(),
)
