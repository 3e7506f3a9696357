"""What is said about a key: why, and the exact command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry.keys.ports import KeyFacts, ServiceKey
from registry.services.key_advice import Limits, age_of, of_service

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LIMITS = Limits(NOW, timedelta(days=365), timedelta(days=35))
KEY = ServiceKey("r-data", 3, 3, NOW, "ROTATE", ("RAISE", "TRIM"))
REWRAP = "until it is done; run: registry keys rewrap"


@pytest.mark.parametrize(
    ("service", "stored", "said"),
    [
        (replace(KEY, newest=1, sealed=1), {1: 4}, ""),
        (
            replace(KEY, newest=1),
            {2: 4},
            "4 stored keys need a later version than 1: put the key service's newer state back",
        ),
        (
            KEY,
            {1: 2, 2: 5, 3: 9},
            f"2 stored keys under version 1, 5 stored keys under version 2: keep version 1 {REWRAP}",
        ),
        (
            replace(KEY, sealed=2),
            {3: 9},
            f"its file in the key folder under version 2: keep version 2 {REWRAP}",
        ),
        (
            KEY,
            {3: 9},
            (
                "versions below 3 wrap nothing that is stored; backups made before the last rewrap need them: keep"
                " them until 2026-04-07"
            ),
        ),
        (
            replace(KEY, sealed_at=NOW - timedelta(days=36)),
            {3: 9},
            (
                "versions below 3 wrap nothing that is stored, and no backup that is kept needs them; unless it is"
                " done, run there: RAISE; TRIM"
            ),
        ),
        (
            replace(KEY, sealed_at=NOW - timedelta(days=365)),
            {3: 9},
            (
                "in use for 365 days, and keys are exchanged after 365; run at the key service: ROTATE; then:"
                " registry keys rewrap"
            ),
        ),
    ],
)
def test_of_a_service_that_keeps_versions(service: ServiceKey, stored: dict[int, int], said: str) -> None:
    assert of_service(service, stored, None, LIMITS) == said


@pytest.mark.parametrize(
    ("purpose", "created", "command"),
    [
        ("data", "2025-03-02T00:00:00.000Z", "registry keys rotate data"),
        ("ledger", "2025-03-02T00:00:00.000Z", "registry keys rotate ledger --announce"),
        ("data", "2025-03-02T00:00:01.000Z", ""),
        ("data", "not known", ""),
    ],
)
def test_of_a_key_that_is_older_than_it_may_be(purpose: str, created: str, command: str) -> None:
    said = age_of(KeyFacts(purpose, "data-1", created), LIMITS)
    assert said == (f"in use for 365 days, and keys are exchanged after 365; run: {command}" if command else "")
