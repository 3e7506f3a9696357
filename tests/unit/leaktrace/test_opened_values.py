"""What was opened goes with the trace that it was opened for."""

from __future__ import annotations

from types import ModuleType

import pytest

from registry.leaktrace import (
    decide,
    decide_addresses,
    decide_contextual,
    decide_identifying,
    decide_schools,
    dossier,
)

MODULES = (decide, decide_addresses, decide_contextual, decide_identifying, decide_schools, dossier)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_rule_keeps_opened_values_for_longer_than_their_dossier(module: ModuleType) -> None:
    own = (one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__)
    assert [one for one in own if hasattr(one, "cache_info")] == []
