"""Made-up evidence for report tests: ids only, no protected value anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from registry.domain.categories import Category
from registry.domain.ids import EntryIndex, PrincipalId, RecordId, SubjectId, TraceId
from registry.leaktrace.copies import FoundValue, ServedCopy, SourceExposure
from registry.leaktrace.report_model import LedgerCheck, TraceEvidence, TraceQuestion

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ALPHA, BRAVO, CHARLIE, CLERK = (PrincipalId(letter * 32) for letter in "abcd")
SUBJECT = SubjectId("1" * 32)
OTHER = SubjectId("2" * 32)
ADDRESS, HEALTH, SCHOOL = (RecordId(digit * 32) for digit in "567")
_CATEGORY = {ADDRESS: Category.HOME_ADDRESS, HEALTH: Category.HEALTH, SCHOOL: Category.SCHOOL}


def question(**changes: object) -> TraceQuestion:
    base: dict[str, object] = {
        "trace": TraceId("e" * 32),
        "asked_at": NOON + timedelta(days=2),
        "text_sha256": "0" * 64,
        "text_length": 180,
        "published_at": NOON,
        "source": "a forum thread",
        "engine": "registry 0.1.0",
        "entry": EntryIndex(900),
    }
    return TraceQuestion(**(base | changes))  # type: ignore[arg-type]  # a test builder takes any field


def found(record: RecordId | None = ADDRESS, **changes: object) -> FoundValue:
    category = _CATEGORY.get(record, Category.HOME_ADDRESS) if record else Category.HOME_ADDRESS
    base: dict[str, object] = {
        "employee_number": "KC-000101",
        "subject": SUBJECT,
        "record": record,
        "category": category,
        "kind": category.value,
        "member": None,
        "confidence": 0.99,
        "spans": ((10, 40),),
        "reason": "same canonical form",
    }
    return FoundValue(**(base | changes))  # type: ignore[arg-type]  # a test builder takes any field


def served(account: PrincipalId, entry: int, *records: RecordId, **changes: object) -> ServedCopy:
    base: dict[str, object] = {
        "entry": EntryIndex(entry),
        "served_at": NOON - timedelta(hours=100 - entry),
        "subject": SUBJECT,
        "account": account,
        "records": tuple((record, 1, _CATEGORY[record]) for record in records or (ADDRESS,)),
        "purpose": "emergency_contact",
        "case_given": False,
        "form": "as_entered",
        "via": "single",
    }
    return ServedCopy(**(base | changes))  # type: ignore[arg-type]  # a test builder takes any field


def exposure(kind: str, account: PrincipalId | None, **changes: object) -> SourceExposure:
    base: dict[str, object] = {
        "kind": kind,
        "account": account,
        "at": NOON - timedelta(days=30),
        "entry": EntryIndex(3),
        "subject": SUBJECT,
        "note": "by hand",
    }
    return SourceExposure(**(base | changes))  # type: ignore[arg-type]  # a test builder takes any field


def ledger(*gaps: str) -> LedgerCheck:
    return LedgerCheck("registry.example/ledger", 1000, "f" * 64, gaps, 1)


def evidence(
    findings: tuple[FoundValue, ...] = (),
    copies: tuple[ServedCopy, ...] = (),
    exposures: tuple[SourceExposure, ...] = (),
    *gaps: str,
) -> TraceEvidence:
    return TraceEvidence(findings, copies, exposures, ledger(*gaps))
