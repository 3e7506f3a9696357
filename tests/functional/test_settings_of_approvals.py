"""The table [approvals] of config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.domain.approvals import Action, ApprovalRules
from registry.domain.errors import MisconfiguredHome
from registry.settings import DEVELOPMENT, PRODUCTION, load_settings


def read(home: Path, approvals: str) -> ApprovalRules:
    (home / "config.toml").write_text(f"[approvals]\n{approvals}")
    return load_settings(home, {}).rules(DEVELOPMENT)


def test_what_is_given_is_taken_and_the_rest_is_usual(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).rules(DEVELOPMENT) == ApprovalRules()
    rules = read(tmp_path, "use_hours = 2\nemergency_minutes = 15\n")
    assert (rules.use_ms, rules.emergency_ms) == (2 * 3_600_000, 15 * 60_000)
    assert (rules.decide_ms, rules.review_ms) == (7 * 24 * 3_600_000, 72 * 3_600_000)


def test_dual_control_is_the_productions_habit(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert settings.rules(PRODUCTION).dual_control == frozenset(Action) - {Action.NAMES, Action.WAIVE}
    assert settings.rules(DEVELOPMENT).dual_control == frozenset()
    assert read(tmp_path, 'dual_control = ["trace"]').dual_control == {Action.TRACE}
    (tmp_path / "config.toml").write_text("[approvals]\ndual_control = []\n")
    assert load_settings(tmp_path, {}).rules(PRODUCTION).dual_control == frozenset()


def test_no_client_is_trusted_with_relations_unless_it_is_named(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).rules(PRODUCTION).hr_clients == frozenset()
    assert read(tmp_path, 'hr_clients = ["hr-sync"]').hr_clients == {"hr-sync"}


def test_a_waiver_and_a_name_take_two_whatever_is_set() -> None:
    assert [action for action in Action if ApprovalRules().demands(action)] == [Action.NAMES, Action.WAIVE]


@pytest.mark.parametrize(
    "approvals",
    [
        "decide_hours = 0",
        "decide_hours = 745",
        "use_hours = 0",
        "use_hours = 169",
        "use_hours = true",
        "use_hours = 1.5",
        'use_hours = "1"',
        "emergency_minutes = 0",
        "emergency_minutes = 241",
        "review_hours = 0",
        "review_hours = 169",
        "unreviewed = 0",
        "unreviewed = 101",
        "hold_approver_days = 0",
        "hold_approver_days = 366",
        "hold_days = 0",
        "hold_days = 366",
        "needs = 0",
        'dual_control = "trace"',
        'dual_control = ["everything"]',
        'dual_control = ["waive"]',
        "dual_control = [1]",
        "dual_control = true",
        'hr_clients = "hr-sync"',
        "hr_clients = [1]",
        'hr_clients = [""]',
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, approvals: str) -> None:
    with pytest.raises(MisconfiguredHome, match=r"approvals|must be"):
        read(tmp_path, approvals)


def test_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("approvals = 3\n")
    with pytest.raises(MisconfiguredHome, match="table"):
        load_settings(tmp_path, {})
