"""The hand-written table: who asks for what, under which circumstances, what is decided and by which rule first."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.policy.decide import PUBLIC_REASONS, Denial
from registry.policy.rule_set import RuleSet, shipped_texts
from tests.unit.policy.asking import Case, decided

LINES = Path(__file__).with_name("cases.txt").read_text("utf-8").splitlines()
CASES = [Case(*map(str.strip, line.split("|"))) for line in LINES if not line.startswith("#")]


def test_the_table_is_long_and_says_nothing_twice() -> None:
    asks = [(case.who, case.purpose, case.asked, case.so) for case in CASES]
    assert len(set(asks)) == len(asks) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.who}/{case.purpose}/{case.asked}/{case.so}")
def test_a_case_is_decided_as_written(case: Case) -> None:
    decision = decided(case)
    told = decision.reason if isinstance(decision, Denial) else "permit"
    assert (told, decision.rules[0]) == (case.decision, case.rule)


def test_every_shipped_policy_decides_a_case() -> None:
    deciding = {rule for case in CASES for rule in decided(case).rules}
    assert set(RuleSet(shipped_texts()).rules) - deciding == set()


def test_every_public_reason_is_given_to_somebody() -> None:
    assert set(PUBLIC_REASONS) - {case.decision for case in CASES} == {"note_needed"}  # for policies of agencies
