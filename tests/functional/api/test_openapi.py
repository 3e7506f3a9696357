"""The OpenAPI document: complete, consistent, and its examples are what the server takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from registry.api.app import create_app
from registry.domain.principals import Role
from tests.functional.api.conftest import Site
from tests.functional.api.contract import faults, resolve
from tests.functional.services.homes import Home


@pytest.fixture
def document(home: Home) -> dict[str, Any]:
    described: dict[str, Any] = create_app(home.app).openapi()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def walk(value: Any) -> Iterator[Any]:
    yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(member)


def test_it_is_served_to_everybody(site: Site) -> None:
    answer = site.http.get("/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")
    assert answer.json() == site.contract.document


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    references = {node["$ref"] for node in walk(document) if isinstance(node, dict) and "$ref" in node}
    for reference in references:
        resolve(reference, document)
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert named == references


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    found = dict(operations(document))
    identifiers = [operation["operationId"] for operation in found.values()]
    assert len(identifiers) == len(set(identifiers)) == 79
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        in_path = set(re.findall(r"{(\w+)}", name))
        assert in_path == {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}, name
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            expected = {"application/problem+json"} if status >= "400" else set(answer["content"])
            assert set(answer["content"]) == expected, (name, status)


def test_protected_operations_say_so(document: dict[str, Any]) -> None:
    public = {name for name, operation in operations(document) if not operation["security"]}
    assert public == {"get /", "get /healthz", "get /readyz", "get /.well-known/security.txt"}
    for name, operation in operations(document):
        if name not in public:
            assert operation["security"] == [{"bearer": []}]
            assert {"401", "403", "500", "503"} <= operation["responses"].keys()
            assert re.search(r"[Rr]oles? `|: roles `", operation["description"]), f"{name} names no role"


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    count = 0
    for name, operation in operations(document):
        media = list(operation.get("requestBody", {"content": {}})["content"].values())
        media += [content for answer in operation["responses"].values() for content in answer["content"].values()]
        for content in media:
            examples = [example["value"] for example in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            for example in examples:
                count += 1
                assert list(faults(content["schema"], example, document)) == [], name
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            assert list(faults(schema, example, document)) == []
    assert count > 100


def test_the_server_takes_the_examples(site: Site) -> None:
    roles = {"enrollSubject": Role.ENROLLER, "searchSubjects": Role.ENROLLER, "disclose": Role.READER}
    roles |= {"discloseBatch": Role.READER, "traceText": Role.INVESTIGATOR, "addItem": Role.INVESTIGATOR}
    roles |= {"grantRoles": Role.SECURITY_ADMIN}
    roles |= {"breakGlass": Role.READER, "reviewBreakGlass": Role.APPROVER}
    roles |= dict.fromkeys(("agreeOnPolicies", "askForKeyChange"), Role.SECURITY_ADMIN)
    roles |= {"approveRequest": Role.APPROVER, "refuseRequest": Role.APPROVER}
    roles |= {"discloseOwnRecords": Role.SUBJECT, "updateSubject": Role.ENROLLER}
    roles |= {"unlockPrincipal": Role.APPROVER, "setDecoys": Role.SECURITY_ADMIN, "checkValue": Role.INVESTIGATOR}
    roles |= {"checkRelease": Role.RECORDS_OFFICER, "findValueSearches": Role.INVESTIGATOR}
    roles |= dict.fromkeys(("disputeEntry", "correctRecord", "putContact"), Role.SUBJECT)
    roles |= {"answerDispute": Role.AUDITOR, "acceptCorrection": Role.ENROLLER, "refuseCorrection": Role.ENROLLER}
    roles |= {
        "movePrincipal": Role.SECURITY_ADMIN,
        "revokeToken": Role.SECURITY_ADMIN,
        "placeHold": Role.INVESTIGATOR,
        "endHold": Role.AUDITOR,
    }
    roles |= {"confirmHold": Role.APPROVER, "refuseHold": Role.APPROVER}
    roles |= {"reviewLookup": Role.AUDITOR, "eraseSubject": Role.ENROLLER, "openTraceDraws": Role.INVESTIGATOR}
    roles |= dict.fromkeys(("addTraceNote", "setTraceState"), Role.INVESTIGATOR)
    roles["nameTracedAccount"] = Role.INVESTIGATOR
    roles |= {"produceAccounting": Role.AUDITOR}
    taken = []
    for name, operation in operations(site.contract.document):
        if "application/json" not in operation.get("requestBody", {"content": {}})["content"]:
            continue
        method, path = name.split(" ")
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            role = roles[operation["operationId"]]
            headers = site.as_(role, "KC-004211" if role is Role.SUBJECT else None)
            answer = site.http.request(method, re.sub(r"{\w+}", "0" * 32, path), json=example["value"], headers=headers)
            # A form that was refused would be 400 or 422; an unknown person or another role's way is not its fault.
            # Ids of places are of one document; the example's are of no place here.
            is_astray = [one["code"] for one in answer.json().get("errors", [])] == ["unknown_place"]
            taken.append(404 if is_astray else answer.status_code)
    assert set(taken) <= {200, 201, 202, 403, 404}
    assert {200, 201} <= set(taken)


def test_examples_hold_nobodys_number(document: dict[str, Any]) -> None:
    texts = [node for node in walk(document) if isinstance(node, str)]
    ssns = {found for text in texts for found in re.findall(r"\b\d{3}-\d{2}-\d{4}\b", text)}
    phones = {found for text in texts for found in re.findall(r"\b\d{3}-\d{3}-\d{4}\b", text)}
    assert all(ssn.startswith(("000", "9")) for ssn in ssns)
    assert phones
    assert all(re.fullmatch(r"\d{3}-555-01\d{2}", phone) for phone in phones)


def test_the_validator_finds_faults() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"oneOf": [{"const": 1}, {"type": "integer"}]}},
        "additionalProperties": False,
    }
    assert list(faults(schema, {"a": 1}, {})) == []
    wrong: list[Any] = [{}, {"a": 0}, {"a": "1"}, {"a": True}, {"a": 1, "c": 1}, {"a": 1, "b": 1}, [], None]
    for value in wrong:
        assert list(faults(schema, value, {})), value
