"""Whatever is added against an ask never turns a denial into a permit."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose
from registry.policy.decide import Denial, Facts, Permit, RecordFacts, Relation
from tests.fakes.purposes import SHIPPED
from tests.unit.policy.asking import policy_of

RECORDS = st.lists(
    st.builds(RecordFacts, st.just(RecordId(new_id())), st.sampled_from(Category), st.sampled_from(Tier)), max_size=4
)
FACTS = st.builds(
    Facts,
    asked=st.frozensets(st.sampled_from(Category), max_size=2),
    records=RECORDS.map(tuple),
    is_own_record=st.booleans(),
    relations=st.frozensets(st.sampled_from(Relation), max_size=2),
    approvals=st.integers(0, 3),
    approvals_other_unit=st.integers(0, 3),
    break_glass=st.booleans(),
    quota_exceeded=st.booleans(),
    cooling_exceeded=st.booleans(),
    decoy=st.booleans(),
    step_up=st.booleans(),
)
PURPOSES = st.builds(Purpose, st.sampled_from(list(SHIPPED)), st.sampled_from(["", "C-1"]), st.just(""))
READER = Principal(PrincipalId(new_id()), "issuer#reader", frozenset({Role.READER}))


def is_permitted(purpose: Purpose, facts: Facts, *, same_unit: bool) -> bool:
    return isinstance(policy_of(same_unit).decide(READER, purpose, facts), Permit)


def burdened(facts: Facts, relation: Relation, mark: RecordFacts) -> list[Facts]:
    """Return the facts with one more thing against the ask, each in turn."""
    return [
        replace(facts, relations=facts.relations | {relation}),
        replace(facts, records=(*facts.records, mark)),
        replace(facts, records=tuple(one._replace(tier=mark.tier) for one in facts.records)),
        replace(facts, quota_exceeded=True),
        replace(facts, cooling_exceeded=True),
        replace(facts, is_own_record=True),
        replace(facts, step_up=False),
        replace(facts, break_glass=False),
        replace(facts, approvals=0),
        replace(facts, approvals_other_unit=0),
    ]


@given(FACTS, PURPOSES, st.sampled_from(Relation), st.sampled_from(Category), st.booleans())
def test_a_burden_never_opens(
    facts: Facts, purpose: Purpose, relation: Relation, category: Category, same_unit: bool
) -> None:
    for tier in (Tier.RESTRICTED, Tier.SEALED):
        mark = RecordFacts(RecordId(new_id()), category, tier)
        for more in burdened(facts, relation, mark):
            # A lower mark in place of a higher one is no burden.
            if {one.tier for one in facts.records} & {Tier.SEALED} and tier is Tier.RESTRICTED:
                continue
            if is_permitted(purpose, more, same_unit=same_unit):
                assert is_permitted(purpose, facts, same_unit=same_unit)


@given(FACTS, PURPOSES)
def test_a_decoy_is_decided_like_anybody(facts: Facts, purpose: Purpose) -> None:
    decide = policy_of(False).decide
    assert decide(READER, purpose, replace(facts, decoy=True)) == decide(READER, purpose, replace(facts, decoy=False))


@given(FACTS, PURPOSES, st.sampled_from([Relation.HOUSEHOLD, Relation.KIN, Relation.FORMER_PARTNER]))
def test_nothing_opens_a_conflict(facts: Facts, purpose: Purpose, relation: Relation) -> None:
    close = replace(facts, relations=facts.relations | {relation}, break_glass=True, approvals=9, step_up=True)
    decision = policy_of(False).decide(READER, purpose, close)
    assert isinstance(decision, Denial)
    assert decision.reason == "conflict_of_interest"
