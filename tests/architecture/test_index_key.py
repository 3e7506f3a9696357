"""What is made of the index key and of the key of repeated requests: all of it stands in docs/encryption.md.

Neither key is ever exchanged, so each new use is something that a copy of the key is good for as long as the registry
lives. A use that is not on the page, and a line of the page without its use, is red.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest

from tests.architecture.source import ROOT, Module, modules, parse

PAGE = "docs/encryption.md"
HEADING = "## What goes under another secret, and what does not"
# Who is given the index secret itself, and what each derives of it.
TAKERS = {
    "guard_key": "registry/row-guards/v1",
    "Chains": "registry/chain-states/v1, registry/ledger-postings/v1",
    "BlindIndex.of": "registry/blind-index/v1",
    "EmployeeLinks": "registry/employee-links/v1",
    "SubjectTies": "registry/subject-ties/v1",
    "NoticeSeal": "registry/notices/v1",
    "PetitionVault": "registry/petition-links/v1",
    "UnitNames": "registry/unit-names/v1",
    "ErasedList": "registry/erased/v1",
    "Idempotency": "",
    "MarkSecrets": "",  # rotates: registry keys rotate marks
}


class Use(NamedTuple):
    """Who is given a secret, and where."""

    purpose: str
    taker: str
    path: str


def section() -> str:
    """Return the part of the page that says what does not rotate."""
    text = (ROOT / PAGE).read_text("utf-8")
    return text.split(HEADING, 1)[1].split("\n## ", 1)[0]


def uses(module: Module) -> Iterator[Use]:
    """Yield whom a module gives a secret of the ring to, through one name of its own at most."""
    named: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and (purpose := purpose_of(node.value)):
            named |= {target.id: purpose for target in node.targets if isinstance(target, ast.Name)}
    counted = 0
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        for given in (*node.args, *(one.value for one in node.keywords)):
            direct = purpose_of(given)
            counted += bool(direct)
            purpose = direct or (named.get(given.id, "") if isinstance(given, ast.Name) else "")
            if purpose:
                yield Use(purpose, ast.unparse(node.func), module.path)
    asked = sum(bool(purpose_of(node)) for node in ast.walk(module.tree))
    if asked != counted + len(named):
        yield Use("?", "a secret that goes no way this test can follow", module.path)


def purpose_of(node: ast.AST) -> str:
    """Return the purpose of ``ring.secret("purpose")``; empty for anything else, ``?`` for one that is no literal."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "secret"):
        return ""
    purpose = node.args[0] if node.args else None
    return purpose.value if isinstance(purpose, ast.Constant) and isinstance(purpose.value, str) else "?"


def domains(among: Iterable[Module]) -> set[str]:
    """Return the domains of the index's tags; the changing end of one is a star."""
    calls = (node for module in among for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return {
        re.sub(r"\{.*?\}", "*", ast.unparse(call.args[0]).removeprefix("f").strip("'\""))
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "tag"
        and ast.unparse(call.func.value).rpartition(".")[2].removeprefix("_") == "index"
    }


def labels(among: Iterable[Module]) -> set[str]:
    """Return what keys are derived of a thing that is called an index secret."""
    calls = (node for module in among for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return {
        str(ast.literal_eval(call.args[1]))
        for call in calls
        if ast.unparse(call.func) == "derive" and ast.unparse(call.args[0]) == "index_secret"
    }


def test_whoever_is_given_a_secret_is_known() -> None:
    found = [use for module in modules("registry") for use in uses(module)]
    assert not [use for use in found if use.taker not in TAKERS]
    assert {use.taker for use in found} == set(TAKERS)
    assert {use.taker for use in found if use.purpose == "idempotency"} == {"Idempotency"}
    assert {use.taker for use in found if use.purpose == "marks"} == {"MarkSecrets"}


def test_the_page_names_each_derived_key_and_nothing_else() -> None:
    derived = {label for told in TAKERS.values() for label in told.split(", ") if label}
    assert labels(modules("registry")) | {"registry/erased/v1"} == derived
    assert set(re.findall(r'^\| `"(registry/[a-z-]+/v1)"`', section(), re.MULTILINE)) == derived


def test_the_page_names_each_domain_of_a_tag_and_nothing_else() -> None:
    table = section().split("Domains of keyed tags", 1)[1]
    told = {one for row in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for one in re.findall(r"`([^`]+)`", row)}
    assert domains(modules("registry")) == told


def test_the_page_says_how_long_tags_of_repeated_requests_live() -> None:
    from registry.services.idempotency import KEPT_MS

    assert KEPT_MS == 7 * 24 * 3600 * 1000
    assert "live seven days" in section()


@pytest.mark.parametrize(
    "planted",
    [
        'Mailer(ring.secret("index"))',
        'key = ring.secret("index")\nMailer(key)',
        'Mailer(key=self.keyring.secret("index"))',
        'print(ring.secret("index") + b"")',
        "Chains(registry, ring.secret(purpose), 1).other(ring.secret(purpose))",
    ],
)
def test_a_new_use_is_found(planted: str) -> None:
    found = list(uses(parse(planted, "registry/bootstrap/opening.py")))
    assert [use for use in found if use.taker not in TAKERS or use.purpose == "?"]


def test_a_new_tag_and_a_new_derivation_are_found() -> None:
    planted = parse(
        'kernel.index.tag(f"fresh-{what}", b"")\nself._index.tag("other", b"")\nderive(index_secret, "x/v1")'
    )
    assert domains([planted]) == {"fresh-*", "other"}
    assert labels([planted]) == {"x/v1"}
