"""Generated requests against the OpenAPI document: no fault, nothing undocumented, nothing that was sent comes back.

A few examples of every operation in every run; three hundred, and long ways along the links, in the long one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import registry
from registry.api.app import _ROUTERS
from registry.api.openapi import openapi_document
from registry.domain.principals import Role
from tests.functional.hostile.conftest import Site
from tests.functional.services.homes import person

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES: Mapping[str, Role] = {
    "enrollSubject": Role.ENROLLER,
    "importSubjects": Role.ENROLLER,
    "updateSubject": Role.ENROLLER,
    "searchSubjects": Role.INVESTIGATOR,
    "disclose": Role.READER,
    "discloseBatch": Role.READER,
    "discloseOwnRecords": Role.SUBJECT,
    "listOwnRecords": Role.SUBJECT,
    "accountForDisclosures": Role.SUBJECT,
    "listEntries": Role.AUDITOR,
    "getCheckpoint": Role.AUDITOR,
    "listPrincipals": Role.SECURITY_ADMIN,
    "grantRoles": Role.SECURITY_ADMIN,
}
DOCUMENT = openapi_document(_ROUTERS)
# Our own words, the source among them: codes of errors are some, and a generated text may be a part of one.
VOCABULARY = json.dumps(DOCUMENT) + "".join(path.read_text() for path in Path(registry.__file__).parent.rglob("*.py"))
OPERATIONS = [
    (method.upper(), path, operation["operationId"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
MARK = "Zq7marker"
GOOD = {"categories": ["phone"], "purpose": {"code": "emergency_contact"}}
LONG_ENOUGH = 6  # shorter texts occur anywhere


def role_of(operation: str) -> Role:
    return ROLES.get(operation, Role.INVESTIGATOR)


def schema_of(site: Site) -> Any:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(dict(site.document))
    schema.config.update(base_url=site.url)
    return schema


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield key
            yield from texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts(member)


def demand_no_echo(case: Case, answer: Any) -> None:
    """Check that no text that was sent comes back in an error."""
    if answer.status_code < 400:
        return
    said = answer.content.decode("utf-8", "replace") + json.dumps(dict(answer.headers), default=str)
    sent = [case.body, dict(case.path_parameters or {}), dict(case.query or {}), dict(case.headers or {})]
    for text in texts(sent):
        if len(text) >= LONG_ENOUGH and text not in VOCABULARY:
            assert text not in said, f"{case.method} {case.path} gave back what was sent"
    assert MARK not in said


def planted(value: Any, choose: Callable[[int], int]) -> Any:
    """Return a JSON value with the mark in the place of one of its parts, or as a further key."""
    if isinstance(value, dict) and value:
        keys = [*value, None]
        key = keys[choose(len(keys))]
        if key is None:
            return {**value, MARK: MARK}
        return {**value, key: planted(value[key], choose)}
    if isinstance(value, list) and value:
        place = choose(len(value))
        return [*value[:place], planted(value[place], choose), *value[place + 1 :]]
    return MARK


def fuzz(site: Site, method: str, path: str, name: str, examples: int) -> int:
    """Send so many generated requests, good and bad ones, and check every answer; gives how many were sent."""
    sent = [0]
    operation = schema_of(site)[path][method]
    own = site.headers(role_of(name))
    others = [site.headers(role) for role in Role] + [{}, {"Authorization": f"Bearer {MARK}"}]
    modes = st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=modes, headers=st.one_of(*[st.just(own)] * 19, st.sampled_from(others)), data=st.data())
    def examine(case: Case, headers: dict[str, str], data: st.DataObject) -> None:
        is_planted = isinstance(case.body, dict | list) and data.draw(st.integers(0, 3)) == 0
        if is_planted:
            case.body = planted(case.body, lambda count: data.draw(st.integers(0, count - 1)))
        answer = case.call(headers=headers)
        sent[0] += 1
        case.validate_response(answer, checks=CHECKS)
        demand_no_echo(case, answer)

    examine()
    return sent[0]


@pytest.mark.parametrize(("method", "path", "name"), OPERATIONS)
def test_generated_requests(site: Site, method: str, path: str, name: str) -> None:
    assert fuzz(site, method, path, name, 10) >= 1


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "name"), OPERATIONS)
def test_many_generated_requests(site: Site, method: str, path: str, name: str) -> None:
    assert fuzz(site, method, path, name, 300) >= 1


def walk(site: Site, examples: int, steps: int) -> set[str]:
    """Go along the document's links, each operation asked by who may; gives the answers of linked requests.

    Every second enrollment, change, and lookup of a known subject is one that succeeds, or few would come far.
    """
    came: set[str] = set()
    numbers = itertools.count()
    ways: list[None] = []

    class Walk(schema_of(site).as_state_machine()):  # type: ignore[misc]  # made at run time
        def setup(self) -> None:
            super().setup()
            ways.append(None)

        def before_call(self, case: Case) -> None:
            name = case.operation.definition.raw["operationId"]
            case.headers.update(site.headers(role_of(name)))
            number = next(numbers)
            if number % 2:
                return
            if name == "enrollSubject":
                case.body = person(f"W-{number}")
            elif name == "updateSubject":
                case.headers.pop("If-Match", None)
                case.body = {"department": f"Department {number}"}
            elif name == "disclose" and isinstance(case.body, dict) and "subject" in case.body:
                case.body = GOOD | {"subject": case.body["subject"]}

        def validate_response(self, response: Any, case: Case, additional_checks: Any = None, **more: Any) -> None:
            case.validate_response(response, checks=CHECKS)
            demand_no_echo(case, response)
            if case.operation.definition.raw["operationId"] in {"disclose", "listEntries", "updateSubject"}:
                came.add(f"{case.operation.definition.raw['operationId']} {response.status_code}")

    # The registry remembers: a way gone again may lead elsewhere, which Hypothesis takes for a fault of the test.
    while (left := examples - len(ways)) > 0:
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(Walk, settings=_settings(left, steps))
    return came


def _settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def test_ways_along_the_links(site: Site) -> None:
    assert walk(site, 8, 6)


@pytest.mark.slow
def test_long_ways_along_the_links(site: Site) -> None:
    # What is enrolled on the way is looked up on the way, and its entry read. Which links a way takes is drawn, and a
    # change has to follow an enrollment that succeeded: more ways are gone, ten times a hundred at most, until all are.
    wanted = {"disclose 200", "updateSubject 200", "listEntries 200"}
    came = walk(site, 300, 12)
    rounds = iter(range(10))
    while not came >= wanted and next(rounds, None) is not None:
        came |= walk(site, 100, 12)
    assert came >= wanted
