"""Somebody else's conformance checks (scim2-tester) against the served registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from registry.domain.principals import Role
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import Site
from tests.functional.api.test_scim_users import ENTERPRISE, PROTECTED

_WHY = "scim2-tester is not installed: conformance to SCIM NOT checked"
client = pytest.importorskip("scim2_client.engines.httpx2", reason=_WHY)
models = pytest.importorskip("scim2_models", reason=_WHY)
tester = pytest.importorskip("scim2_tester", reason=_WHY)

# The checks fill attributes at random; what these may hold is narrower than a schema of SCIM can say.
EXAMPLES: Mapping[str, list[str]] = {
    "employeeNumber": [f"T-{number}" for number in range(10_000, 90_000)],
    "familyName": ["Brightwater", "Lee", "Okafor"],
    "givenName": ["Dana", "Robin", "Mika"],
    "userName": [f"user-{number}" for number in range(10_000, 90_000)],
    "ssn": ["741-12-3456", "741-12-9999"],
    "dateOfBirth": ["1984-02-29"],
    "line": ["1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"],
    "formatted": ["9 Fern St, Fairhollow, MO"],
    "postalCode": ["64999"],
    "region": ["MO"],
    "plate": ["ZX4 T9Q"],
    "state": ["MO"],
    "ref": ["c1"],
    "member": ["c1"],
    "address": ["dana@example.org"],
    "phoneNumbers.value": ["816-555-0142"],
    "phones.number": ["816-555-0143"],
    "paymentCards.number": ["4111 1111 1111 1111"],
}


_UNREAD = f"Attribute '{PROTECTED}' was not"
# Failures of the checks themselves: an extension that is written only has nothing to be compared with; and what never
# changes (the employee number) is left alone by them in the core schema, and in an extension tried with another value.
OF_THE_CHECKS = {
    ("check_add_attribute", _UNREAD): 1,
    ("check_replace_attribute", _UNREAD): 1,
    ("object_replacement", "immutable"): 1,
    ("check_replace_attribute", f"Failed to replace attribute '{ENTERPRISE}': immutable"): 1,
}


def reason_of(result: Any) -> str:
    """Return why a check failed, without the values that it tried."""
    reason = str(result.reason or "")
    return _UNREAD if reason.startswith(_UNREAD) else reason


def narrowed(attributes: list[dict[str, Any]], within: str = "") -> None:
    """Say in a schema's description what the checks may try."""
    for attribute in attributes:
        name = attribute["name"]
        examples = EXAMPLES.get(f"{within}.{name}") or EXAMPLES.get(name)
        if examples and attribute["type"] == "string":
            attribute["canonicalValues"] = examples
        if name == "familyName" and within == "name":
            attribute["required"] = True  # one of two parts: a schema cannot say that either
        if name == "homeAddress":  # in one line or in parts, and the checks would send both
            attribute["subAttributes"] = [one for one in attribute["subAttributes"] if one["name"] == "line"]
        if name == "family":  # of schools, for which somebody of the family has to be known
            attributes[:] = [one for one in attributes if one["name"] != "schools"]
        narrowed(attribute.get("subAttributes", []), name)


def described(http: httpx2.Client) -> Any:
    """Return what the server says of itself, narrowed."""
    schemas = http.get("/Schemas").json()["Resources"]
    for schema in schemas:
        narrowed(schema["attributes"])
    types = http.get("/ResourceTypes").json()["Resources"]
    config = models.ServiceProviderConfig.model_validate(http.get("/ServiceProviderConfig").json())
    return models.ScimProvider.from_discovery(
        [models.Schema.model_validate(schema) for schema in schemas],
        [models.ResourceType.model_validate(one) for one in types],
        config,
    )


def test_conformance(site: Site) -> None:
    headers = site.as_(Role.ENROLLER)
    with plain_client(f"{site.url}/scim/v2", headers=headers) as http:
        results = tester.check_server(client.SyncSCIMClient(http, provider=described(http)))
    failed = Counter((one.title, reason_of(one)) for one in results if one.status is not tester.Status.SUCCESS)
    assert failed == OF_THE_CHECKS
    assert len(results) > 60
