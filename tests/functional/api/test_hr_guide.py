"""The documents of the guide for HR systems are sent as they stand there, and what it shows of answers is answered.

Its calls of SCIM are run by ``test_scim_guide.py``, its commands by ``tests/functional/cli/test_hr_guide.py``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from registry.domain.principals import Role
from tests.functional.api.conftest import Site
from tests.functional.api.test_scim_guide import GUIDE


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


def document(place: int) -> dict[str, Any]:
    """Return one of the guide's documents: a person, relations, what came of a file, a refusal."""
    found = blocks("json")
    assert len(found) == 4
    return dict(json.loads(found[place]))


def test_the_person_of_the_guide_is_enrolled_and_answered_as_it_says(site: Site) -> None:
    body = document(0)
    first = site.post("/v1/subjects", body, Role.ENROLLER, **{"Idempotency-Key": "one"})
    assert first.status_code == 201, first.text
    assert set(first.json()) == {"subject", "version", "records", "receipt"}
    assert {"record", "category", "member"} <= set(first.json()["records"][0])
    assert first.headers["Audit-Receipt"]
    assert len(first.json()["records"]) == len(body["records"]) + len(body["family"])
    again = site.post("/v1/subjects", body, Role.ENROLLER, **{"Idempotency-Key": "one"})
    assert (again.json()["subject"], "Idempotent-Replayed" in again.headers) == (first.json()["subject"], True)
    other = site.post("/v1/subjects", body | {"title": "Sergeant"}, Role.ENROLLER, **{"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    bare = site.post("/v1/subjects", body, Role.ENROLLER)
    assert (bare.status_code, bare.json()["code"]) == (409, "exists")


def test_the_relations_of_the_guide_are_taken(site: Site) -> None:
    answer = site.post("/v1/subjects", document(0) | document(1) | {"records": []}, Role.ENROLLER)
    assert answer.status_code == 201, answer.text


def test_a_refusal_is_the_document_that_the_guide_shows(site: Site) -> None:
    body = document(0)
    body["records"][2] = {"category": "ssn", "value": {"number": "900-12-3456"}}
    answer = site.post("/v1/subjects", body, Role.ENROLLER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json() == document(3)
