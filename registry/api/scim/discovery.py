"""What this service can do, as SCIM says it: configuration, resource types, schemas (RFC 7643 sections 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.api.scim.answers import list_document
from registry.api.scim.bulk import MOST_BYTES, MOST_OPERATIONS
from registry.api.scim.names import (
    BASE,
    CORE,
    CORE_VALUES,
    ENTERPRISE,
    GROUP,
    NAME_ATTRIBUTES,
    PROTECTED,
    PROTECTED_ATTRIBUTES,
    Kept,
)
from registry.domain.categories import Category
from registry.domain.enrollment import Relation
from registry.domain.marks import Tier
from registry.services.provision import MAX_PAGE

_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_CONFIGURATION = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_WRITTEN: Mapping[str, Any] = {"mutability": "writeOnly", "returned": "never"}
_TYPES = {"primary": "boolean"}
_CHOICES: Mapping[str, list[str]] = {
    "kind": ["home", "mobile", "work", "other"],
    "relation": [each.value for each in Relation],
    "confidentiality": [each.value for each in Tier],
}
_NEEDED = frozenset({"ref", "relation", "number", "address", "statement", "plate", "state", "kind", "member"})


def attribute(name: str, description: str, kind: str = "string", **changes: Any) -> dict[str, Any]:
    """Return the description of an attribute; what is not said is as for most."""
    plain = {
        "name": name,
        "type": kind,
        "multiValued": False,
        "description": description,
        "required": False,
        "mutability": "readWrite",
        "returned": "default",
    }
    if kind == "string":
        plain |= {"caseExact": True, "uniqueness": "none"}
    return plain | changes


def _core_value(name: str, subs: tuple[str, ...]) -> dict[str, Any]:
    inner = [attribute(sub, f"{sub} of one of them.", _TYPES.get(sub, "string"), **_WRITTEN) for sub in subs]
    told = "Kept as protected records of the subject; written, never read back."
    return attribute(name, told, "complex", multiValued=True, subAttributes=inner, **_WRITTEN)


def _protected(name: str, kept: Kept) -> dict[str, Any]:
    told = f"A protected value of the category {kept.category.value}; written, never read back."
    if "" in kept.keys:
        return attribute(name, told, **_WRITTEN)
    inner = []
    for sub in kept.keys:
        is_needed = sub in _NEEDED and kept.category is not Category.HOME_ADDRESS
        more: dict[str, Any] = {"canonicalValues": _CHOICES[sub]} if sub in _CHOICES else {}
        inner.append(attribute(sub, f"{sub} as in the enrollment.", required=is_needed, **_WRITTEN, **more))
    return attribute(name, told, "complex", multiValued=kept.is_many, subAttributes=inner, **_WRITTEN)


_USER = (
    attribute("userName", "What the HR system calls the account.", required=True, caseExact=False, uniqueness="server"),
    attribute(
        "name",
        "The name; one of its two parts may be missing.",
        "complex",
        required=True,
        subAttributes=[attribute(name, "A part of the name.") for name in NAME_ATTRIBUTES],
    ),
    attribute("displayName", "The name in one line; made here.", mutability="readOnly"),
    attribute("title", "What somebody is."),
    attribute("active", "Whether they are employed. Protection does not end with it.", "boolean", required=True),
    *(_core_value(name, subs) for name, subs in CORE_VALUES.items()),
)
_ENTERPRISE = (
    attribute("employeeNumber", "Who they are; never changes.", required=True, mutability="immutable"),
    attribute("department", "The unit.", required=True),
    attribute(
        "manager",
        "Who leads them; conflicts of interest go by it. Written, never read back.",
        "complex",
        subAttributes=[
            attribute("value", "The manager's id here.", **_WRITTEN),
            attribute("$ref", "Where the manager is found.", "reference", referenceTypes=["User"], **_WRITTEN),
        ],
        **_WRITTEN,
    ),
)
_GROUP = (
    attribute(
        "displayName",
        "The unit; the department of those who are in it.",
        required=True,
        caseExact=False,
        uniqueness="server",
    ),
    attribute(
        "members",
        "Who is in it. Whoever joins leaves the unit that they were in.",
        "complex",
        multiValued=True,
        subAttributes=[
            attribute("value", "The member's id here.", mutability="immutable"),
            attribute(
                "$ref", "Where the member is found.", "reference", referenceTypes=["User"], mutability="immutable"
            ),
            attribute("type", "What the member is.", canonicalValues=["User"], mutability="immutable"),
        ],
    ),
)
_MARKED = "How the new values of this document are marked; confidential unless said."
_PROTECTED = (
    *(_protected(name, kept) for name, kept in PROTECTED_ATTRIBUTES.items()),
    attribute("confidentiality", _MARKED, canonicalValues=_CHOICES["confidentiality"], **_WRITTEN),
    attribute("basis", "The rule that the mark rests on.", **_WRITTEN),
)


def _schema(urn: str, name: str, description: str, attributes: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    meta = {"resourceType": "Schema", "location": f"{BASE}/Schemas/{urn}"}
    told = {"schemas": [_SCHEMA], "id": urn, "name": name, "description": description}
    return told | {"attributes": list(attributes), "meta": meta}


SCHEMAS: Mapping[str, dict[str, Any]] = {
    CORE: _schema(CORE, "User", "Somebody whose records are protected.", _USER),
    GROUP: _schema(GROUP, "Group", "A unit.", _GROUP),
    ENTERPRISE: _schema(ENTERPRISE, "EnterpriseUser", "Number, unit and manager.", _ENTERPRISE),
    PROTECTED: _schema(PROTECTED, "ProtectedUser", "Protected values: written, never read back.", _PROTECTED),
}
RESOURCE_TYPES: Mapping[str, dict[str, Any]] = {
    "User": {
        "schemas": [_TYPE],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "Somebody whose records are protected.",
        "schema": CORE,
        "schemaExtensions": [
            {"schema": ENTERPRISE, "required": True},
            {"schema": PROTECTED, "required": False},
        ],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/User"},
    },
    "Group": {
        "schemas": [_TYPE],
        "id": "Group",
        "name": "Group",
        "endpoint": "/Groups",
        "description": "A unit.",
        "schema": GROUP,
        "schemaExtensions": [],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/Group"},
    },
}
SERVICE_PROVIDER_CONFIG: Mapping[str, Any] = {
    "schemas": [_CONFIGURATION],
    "patch": {"supported": True},
    "bulk": {"supported": True, "maxOperations": MOST_OPERATIONS, "maxPayloadSize": MOST_BYTES},
    "filter": {"supported": True, "maxResults": MAX_PAGE},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": True},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "OAuth bearer token",
            "description": "An access token (RFC 9068) of a configured issuer, of a principal with the role enroller.",
            "primary": True,
        }
    ],
    "meta": {"resourceType": "ServiceProviderConfig", "location": f"{BASE}/ServiceProviderConfig"},
}


def listed(documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return all of some descriptions as a list."""
    return list_document(list(documents.values()), len(documents))
