"""Purposes that an agency declares: read strictly, opened by its policies alone, and nothing else is opened by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import PrincipalId, new_id
from registry.domain.principals import Principal, Role
from registry.domain.purposes import MAX_CODE, Purpose, PurposeCode, is_purpose_code
from registry.policy.decide import Denial, Facts, Permit, Relation
from registry.policy.engine import Policy, load_policy, shipped_policy
from registry.policy.purposes import MAX_PURPOSES
from registry.policy.rule_set import RuleSet, checked, texts_with
from registry.policy.settings import PolicySettings
from tests.fakes.purposes import SHIPPED

READER = Principal(PrincipalId(new_id()), "issuer#reader", frozenset({Role.READER}))
PARKING = PurposeCode("parking_enforcement")
OWN = """
@id("own.parking")
@reason("permitted")
permit (principal, action == Action::"ask", resource)
when { context.purpose == Purpose::"parking_enforcement" && context.has_case }
when { [Category::"vehicle_plate"].containsAll(resource.categories) };
"""


def folder(at: Path, declared: str, policies: str = OWN) -> PolicySettings:
    (at / "purposes.toml").write_text(declared, "utf-8")
    (at / "own.cedar").write_text(policies, "utf-8")
    return PolicySettings(folder=at)


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return load_policy(folder(tmp_path_factory.mktemp("policies"), '[parking_enforcement]\nhl7 = "HSYSADMIN"\n'))


def test_what_an_agency_declares_is_opened_by_its_policies(agency: Policy) -> None:
    *shipped, own = agency.purposes
    assert (own.code, own.hl7, own.opens, own.needs_case) == (PARKING, "HSYSADMIN", {Category.VEHICLE_PLATE}, True)
    assert shipped == list(shipped_policy().purposes)
    assert agency.stated(Purpose(PurposeCode("HSYSADMIN"), "C-1")) == Purpose(PARKING, "C-1")
    assert agency.problems(Purpose(PARKING)) == []
    assert [one.pointer for one in shipped_policy().problems(Purpose(PARKING))] == ["/code"]


def test_a_purpose_that_is_not_declared_opens_nothing() -> None:
    decision = shipped_policy().decide(READER, Purpose(PARKING, "C-1"), Facts(frozenset({Category.VEHICLE_PLATE}), ()))
    assert isinstance(decision, Denial)


@given(
    st.builds(Purpose, st.sampled_from(list(SHIPPED)), st.sampled_from(["", "C-1"])),
    st.builds(
        Facts,
        asked=st.frozensets(st.sampled_from(Category), min_size=1, max_size=3),
        records=st.just(()),
        is_own_record=st.booleans(),
        relations=st.frozensets(st.sampled_from(Relation), max_size=2),
        step_up=st.booleans(),
    ),
)
def test_the_others_are_decided_as_before(agency: Policy, purpose: Purpose, facts: Facts) -> None:
    assert agency.decide(READER, purpose, facts) == shipped_policy().decide(READER, purpose, facts)


@given(st.sampled_from([Relation.HOUSEHOLD, Relation.KIN, Relation.FORMER_PARTNER, Relation.SAME_ADDRESS]))
def test_a_conflict_stays_shut_for_it(agency: Policy, relation: Relation) -> None:
    open_to_all = Facts(frozenset({Category.VEHICLE_PLATE}), (), step_up=True)
    assert isinstance(agency.decide(READER, Purpose(PARKING, "C-1"), open_to_all), Permit)
    close = Facts(frozenset({Category.VEHICLE_PLATE}), (), step_up=True, relations=frozenset({relation}))
    decision = agency.decide(READER, Purpose(PARKING, "C-1"), close)
    assert isinstance(decision, Denial)
    assert decision.reason == "conflict_of_interest"


def test_what_is_declared_is_part_of_the_version(tmp_path: Path) -> None:
    settings = folder(tmp_path, "[parking_enforcement]\n")
    before = load_policy(settings).version
    folder(tmp_path, '[parking_enforcement]\nhl7 = "HSYSADMIN"\n')
    assert load_policy(settings).version != before


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("[payroll]\n", "payroll is a purpose already"),
        ("[own_record]\n", "'own_record' is no code"),
        ("[publication]\n", "'publication' is no code"),
        ("[Parking]\n", "'Parking' is no code"),
        ("[a__b]\n", "'a__b' is no code"),
        (f"[{'a' * (MAX_CODE + 1)}]\n", "is no code"),
        ("parking = 3\n", r"\[parking\]"),
        ("[parking]\nopens = ['phone']\n", "parking has unknown settings: opens"),
        ("[parking]\nhl7 = 'gov'\n", "parking: hl7"),
        ("[parking]\nhl7 = 3\n", "parking: hl7"),
        ("[parking]\nhl7 = 'GOV'\n", "another purpose has GOV"),
        ("[a]\nhl7 = 'X1'\n[b]\nhl7 = 'X1'\n", "another purpose has X1"),
        ("[a\n", "purposes.toml"),
        ("".join(f"[p{number}]\n" for number in range(MAX_PURPOSES)), "64 purposes at most"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, declared: str, told: str) -> None:
    with pytest.raises(MisconfiguredHome, match=told):
        load_policy(folder(tmp_path, declared))


def test_a_policy_may_not_name_a_purpose_that_is_not_declared(tmp_path: Path) -> None:
    settings = folder(tmp_path, "[parking]\n")
    problems, _ = checked(texts_with(settings.folder))
    assert [problem.policy for problem in problems] == ["own.parking"]
    with pytest.raises(MisconfiguredHome, match=r"own\.parking"):
        load_policy(settings)


def test_a_declared_purpose_without_a_policy_opens_nothing_and_is_not_listed(tmp_path: Path) -> None:
    policy = load_policy(folder(tmp_path, "[parking_enforcement]\n[idle]\n"))
    assert "idle" in policy.codes
    assert [one.code for one in policy.every_purpose if not one.opens] == ["idle"]
    assert "idle" not in [one.code for one in policy.purposes]


def test_a_folder_of_purposes_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "purposes.toml").write_text("[parking]\n", "ascii")
    with pytest.raises(MisconfiguredHome, match=r"no file \*\.cedar"):
        RuleSet(texts_with(tmp_path))


@pytest.mark.parametrize("text", ["a", "a1_b2", "a" * MAX_CODE])
def test_codes(text: str) -> None:
    assert is_purpose_code(text)


@pytest.mark.parametrize("text", ["", "_a", "a_", "1a", "A", "a-b", "a b", "a\n", "é", "a" * (MAX_CODE + 1)])
def test_what_is_no_code(text: str) -> None:
    assert not is_purpose_code(text)
