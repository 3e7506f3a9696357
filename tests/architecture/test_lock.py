"""The hashed requirements are complete, name no address and satisfy pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(text: str) -> dict[str, str]:
    """Return name to version of a locked requirements file."""
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z0-9,.-]+\])?==(\S+)", text, re.MULTILINE))


def extras(text: str) -> dict[str, set[str]]:
    """Return name to extras of a locked requirements file, for the lines that have some."""
    found = re.findall(r"^([a-z0-9.-]+)\[([a-z0-9,.-]+)\]==", text, re.MULTILINE)
    return {name: set(of.split(",")) for name, of in found}


def asked_extras(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each (package, extra) that an installed package of these names asks of another."""
    for name in names:
        try:
            wanted = [Requirement(line) for line in requires(name) or []]
        except PackageNotFoundError:  # a pin for another platform
            continue
        for requirement in wanted:
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield from ((canonicalize_name(requirement.name), of) for of in requirement.extras)


def problems(text: str) -> list[str]:
    """Name every line that would let something else than the pinned file in."""
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        first = block.splitlines()[0]
        if not re.match(r"[a-z0-9.-]+(\[[a-z0-9,.-]+\])?==\S+( ;.*)? \\$", first) or "--hash=sha256:" not in block:
            found.append(first)
        if "://" in block:
            found.append(f"address: {first}")
    return found


def unmet(requirements: list[str], locked: Mapping[str, str]) -> list[str]:
    wanted = [Requirement(line) for line in requirements]
    return [
        str(requirement)
        for requirement in wanted
        if (version := locked.get(canonicalize_name(requirement.name))) is None
        or Version(version) not in requirement.specifier
    ]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_is_pinned_and_hashed(name: str) -> None:
    assert problems(read(name)) == []


def test_the_lock_satisfies_the_project() -> None:
    wanted = PROJECT["dependencies"] + EXTRAS["build"] + EXTRAS["postgresql"]
    assert unmet(wanted, pins(read("requirements.txt"))) == [], "run make lock"
    assert unmet(wanted + EXTRAS["dev"], pins(read("requirements-dev.txt"))) == [], "run make lock"


def test_development_runs_on_what_production_runs_on() -> None:
    assert pins(read("requirements.txt")).items() <= pins(read("requirements-dev.txt")).items()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_extras_are_pinned_too(name: str) -> None:
    """Where `a[b]` is asked for and only `a` is pinned, pip refuses as soon as a newer `a` is out."""
    text = read(name)
    pinned = extras(text)
    loose = {(of, extra) for of, extra in asked_extras(pins(text)) if extra not in pinned.get(of, set())}
    assert loose == set(), "run make lock"


def test_an_extra_of_a_dependency_is_seen() -> None:
    assert ("coverage", "toml") in set(asked_extras(["pytest-cov"]))


def test_every_package_that_runs_has_its_licence_listed() -> None:
    listed = set(re.findall(r"^\| ([a-z0-9.-]+) \|", read("THIRD_PARTY.md"), re.MULTILINE))
    assert set(pins(read("requirements.txt"))) - listed == set()


@pytest.mark.parametrize(
    "text",
    [
        "click==8.5.1\n",
        "click>=8 \\\n    --hash=sha256:00\n",
        "--index-url https://example.org\n",
        "click @ https://example.org/c.whl \\\n    --hash=sha256:00\n",
    ],
)
def test_a_loose_line_is_found(text: str) -> None:
    assert problems(text)


def test_a_stale_lock_is_found() -> None:
    assert unmet(["click>=9,<10", "newcomer"], {"click": "8.5.1"}) == ["click<10,>=9", "newcomer"]
