"""Provisioning by SCIM: users as Entra, Okta and others write them."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from registry.api.app import _SCIM_ROUTERS
from registry.domain.errors import LedgerCorrupt
from registry.domain.principals import Role
from tests.fakes.digits import tells
from tests.functional.api.conftest import Site

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PROTECTED = "urn:registry:params:scim:schemas:extension:protected:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
SECRETS = ("741-12-3456", "816-555-0142", "Larkspur", "1984-02-29", "vestibular", "Mika", "ZX4", "dana.b@")


def user(number: str = "T-0001", /, **changes: Any) -> dict[str, Any]:
    """Return a user of a made-up person."""
    return {
        "schemas": [CORE, ENTERPRISE, PROTECTED],
        "userName": f"{number}@city.example",
        "externalId": f"hr-{number}",
        "name": {"givenName": "Dana", "familyName": "Brightwater"},
        "title": "Ranger",
        "active": True,
        "emails": [{"value": "dana.b@example.org", "type": "work", "primary": True}],
        ENTERPRISE: {"employeeNumber": number, "department": "Parks"},
        PROTECTED: {
            "ssn": "741-12-3456",
            "dateOfBirth": "1984-02-29",
            "homeAddress": {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"},
            "phones": [{"kind": "mobile", "number": "816-555-0142"}],
            "health": [{"statement": "Seasonal vestibular migraine"}],
            "vehiclePlates": [{"plate": "ZX4 T9Q", "state": "MO"}],
            "family": [{"ref": "c1", "relation": "child", "givenName": "Mika", "familyName": "Brightwater"}],
            "schools": [{"member": "c1", "name": "Larch Hill Elementary School"}],
        },
    } | changes


def sent(site: Site, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
    all_headers = site.as_(Role.ENROLLER) | {"Content-Type": "application/scim+json"} | headers
    content = None if body is None else httpx2.Request("POST", "http://x", json=body).content
    return site.http.request(method, f"/scim/v2{path}", content=content, headers=all_headers)


def created(site: Site, number: str = "T-0001", /, **changes: Any) -> str:
    answer = sent(site, "POST", "/Users", user(number, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def patched(site: Site, identifier: str, *operations: dict[str, Any], **headers: str) -> httpx2.Response:
    return sent(site, "PATCH", f"/Users/{identifier}", {"schemas": [PATCH], "Operations": operations}, **headers)


def got(site: Site, identifier: str) -> dict[str, Any]:
    document: dict[str, Any] = sent(site, "GET", f"/Users/{identifier}").json()
    return document


def values(site: Site, number: str, *categories: str) -> list[tuple[str, Any]]:
    """Return what is stored of somebody, as a reader with every right gets it."""
    purpose = {"code": "safety", "case": "C-1", "note": "welfare check"}
    asked = {"employee_number": number, "categories": list(categories), "purpose": purpose, "form": "as_entered"}
    answer = site.disclose(asked)
    assert answer.status_code == 200, answer.text
    return sorted((record["category"], sorted(record["value"].values())) for record in answer.json()["records"])


def test_a_user_is_enrolled_and_no_value_comes_back(site: Site) -> None:
    answer = sent(site, "POST", "/Users", user())
    document = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/scim+json")
    assert answer.headers["location"] == document["meta"]["location"] == f"/scim/v2/Users/{document['id']}"
    assert answer.headers["etag"] == document["meta"]["version"] == 'W/"1"'
    index = int(answer.headers["audit-receipt"].split()[1])
    assert [site.home.entries()[place].kind for place in (index - 1, index)] == ["enroll", "update"]
    read = sent(site, "GET", f"/Users/{document['id']}")
    assert read.json() == document
    assert document["name"] == {"givenName": "Dana", "familyName": "Brightwater"}
    assert (document["active"], document[ENTERPRISE]["department"]) == (True, "Parks")
    assert [secret for secret in SECRETS if secret in answer.text + read.text + str(answer.headers)] == []
    assert site.home.entries()[int(read.headers["audit-receipt"].split()[1])].kind == "search"
    assert values(site, "T-0001", "ssn", "email", "home_address", "school", "family_member") == [
        ("email", ["dana.b@example.org"]),
        ("family_member", ["Brightwater", "Mika", "child"]),
        ("home_address", ["1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"]),
        ("school", ["Larch Hill Elementary School"]),
        ("ssn", ["741-12-3456"]),
    ]


def test_the_same_again_is_refused_by_name_and_by_person(site: Site) -> None:
    created(site)
    for again in (user(), user("T-0002", userName="t-0001@CITY.example"), user(userName="other")):
        answer = sent(site, "POST", "/Users", again)
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
        assert site.last().values is not None
        assert site.last().values["result"] == "refused exists"  # type: ignore[index]  # checked above


def test_who_is_enrolled_already_is_taken_over_and_loses_nothing(site: Site) -> None:
    site.enroll("T-0001")
    changes: dict[str, Any] = {
        PROTECTED: {"ssn": "741-12-9999"},
        "name": {"familyName": "Brightwater-Lee"},
        "emails": [],
    }
    identifier = created(site, **changes)
    assert got(site, identifier)["displayName"] == "Dana Brightwater-Lee"
    assert values(site, "T-0001", "ssn", "phone") == [("phone", ["816-555-0142", "mobile"]), ("ssn", ["741-12-9999"])]


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"userName": None}, "/userName", "missing"),
        ({"name": {}}, "/name/familyName", "missing"),
        ({ENTERPRISE: {"department": "Parks"}}, f"/{ENTERPRISE}/employeeNumber", "missing"),
        ({ENTERPRISE: {"employeeNumber": "T-1"}}, f"/{ENTERPRISE}/department", "missing"),
        ({PROTECTED: {"ssn": "666-12-3456"}}, f"/{PROTECTED}/ssn/number", "ssn_area"),
        ({PROTECTED: {"ssn": 741123456}}, f"/{PROTECTED}/ssn", "wrong_type"),
        ({PROTECTED: {"741-12-3456": "x"}}, f"/{PROTECTED}", "unknown_key"),
        ({"741-12-3456": "x"}, "/", "unknown_key"),
        ({"active": "741-12-3456"}, "/active", "wrong_type"),
        ({"emails": [{"value": "741-12-3456"}]}, "/emails/0/address", "email_form"),
        ({"phoneNumbers": [{"value": "741-12-3456x", "type": "home"}]}, "/phoneNumbers/0/number", "phone_form"),
        (
            {PROTECTED: {"schools": [{"member": "c9", "name": "Larch"}]}},
            f"/{PROTECTED}/schools",
            "unknown_member",
        ),
        ({PROTECTED: {"confidentiality": "741-12-3456"}}, f"/{PROTECTED}/confidentiality", "not_one_of"),
        (
            {ENTERPRISE: {"employeeNumber": "T-1", "department": "P", "manager": {"value": "0" * 32}}},
            f"/{ENTERPRISE}/manager",
            "unknown_member",
        ),
    ],
)
def test_what_is_wrong_is_named_by_place_never_by_value(
    site: Site, changes: dict[str, Any], place: str, code: str
) -> None:
    answer = sent(site, "POST", "/Users", user(**changes))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert f"{place}: {code}" in answer.json()["detail"].split("; ")
    assert not tells(answer.text, "741-12-3456")
    assert not tells(answer.text, "666-12-3456")


def test_what_says_nothing_here_is_taken_and_not_kept(site: Site) -> None:
    more: dict[str, Any] = {
        "displayName": "D. B.", "locale": "en-US", "groups": [], "meta": {"resourceType": "User"}, "USERNAME": "x",
        "addresses": [
            {"type": "work", "formatted": "City Hall"},
            {"type": "home", "formatted": "9 Fern St, Fairhollow, MO"},
        ],
    }  # fmt: skip
    body = user(**more, **{PROTECTED: {}, "title": "Warden"})
    del body["userName"]
    answer = sent(site, "POST", "/Users", body)
    assert (answer.status_code, answer.json()["userName"]) == (201, "x")
    assert answer.json()["displayName"] == "Dana Brightwater"
    assert values(site, "T-0001", "home_address") == [("home_address", ["9 Fern St, Fairhollow, MO"])]


ENTRA: tuple[dict[str, Any], ...] = (
    {"op": "Replace", "path": "title", "value": "Warden"},
    {"op": "Replace", "path": "name.familyName", "value": "Lee"},
    {"op": "Add", "path": 'emails[type eq "work"].value', "value": "new@example.org"},
    {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Water"},
    {"op": "Replace", "path": f"{PROTECTED}:ssn", "value": "741-12-9999"},
    {"op": "Replace", "path": "active", "value": "False"},
)
OKTA: tuple[dict[str, Any], ...] = (
    {
        "op": "replace",
        "value": {
            "title": "Warden",
            "name.familyName": "Lee",
            "active": False,
            "emails": [{"value": "new@example.org", "type": "work"}],
            ENTERPRISE: {"department": "Water"},
            f"{PROTECTED}:ssn": "741-12-9999",
        },
    },
)


@pytest.mark.parametrize("operations", [ENTRA, OKTA], ids=["entra", "okta"])
def test_changes_as_the_large_systems_send_them(site: Site, operations: tuple[dict[str, Any], ...]) -> None:
    identifier = created(site)
    answer = patched(site, identifier, *operations)
    assert (answer.status_code, answer.content) == (204, b"")
    document = got(site, identifier)
    assert (document["title"], document["displayName"], document["active"]) == ("Warden", "Dana Lee", False)
    assert document[ENTERPRISE] == {"employeeNumber": "T-0001", "department": "Water"}
    assert document["meta"]["version"] == answer.headers["etag"] == 'W/"2"'
    stored = values(site, "T-0001", "ssn", "email", "phone")
    assert stored == [("email", ["new@example.org"]), ("phone", ["816-555-0142", "mobile"]), ("ssn", ["741-12-9999"])]


def test_a_child_who_is_known_goes_to_another_school(site: Site) -> None:
    identifier = created(site)
    school = {"member": "c1", "name": "Fern Valley Middle School"}
    answer = patched(site, identifier, {"op": "add", "path": f"{PROTECTED}:schools", "value": [school]})
    assert answer.status_code == 204, answer.text
    assert values(site, "T-0001", "school") == [("school", ["Fern Valley Middle School"])]
    unknown = patched(
        site, identifier, {"op": "add", "path": f"{PROTECTED}:schools", "value": [school | {"member": "c9"}]}
    )
    assert (unknown.status_code, unknown.json()["detail"]) == (400, "/member: unknown_member")


def test_names_change_and_one_is_found_again_by_the_new_one_alone(site: Site) -> None:
    identifier = created(site)
    assert patched(site, identifier, {"op": "replace", "path": "userName", "value": "new@x"}).status_code == 204
    assert patched(site, identifier, {"op": "remove", "path": "externalId"}).status_code == 204
    document = got(site, identifier)
    assert (document["userName"], "externalId" in document) == ("new@x", False)
    found = [
        sent(site, "GET", f"/Users?filter={by}").json()["totalResults"]
        for by in ('userName eq "NEW@X"', 'userName eq "T-0001@city.example"', 'externalId eq "hr-T-0001"')
    ]
    assert found == [1, 0, 0]
    other = created(site, "T-0002")
    taken = patched(site, other, {"op": "replace", "path": "userName", "value": "new@x"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")


def test_the_employee_number_never_changes(site: Site) -> None:
    identifier = created(site)
    answer = patched(site, identifier, {"op": "replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "T-0009"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
    assert "T-0009" not in answer.text


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove", "path": f"{PROTECTED}:ssn"}, "mutability"),
        ({"op": "remove", "path": PROTECTED}, "mutability"),
        ({"op": "remove", "path": "emails"}, "mutability"),
        ({"op": "remove", "path": 'emails[type eq "work"]'}, "mutability"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": "741-12-3456", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'emails[value eq "741-12-3456"].type', "value": "x"}, "invalidFilter"),
        ({"op": "replace", "path": "title"}, "invalidSyntax"),
        ({"op": "741-12-3456", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "value": "741-12-3456"}, "invalidSyntax"),
        ({"op": "replace", "path": f"{PROTECTED}:ssn", "value": "666-12-3456"}, "invalidValue"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(site: Site, operation: dict[str, Any], kind: str) -> None:
    identifier = created(site)
    before = values(site, "T-0001", "ssn", "email")
    answer = patched(site, identifier, operation)
    assert (answer.status_code, answer.json()["scimType"]) == (400, kind), answer.text
    assert not tells(answer.text, "741-12-3456")
    assert values(site, "T-0001", "ssn", "email") == before
    assert got(site, identifier)["meta"]["version"] == 'W/"1"'


def test_a_name_in_two_spellings_is_refused(site: Site) -> None:
    body = user()
    body["name"]["GIVENNAME"] = body["name"]["givenName"]
    answer = sent(site, "POST", "/Users", body)
    assert answer.status_code == 400
    assert "repeated" in answer.text


def test_a_patch_has_a_hundred_operations_at_most(site: Site) -> None:
    identifier = created(site)
    one = {"op": "replace", "path": "title", "value": "Clerk"}
    answer = patched(site, identifier, *[one] * 101)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "tooMany")
    assert got(site, identifier)["meta"]["version"] == 'W/"1"'
    assert patched(site, identifier, *[one] * 100).status_code == 204


def test_a_whole_document_takes_away_what_may_be_empty_and_no_protection(site: Site) -> None:
    identifier = created(site)
    body = user(userName="T-0001@city.example")
    for name in ("title", "externalId", "emails", PROTECTED):
        del body[name]
    answer = sent(site, "PUT", f"/Users/{identifier}", body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == got(site, identifier)
    assert not {"title", "externalId"} & answer.json().keys()
    assert len(values(site, "T-0001", "ssn", "email", "phone")) == 3


def test_a_change_in_between_is_not_lost(site: Site) -> None:
    identifier = created(site)
    title = {"op": "replace", "path": "title", "value": "Warden"}
    assert patched(site, identifier, title, **{"If-Match": 'W/"1"'}).status_code == 204
    for method, body in (("PATCH", {"schemas": [PATCH], "Operations": [title]}), ("PUT", user()), ("DELETE", None)):
        late = sent(site, method, f"/Users/{identifier}", body, **{"If-Match": 'W/"1"'})
        assert late.status_code == 412
        assert site.said(site.last().index)["result"] == "refused changed"


def test_employment_ends_and_protection_does_not(site: Site) -> None:
    identifier = created(site)
    before = values(site, "T-0001", "ssn", "phone", "email")
    assert patched(site, identifier, {"op": "Replace", "path": "active", "value": "False"}).status_code == 204
    assert site.said(site.last().index)["detail"] == f"via scim; provision {identifier} left"
    assert got(site, identifier)["active"] is False
    gone = sent(site, "DELETE", f"/Users/{identifier}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert site.said(int(gone.headers["audit-receipt"].split()[1]))["detail"].endswith(f"{identifier} removed")
    for method, body in (("GET", None), ("PUT", user()), ("DELETE", None)):
        assert sent(site, method, f"/Users/{identifier}", body).status_code == 404
    assert sent(site, "GET", "/Users").json()["totalResults"] == 0
    assert values(site, "T-0001", "ssn", "phone", "email") == before
    again = sent(site, "POST", "/Users", user())
    assert again.status_code == 201
    assert again.json()["id"] != identifier
    assert values(site, "T-0001", "ssn", "phone", "email") == before


REFUSED_FILTERS = (
    f'{PROTECTED}:ssn eq "741-12-3456"', 'ssn eq "741-12-3456"', 'emails.value eq "dana.b@example.org"',
    'emails[value eq "x"]', 'userName sw "T"', 'userName eq "a" or userName eq "b"', "userName pr", 'title eq "Ranger"',
    f'{ENTERPRISE}:department eq "Parks"', "userName eq 1", 'userName eq "\\ud800"', "",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSED_FILTERS)
def test_no_filter_tells_a_value(site: Site, text: str) -> None:
    created(site)
    body = {"schemas": [SEARCH], "filter": text}
    for answer in (
        sent(site, "POST", "/Users/.search", body),
        site.http.get("/scim/v2/Users", params={"filter": text}, headers=site.as_(Role.ENROLLER)),
    ):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")
        assert not tells(answer.text, "741-12-3456")


def test_nothing_is_sorted(site: Site) -> None:
    created(site)
    answer = sent(site, "POST", "/.search", {"schemas": [SEARCH], "sortBy": f"{PROTECTED}:ssn"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


def test_somebody_is_found_without_a_name_in_an_address(site: Site, logs: Any) -> None:
    identifier = created(site)
    for text in (
        'userName eq "t-0001@city.example"', 'externalId eq "hr-T-0001"', f'{ENTERPRISE}:employeeNumber eq "T-0001"',
        'employeeNumber EQ "T-0001"', f'{CORE}:username eq "T-0001@city.example"',
    ):  # fmt: skip
        answer = sent(site, "POST", "/Users/.search", {"schemas": [SEARCH], "filter": text})
        assert [each["id"] for each in answer.json()["Resources"]] == [identifier], text
        assert site.last().kind == "search"
        in_query = site.http.get("/scim/v2/Users", params={"filter": text}, headers=site.as_(Role.ENROLLER))
        assert in_query.json() == answer.json()
    nobody = sent(site, "POST", "/Users/.search", {"schemas": [SEARCH], "filter": 'userName eq "nobody"'})
    assert nobody.json()["Resources"] == []
    assert (site.last().kind, site.said(site.last().index)["result"]) == ("search", "hits 0")
    assert "T-0001" not in logs.getvalue()
    assert "city.example" not in logs.getvalue()


def test_pages_follow_each_other(site: Site) -> None:
    made = [created(site, f"T-{number:04}") for number in range(1, 6)]
    found: list[str] = []
    for start in (1, 3, 5):
        page = sent(site, "GET", f"/Users?startIndex={start}&count=2").json()
        assert (page["totalResults"], page["startIndex"]) == (5, start)
        found += [each["id"] for each in page["Resources"]]
    assert sorted(found) == sorted(made)
    assert sent(site, "GET", "/Users?count=0").json()["Resources"] == []
    assert len(sent(site, "GET", "/Users?count=-1&startIndex=-5").json()["Resources"]) == 0
    assert sent(site, "GET", "/Users?count=x").status_code == 400


def test_only_what_is_wanted_is_shown(site: Site) -> None:
    identifier = created(site)
    chosen = sent(site, "GET", f"/Users/{identifier}?attributes=userName,name.givenName,{PROTECTED}:ssn,emails").json()
    assert chosen.keys() == {"schemas", "id", "userName", "name"}
    assert chosen["name"] == {"givenName": "Dana"}
    rest = sent(site, "GET", f"/Users/{identifier}?excludedAttributes=NAME,{ENTERPRISE}:department,meta").json()
    assert rest[ENTERPRISE] == {"employeeNumber": "T-0001"}
    assert not {"name", "meta"} & rest.keys()


def test_the_supervisor_closes_what_is_under_them(site: Site) -> None:
    nothing: dict[str, Any] = {PROTECTED: {}, "emails": []}
    boss = created(site, "T-0009", **nothing)
    enterprise: dict[str, Any] = {"employeeNumber": "T-0001", "department": "Parks", "manager": {"value": boss}}
    created(site, **{ENTERPRISE: enterprise})
    asked = {"employee_number": "T-0001", "categories": ["ssn"], "purpose": {"code": "payroll"}}
    refused = site.http.post("/v1/disclosures", json=asked, headers=site.as_(Role.READER, "T-0009"))
    assert (refused.status_code, refused.json()["reason"]) == (403, "conflict_of_interest")


def test_what_is_stored_agrees_with_the_ledger(site: Site) -> None:
    identifier = created(site)
    created(site, "T-0002")
    patched(site, identifier, {"op": "replace", "path": "userName", "value": "new@x"})
    sent(site, "DELETE", f"/Users/{identifier}")
    site.home.app.row_check.check()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE provisions SET state = 'employed' WHERE state = 'left'",
        "UPDATE provisions SET names = x'00'",
        "DELETE FROM provisions",
    ],
)
def test_a_row_that_somebody_else_changed_is_seen(site: Site, change: str) -> None:
    created(site, active=False)
    site.home.sql().execute(change)
    with pytest.raises(LedgerCorrupt):
        site.home.app.row_check.check()


def test_an_earlier_row_put_back_is_seen(site: Site) -> None:
    identifier = created(site, active=False)
    connection = site.home.sql()
    before = connection.execute("SELECT state, guard FROM provisions").fetchone()
    patched(site, identifier, {"op": "replace", "path": "active", "value": True})
    connection.execute("UPDATE provisions SET state = ?, guard = ?", before)
    with pytest.raises(LedgerCorrupt, match="mark or state"):
        site.home.app.row_check.check()


WHERE = (
    ("GET", "/Users"),
    ("POST", "/Users"),
    ("POST", "/Users/.search"),
    ("POST", "/.search"),
    ("GET", "/Users/0"),
    ("PUT", "/Users/0"),
    ("PATCH", "/Users/0"),
    ("DELETE", "/Users/0"),
    ("GET", "/Groups"),
    ("POST", "/Groups"),
    ("POST", "/Groups/.search"),
    ("GET", "/Groups/0"),
    ("PUT", "/Groups/0"),
    ("PATCH", "/Groups/0"),
    ("DELETE", "/Groups/0"),
    ("POST", "/Bulk"),
    ("GET", "/ServiceProviderConfig"),
    ("GET", "/ResourceTypes"),
    ("GET", "/ResourceTypes/User"),
    ("GET", "/Schemas"),
    ("GET", f"/Schemas/{CORE}"),
)


@pytest.mark.parametrize(("method", "path"), WHERE)
def test_nobody_but_enrollers_gets_in_and_every_refusal_is_an_entry(site: Site, method: str, path: str) -> None:
    bare = site.http.request(method, f"/scim/v2{path}", content=b"{")
    assert (bare.status_code, bare.headers["www-authenticate"]) == (401, 'Bearer realm="registry"')
    for role in set(Role) - {Role.ENROLLER}:
        refused = site.http.request(method, f"/scim/v2{path}", content=b"{", headers=site.as_(role))
        assert refused.status_code == 403, role
        assert site.last().kind == "deny"
        assert refused.headers["audit-receipt"].split()[1] == str(site.last().index)


def test_every_route_of_scim_is_in_that_table(site: Site) -> None:
    routed = {
        (method, route.path.removeprefix("/scim/v2").replace("{user}", "0").replace("{group}", "0"))
        for router in _SCIM_ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    named = {(method, path.replace("ResourceTypes/User", "ResourceTypes/{name}")) for method, path in WHERE}
    assert {(method, path.replace(f"Schemas/{CORE}", "Schemas/{name}")) for method, path in named} == routed


def test_what_is_not_there_is_said_in_scim(site: Site) -> None:
    assert sent(site, "GET", "/Nothing").json()["status"] == "404"
    assert sent(site, "POST", "/Schemas", {}).json()["status"] == "405"
    assert sent(site, "GET", "/Schemas/nothing").status_code == 404
    other = site.http.post(
        "/scim/v2/Users", content=b"{}", headers=site.as_(Role.ENROLLER) | {"Content-Type": "text/plain"}
    )
    assert (other.status_code, other.json()["scimType"]) == (415, "invalidSyntax")
