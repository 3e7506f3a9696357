"""Several operations of SCIM in one request: each whole or not at all, in an order that their references allow."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from registry.api.scim.bulk import MOST_OPERATIONS
from registry.domain.principals import Role
from tests.fakes.digits import tells
from tests.functional.api.conftest import Site
from tests.functional.api.test_scim_users import ENTERPRISE, PATCH, PROTECTED, created, got, sent, user, values

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_ANSWER = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


def made(bulk_id: str, number: str, /, **changes: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(number, **changes)}


def led_by(number: str, manager: str) -> dict[str, Any]:
    return {ENTERPRISE: {"employeeNumber": number, "department": "Parks", "manager": {"value": manager}}}


def bulk(site: Site, *operations: Any, **more: Any) -> httpx2.Response:
    return sent(site, "POST", "/Bulk", {"schemas": [BULK], "Operations": list(operations)} | more)


def statuses(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["schemas"] == [BULK_ANSWER]
    return [one["status"] for one in answer.json()["Operations"]]


def numbers(site: Site) -> list[str]:
    listed = sent(site, "GET", "/Users").json()["Resources"]
    return sorted(one[ENTERPRISE]["employeeNumber"] for one in listed)


def test_every_kind_of_operation_in_one_request(site: Site) -> None:
    kept, gone = created(site, "T-0001"), created(site, "T-0002")
    title = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Warden"}]}
    answer = bulk(
        site,
        made("new", "T-0003"),
        {"method": "PATCH", "path": f"/Users/{kept}", "version": 'W/"1"', "data": title},
        {"method": "put", "path": "/Users/bulkId:new", "data": user("T-0003", title="Chief")},
        {"method": "DELETE", "path": f"/Users/{gone}"},
    )
    assert statuses(answer) == ["201", "204", "200", "204"]
    first, second, third, fourth = answer.json()["Operations"]
    new = first["location"].rpartition("/")[2]
    assert (first["method"], first["bulkId"], first["version"]) == ("POST", "new", 'W/"1"')
    assert (second["location"], second["version"]) == (f"/scim/v2/Users/{kept}", 'W/"2"')
    assert (third["location"], fourth["location"]) == (first["location"], f"/scim/v2/Users/{gone}")
    assert (got(site, new)["title"], got(site, kept)["title"], numbers(site)) == (
        "Chief",
        "Warden",
        ["T-0001", "T-0003"],
    )


def test_each_operation_has_its_entries_and_the_receipt_is_of_the_last(site: Site) -> None:
    before = len(site.home.entries())
    answer = bulk(site, made("a", "T-0001"), made("b", "T-0002"))
    kinds = [entry.kind for entry in site.home.entries()[before:]]
    assert kinds.count("enroll") == 2
    _, index, size = answer.headers["audit-receipt"].split()
    assert (int(index), int(size)) == (len(site.home.entries()) - 1, len(site.home.entries()))


def test_one_that_is_refused_costs_no_other_and_tells_no_value(site: Site) -> None:
    wrong = made("b", "T-0002", **{PROTECTED: {"ssn": "666-12-3456"}})
    answer = bulk(site, made("a", "T-0001"), wrong, made("c", "T-0003"))
    assert statuses(answer) == ["201", "400", "201"]
    refused = answer.json()["Operations"][1]
    assert refused["response"]["detail"] == f"/{PROTECTED}/ssn/number: ssn_area"
    assert not tells(answer.text, "666-12-3456")
    assert not tells(answer.text, "741-12-3456")
    assert numbers(site) == ["T-0001", "T-0003"]


def test_an_operation_is_done_whole_or_not_at_all(site: Site) -> None:
    identifier = created(site)
    before = values(site, "T-0001", "ssn", "email", "phone")
    operations = [
        {"op": "replace", "path": "title", "value": "Warden"},
        {"op": "replace", "path": f"{PROTECTED}:phones", "value": [{"kind": "mobile", "number": "816-555-0199"}]},
        {"op": "replace", "path": f"{PROTECTED}:ssn", "value": "666-12-3456"},
    ]
    half = {"method": "PATCH", "path": f"/Users/{identifier}", "data": {"schemas": [PATCH], "Operations": operations}}
    assert statuses(bulk(site, half)) == ["400"]
    assert (got(site, identifier)["title"], values(site, "T-0001", "ssn", "email", "phone")) == ("Ranger", before)


def test_it_stops_after_as_many_errors_as_are_said(site: Site) -> None:
    taken = [made(f"w{place}", f"T-100{place}", userName="") for place in range(3)]
    answer = bulk(site, taken[0], made("a", "T-0001"), taken[1], made("b", "T-0002"), failOnErrors=2)
    assert statuses(answer) == ["400", "201", "400"]
    assert numbers(site) == ["T-0001"]


def test_references_are_followed_in_either_direction(site: Site) -> None:
    answer = bulk(
        site,
        made("worker", "T-0001", **led_by("T-0001", "bulkId:boss")),
        made("boss", "T-0009", **{PROTECTED: {}, "emails": []}),
    )
    assert statuses(answer) == ["201", "201"]
    assert [one["bulkId"] for one in answer.json()["Operations"]] == ["worker", "boss"]
    asked = {"employee_number": "T-0001", "categories": ["ssn"], "purpose": {"code": "payroll"}}
    refused = site.http.post("/v1/disclosures", json=asked, headers=site.as_(Role.READER, "T-0009"))
    assert (refused.status_code, refused.json()["reason"]) == (403, "conflict_of_interest")


def test_what_refers_to_nothing_or_to_itself_is_not_tried(site: Site) -> None:
    answer = bulk(
        site,
        made("a", "T-0001", **led_by("T-0001", "bulkId:b")),
        made("b", "T-0002", **led_by("T-0002", "bulkId:a")),
        made("c", "T-0003", **led_by("T-0003", "bulkId:unknown")),
        made("d", "T-0004", userName=""),
        made("e", "T-0005", **led_by("T-0005", "bulkId:d")),
        made("f", "T-0006"),
    )
    assert statuses(answer) == ["409", "400", "400", "400", "400", "201"]
    told = [one.get("response", {}).get("detail") for one in answer.json()["Operations"]]
    assert told[:3] == ["invalid: bulkId: circular", "invalid: bulkId: not_made", "invalid: bulkId: not_made"]
    assert told[4] == "invalid: bulkId: not_made"
    assert numbers(site) == ["T-0006"]


def test_a_kind_that_is_not_kept_here_is_unknown(site: Site) -> None:
    answer = bulk(site, {"method": "POST", "path": "/Devices", "bulkId": "a", "data": {}}, made("b", "T-0001"))
    assert statuses(answer) == ["404", "201"]


GOOD = {"method": "DELETE", "path": "/Users/" + "0" * 32}


@pytest.mark.parametrize(
    ("operations", "more"),
    [
        ([], {}),
        ([GOOD], {"schemas": [PATCH]}),
        ([GOOD], {"failOnErrors": 0}),
        ([GOOD], {"failOnErrors": True}),
        ([GOOD, "741-12-3456"], {}),
        ([GOOD, {}], {}),
        ([GOOD | {"741-12-3456": 1}], {}),
        ([GOOD | {"method": "GET"}], {}),
        ([GOOD | {"path": "/Users"}], {}),
        ([GOOD | {"path": "/Users/../Users/741-12-3456"}], {}),
        ([GOOD | {"path": 1}], {}),
        ([GOOD | {"version": "741-12-3456"}], {}),
        ([GOOD | {"method": "PUT"}], {}),
        ([{"method": "POST", "path": "/Users", "data": {}}], {}),
        ([{"method": "POST", "path": "/Users", "bulkId": "741 12 3456", "data": {}}], {}),
        ([{"method": "POST", "path": "/Users/741-12-3456", "bulkId": "a", "data": {}}], {}),
    ],
)  # fmt: skip
def test_a_request_without_form_is_refused_whole(site: Site, operations: list[Any], more: dict[str, Any]) -> None:
    answer = bulk(site, *[made("z", "T-0001"), *operations] if operations else [], **more)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    assert not tells(answer.text, "741-12-3456")
    assert numbers(site) == []


def test_a_bulk_id_comes_once(site: Site) -> None:
    assert bulk(site, made("a", "T-0001"), made("a", "T-0002")).status_code == 400
    assert numbers(site) == []


def test_limits_are_those_that_are_told(site: Site) -> None:
    told = sent(site, "GET", "/ServiceProviderConfig").json()["bulk"]
    assert told == {"supported": True, "maxOperations": MOST_OPERATIONS, "maxPayloadSize": 1 << 20}
    many = bulk(site, *[GOOD] * (MOST_OPERATIONS + 1))
    assert (many.status_code, many.json()["scimType"]) == (400, "tooMany")
    assert bulk(site, made("a", "T-0001", title="x" * told["maxPayloadSize"])).status_code == 413
    assert numbers(site) == []


def test_only_enrollers_and_only_while_they_are(site: Site) -> None:
    body = {"schemas": [BULK], "Operations": [made("a", "T-0001")]}
    headers = {"Content-Type": "application/scim+json"}
    for role in (Role.READER, Role.AUDITOR, Role.SECURITY_ADMIN):
        answer = site.http.post("/scim/v2/Bulk", json=body, headers=site.as_(role) | headers)
        assert answer.status_code == 403
    assert site.http.post("/scim/v2/Bulk", json=body, headers=headers).status_code == 401
    assert numbers(site) == []
