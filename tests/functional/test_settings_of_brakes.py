"""The table [brakes] of config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.domain.purposes import PurposeCode
from registry.services.brakes import DEVELOPMENT_LIMITS, PRODUCTION_LIMITS
from registry.settings import DEVELOPMENT, PRODUCTION, Settings, load_settings


def read(home: Path, brakes: str) -> Settings:
    (home / "config.toml").write_text(f"[brakes]\n{brakes}")
    return load_settings(home, {})


def test_each_profile_has_limits_of_its_own(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert settings.limits(DEVELOPMENT) == DEVELOPMENT_LIMITS
    assert settings.limits(PRODUCTION) == PRODUCTION_LIMITS
    assert not DEVELOPMENT_LIMITS.has_quotas
    assert (DEVELOPMENT_LIMITS.checks_per_day, DEVELOPMENT_LIMITS.cooling_days) == (0, 0)
    assert PRODUCTION_LIMITS.has_quotas
    assert 0 < PRODUCTION_LIMITS.cooling_subjects_per_day < PRODUCTION_LIMITS.subjects_per_day
    assert DEVELOPMENT_LIMITS.candidates == PRODUCTION_LIMITS.candidates == 3


def test_what_is_given_is_taken_and_the_rest_is_the_profiles(tmp_path: Path) -> None:
    limits = read(tmp_path, "subjects_per_day = 9\npurposes = { safety = 2 }\nhours = [7, 19]\n").limits(PRODUCTION)
    assert (limits.of(PurposeCode("safety")), limits.of(PurposeCode("payroll"))) == (2, 9)
    assert (limits.hours, limits.cooling_days) == ((7, 19), PRODUCTION_LIMITS.cooling_days)
    assert not read(tmp_path, "subjects_per_day = 0\ncooling_days = 0\n").limits(PRODUCTION).has_quotas


@pytest.mark.parametrize(
    "brakes",
    [
        "subjects_per_day = -1",
        "subjects_per_day = true",
        "subjects_per_day = 1.5",
        "cooling_days = 366",
        "per_hour = 3",
        "purposes = { Everything = 3 }",
        "purposes = { safety = -3 }",
        "purposes = 3",
        "hours = [20, 6]",
        "hours = [6, 25]",
        "hours = [true, 8]",
        "hours = 6",
        "popular_readers = 1",
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, brakes: str) -> None:
    with pytest.raises(MisconfiguredHome, match=r"brakes|purposes|must be"):
        read(tmp_path, brakes)


def test_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("brakes = 3\n")
    with pytest.raises(MisconfiguredHome, match="table"):
        load_settings(tmp_path, {})
