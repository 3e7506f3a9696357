"""What was opened goes with the trace that it was opened for."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

import registry.leaktrace
import registry.text
from registry.leaktrace import (
    decide,
    decide_addresses,
    decide_contextual,
    decide_identifying,
    decide_schools,
    dossier,
)
from registry.text import remembering
from registry.text.nearness import key_distance

MODULES = (decide, decide_addresses, decide_contextual, decide_identifying, decide_schools, dossier)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_rule_keeps_opened_values_for_longer_than_their_dossier(module: ModuleType) -> None:
    own = (one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__)
    assert [one for one in own if hasattr(one, "cache_info")] == []


# Of single characters, and of the kinds of columns.
NOT_PERSONAL = {"_plan", "_belongs_to_word", "_script", "_fold_char", "_kind_problem"}


def modules_of(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(one.name) for one in found]


def test_whatever_keeps_results_of_words_lets_go_of_them_with_the_text() -> None:
    kept = {
        value.__name__
        for module in (*modules_of(registry.text), *modules_of(registry.leaktrace))
        for value in vars(module).values()
        if hasattr(value, "cache_info") and value not in remembering._KEPT
    }
    assert kept == NOT_PERSONAL


def test_what_is_remembered_is_let_go_however_it_ends() -> None:
    @remembering.forgetting()
    def compared() -> None:
        assert key_distance("danabrlghtwater", "danabrlghtwatcr", 2) == 1
        assert remembering.count_remembered()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        compared()
    assert remembering.count_remembered() == 0
