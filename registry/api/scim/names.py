"""The words of SCIM 2.0 that we know: schemas, attributes, and which of them hold values that nobody gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.domain.categories import Category

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PROTECTED = "urn:registry:params:scim:schemas:extension:protected:1.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_ANSWER = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
BASE = "/scim/v2"
SCHEMAS = "schemas"  # some write it into an extension too, where it says nothing


@dataclass(frozen=True, slots=True)
class Kept:
    """An attribute that holds values of a protected category.

    Attributes:
        category: which; a family member is none of the records but an entry of the household.
        keys: sub-attribute -> key of the category's value; a single empty sub-attribute is a plain text.
        is_many: whether it holds several.
    """

    category: Category
    keys: Mapping[str, str] = field(default_factory=dict)
    is_many: bool = False


_ADDRESS = {name: name for name in ("line", "street", "unit", "city", "state")} | {"postalCode": "postal_code"}
# The protected extension. Everything in it is written and never read back.
PROTECTED_ATTRIBUTES: Mapping[str, Kept] = {
    "ssn": Kept(Category.SSN, {"": "number"}),
    "dateOfBirth": Kept(Category.DATE_OF_BIRTH, {"": "date"}),
    "homeAddress": Kept(Category.HOME_ADDRESS, _ADDRESS),
    "phones": Kept(Category.PHONE, {"kind": "kind", "number": "number"}, is_many=True),
    "emails": Kept(Category.EMAIL, {"address": "address"}, is_many=True),
    "paymentCards": Kept(Category.PAYMENT_CARD, {"number": "number"}, is_many=True),
    "vehiclePlates": Kept(Category.VEHICLE_PLATE, {"plate": "plate", "state": "state"}, is_many=True),
    "health": Kept(Category.HEALTH, {"statement": "statement"}, is_many=True),
    "schools": Kept(Category.SCHOOL, {"member": "member", "name": "name", "city": "city"}, is_many=True),
    "family": Kept(
        Category.FAMILY_MEMBER,
        {"ref": "ref", "relation": "relation", "givenName": "given_name", "familyName": "family_name"},
        is_many=True,
    ),
}
MARK_ATTRIBUTES = ("confidentiality", "basis")
# Core attributes that hold protected values too: kept as those, and as little read back.
CORE_VALUES: Mapping[str, tuple[str, ...]] = {
    "emails": ("value", "type", "primary", "display"),
    "phoneNumbers": ("value", "type", "primary", "display"),
    "addresses": (*("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary"),),
}
# Taken and not kept: what we make ourselves, and what says nothing that this registry is for.
IGNORED = frozenset(
    {
        "id",
        "meta",
        "displayName",
        "groups",
        "locale",
        "preferredLanguage",
        "timezone",
        "nickName",
        "userType",
        "schemas",
    }
)
GROUP_ATTRIBUTES = ("displayName", "externalId", "members")
NAME_ATTRIBUTES = ("givenName", "familyName")
IGNORED_NAMES = frozenset({"formatted", "middleName", "honorificPrefix", "honorificSuffix"})
CORE_ATTRIBUTES = frozenset({"userName", "externalId", "name", "title", "active", *CORE_VALUES})
ENTERPRISE_ATTRIBUTES = frozenset({"employeeNumber", "department", "manager"})
ENTERPRISE_IGNORED = frozenset({"organization", "division", "costCenter"})
EXTENSIONS: Mapping[str, frozenset[str]] = {
    ENTERPRISE: ENTERPRISE_ATTRIBUTES | ENTERPRISE_IGNORED,
    PROTECTED: frozenset({*PROTECTED_ATTRIBUTES, *MARK_ATTRIBUTES}),
}
# Sub-attributes, by attribute: names of all of them fold to one writing (RFC 7643 section 2.1: case does not matter).
SUB_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "name": frozenset({*NAME_ATTRIBUTES, *IGNORED_NAMES}),
    "manager": frozenset({"value", "displayName", "$ref"}),
    **{name: frozenset(keys) for name, keys in CORE_VALUES.items()},
}


def folded(names: frozenset[str]) -> dict[str, str]:
    """Return every name by its folded writing."""
    return {name.casefold(): name for name in names}


_CORE = folded(CORE_ATTRIBUTES | IGNORED)
_EXTENSIONS = {urn.casefold(): (urn, folded(names)) for urn, names in EXTENSIONS.items()}


def subs_of(urn: str, attribute: str) -> dict[str, str]:
    """Return an attribute's sub-attributes by their folded writing."""
    if urn == PROTECTED:
        kept = PROTECTED_ATTRIBUTES.get(attribute)
        return folded(frozenset(key for key in kept.keys if key)) if kept is not None else {}
    return folded(SUB_ATTRIBUTES.get(attribute, frozenset()))


def attribute_of(text: str) -> tuple[str, str] | None:
    """Return schema and attribute that a name stands for; None for one that we do not know.

    A whole extension has an empty attribute.
    """
    low = text.casefold()
    if low in _EXTENSIONS:
        return _EXTENSIONS[low][0], ""
    if low.startswith(CORE.casefold() + ":"):
        low = low[len(CORE) + 1 :]
    if low in _CORE:
        return CORE, _CORE[low]
    for prefix, (urn, names) in _EXTENSIONS.items():
        if low.startswith(prefix + ":") and low[len(prefix) + 1 :] in names:
            return urn, names[low[len(prefix) + 1 :]]
    return None


_GROUP = folded(frozenset({*GROUP_ATTRIBUTES, "id", "meta", SCHEMAS}))


def group_attribute_of(text: str) -> str | None:
    """Return which attribute of a group a name stands for; None for one that we do not know."""
    low = text.casefold()
    return _GROUP.get(low.removeprefix(GROUP.casefold() + ":"))
