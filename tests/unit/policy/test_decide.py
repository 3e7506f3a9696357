"""Every rule of the plain policy, and that granting less never opens more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import (
    APPROVAL_REQUIRED,
    CONFLICT_OF_INTEREST,
    NOT_PERMITTED,
    PURPOSE_NOT_ALLOWED,
    Denial,
    Facts,
    Permit,
    RecordFacts,
    Relation,
)
from registry.policy.engine import shipped_policy
from tests.fakes.purposes import SHIPPED

decide, decide_own = shipped_policy().decide, shipped_policy().decide_own
READER = Principal(PrincipalId(new_id()), "issuer#reader", frozenset({Role.READER}))


def record(category: Category, tier: Tier = Tier.CONFIDENTIAL) -> RecordFacts:
    return RecordFacts(RecordId(new_id()), category, tier)


def facts(*records: RecordFacts, own: bool = False) -> Facts:
    return Facts(frozenset(one.category for one in records), records, is_own_record=own, step_up=True)


def reason(answer: Permit | Denial) -> str:
    assert isinstance(answer, Denial)
    return answer.reason


def test_a_reader_gets_exactly_the_records_asked_for() -> None:
    address, phone = record(Category.HOME_ADDRESS), record(Category.PHONE)
    answer = decide(READER, Purpose(PurposeCode("emergency_contact")), facts(address, phone))
    assert isinstance(answer, Permit)
    assert answer.records == (address.record, phone.record)


def test_only_readers_are_shown_anything() -> None:
    others = Principal(PrincipalId(new_id()), "issuer#other", frozenset(Role) - {Role.READER})
    answer = decide(others, Purpose(PurposeCode("emergency_contact")), facts(record(Category.PHONE)))
    assert reason(answer) == NOT_PERMITTED


def test_nobody_reads_their_own_record_as_staff() -> None:
    answer = decide(READER, Purpose(PurposeCode("emergency_contact")), facts(record(Category.PHONE), own=True))
    assert reason(answer) == CONFLICT_OF_INTEREST


def test_a_purpose_opens_only_its_categories() -> None:
    for code, rule in SHIPPED.items():
        for category in Category:
            answer = decide(READER, Purpose(code, case="C-1"), facts(record(category)))
            assert isinstance(answer, Permit) == (category in rule.opens)


def test_a_category_without_records_is_refused_all_the_same() -> None:
    """Otherwise the answer would tell whether the person has a health record."""
    asked = Facts(frozenset({Category.HEALTH}), ())
    assert reason(decide(READER, Purpose(PurposeCode("payroll")), asked)) == PURPOSE_NOT_ALLOWED


def test_some_purposes_need_a_case() -> None:
    for code, rule in SHIPPED.items():
        answer = decide(READER, Purpose(code), facts(record(Category.HOME_ADDRESS)))
        assert isinstance(answer, Denial) == rule.needs_case


def test_restricted_and_sealed_records_stay_shut() -> None:
    for tier in Tier:
        answer = decide(READER, Purpose(PurposeCode("payroll")), facts(record(Category.SSN, tier)))
        if tier in (Tier.RESTRICTED, Tier.SEALED):
            assert reason(answer) == APPROVAL_REQUIRED
        else:
            assert isinstance(answer, Permit)


def test_a_subject_sees_their_own_card_whatever_its_tier() -> None:
    subject = Principal(PrincipalId(new_id()), "issuer#subject", frozenset({Role.SUBJECT}))
    mine = facts(record(Category.HEALTH, Tier.SEALED), own=True)
    assert isinstance(decide_own(subject, mine), Permit)
    assert reason(decide_own(subject, facts(record(Category.HEALTH)))) == NOT_PERMITTED
    assert reason(decide_own(READER, mine)) == NOT_PERMITTED


@given(
    st.sets(st.sampled_from(list(Role))),
    st.sets(st.sampled_from(list(Role))),
    st.sampled_from(list(SHIPPED)),
    st.lists(st.tuples(st.sampled_from(list(Category)), st.sampled_from(list(Tier)))),
    st.booleans(),
)
def test_fewer_roles_or_more_records_never_turn_a_denial_into_a_permit(
    roles: set[Role], fewer: set[Role], code: PurposeCode, cards: list[tuple[Category, Tier]], own: bool
) -> None:
    records = [record(category, tier) for category, tier in cards]
    wide = Principal(PrincipalId(new_id()), "issuer#wide", frozenset(roles))
    narrow = Principal(wide.id, wide.name, frozenset(roles & fewer))
    purpose = Purpose(code, case="C-1")
    if isinstance(decide(narrow, purpose, facts(*records, own=own)), Permit):
        assert isinstance(decide(wide, purpose, facts(*records, own=own)), Permit)
        assert isinstance(decide(narrow, purpose, facts(*records[:1], own=own)), Permit)


@given(
    st.sets(st.sampled_from(list(Relation))),
    st.sets(st.sampled_from(list(Relation))),
    st.sampled_from(list(SHIPPED)),
    st.sampled_from(list(Category)),
)
def test_one_relation_more_never_turns_a_denial_into_a_permit(
    relations: set[Relation], more: set[Relation], code: PurposeCode, category: Category
) -> None:
    one = record(category)
    purpose = Purpose(code, "C-1", "asked for by the family")
    few = Facts(frozenset({category}), (one,), relations=frozenset(relations), step_up=True)
    many = Facts(frozenset({category}), (one,), relations=frozenset(relations | more), step_up=True)
    if isinstance(decide(READER, purpose, many), Permit):
        assert isinstance(decide(READER, purpose, few), Permit)
