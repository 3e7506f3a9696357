"""What is imported is declared, and what is declared is used."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT, Module, modules, parse

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEVER_IMPORTED_BY_US = {
    "python-multipart": "the web framework reads uploads with it",
}
OURS = {"registry"}


def declared() -> set[str]:
    """Return what an installation has, or may be given: an extra of its own for each key service that needs one."""
    extras = PROJECT["optional-dependencies"]
    lines = (*PROJECT["dependencies"], *extras["aws"], *extras["pkcs11"])
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imported_packages(code: Iterable[Module]) -> set[str]:
    """Return the top-level names of other people's packages that the code imports."""
    found = set()
    for module in code:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - OURS - sys.stdlib_module_names


def distributions_of(packages: Iterable[str]) -> dict[str, set[str]]:
    known = packages_distributions()
    return {name: {canonicalize_name(found) for found in known.get(name, [])} for name in packages}


def undeclared(code: Iterable[Module]) -> list[str]:
    found = distributions_of(imported_packages(code))
    return sorted(name for name, distributions in found.items() if not distributions & declared())


def test_what_is_imported_is_declared() -> None:
    assert undeclared(modules("registry", "migrations")) == []


def test_what_is_declared_is_used() -> None:
    used = set().union(*distributions_of(imported_packages(modules("registry", "migrations"))).values())
    assert sorted(declared() - used - set(NEVER_IMPORTED_BY_US)) == []


def test_an_undeclared_import_is_found() -> None:
    code = [parse("import click\n"), parse("def late():\n    from packaging.version import Version\n")]
    assert undeclared(code) == ["packaging"]
