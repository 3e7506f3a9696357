"""Units as groups of SCIM: who joins one is moved, as Entra and Okta say it, and conflicts of interest follow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from registry.bootstrap import open_application
from registry.domain.approvals import Action
from registry.domain.principals import Role
from registry.services import units
from registry.services.ties import unit_tag
from registry.vault.ties import TieKind
from tests.fakes.digits import tells
from tests.functional.api.conftest import Site
from tests.functional.api.test_scim_users import ENTERPRISE, PATCH, SEARCH, created, got, patched, sent
from tests.functional.api.test_scim_users import user as new_user
from tests.functional.services.homes import Home

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def home(home: Home, request: pytest.FixtureRequest) -> Home:
    """The same registry, with relations under dual control where a test says so."""
    if getattr(request, "param", None) is Action.RELATIONS:
        home.app.close()
        approvals = {"dual_control": frozenset({Action.RELATIONS})}
        home.app = open_application(replace(home.app.settings, approvals=approvals), home.clock)
    return home


def person(site: Site, number: str, department: str = "Parks") -> str:
    return created(site, number, **{ENTERPRISE: {"employeeNumber": number, "department": department}})


def made(site: Site, name: str = "Water", *members: str, **more: Any) -> str:
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]} | more
    answer = sent(site, "POST", "/Groups", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def changed(site: Site, group: str, *operations: dict[str, Any], **headers: str) -> httpx2.Response:
    return sent(site, "PATCH", f"/Groups/{group}", {"schemas": [PATCH], "Operations": operations}, **headers)


def members(site: Site, group: str) -> list[str]:
    document = sent(site, "GET", f"/Groups/{group}").json()
    return sorted(each["value"] for each in document.get("members", []))


def department(site: Site, user: str) -> str | None:
    unit: str | None = got(site, user)[ENTERPRISE].get("department")
    return unit


def test_a_group_is_made_and_whoever_is_named_moves_there(site: Site) -> None:
    dana, robin = person(site, "T-0001"), person(site, "T-0002")
    body = {"schemas": [GROUP], "displayName": "Water", "externalId": "g-1", "members": [{"value": dana}]}
    answer = sent(site, "POST", "/Groups", body)
    document = answer.json()
    assert (answer.status_code, document["displayName"], document["externalId"]) == (201, "Water", "g-1")
    assert document["members"] == [{"value": dana, "$ref": f"/scim/v2/Users/{dana}", "type": "User"}]
    assert answer.headers["location"] == document["meta"]["location"] == f"/scim/v2/Groups/{document['id']}"
    assert answer.headers["etag"] == document["meta"]["version"]
    assert sent(site, "GET", f"/Groups/{document['id']}").json() == document
    assert (department(site, dana), department(site, robin)) == ("Water", "Parks")


def test_each_move_and_the_change_itself_are_entries(site: Site) -> None:
    dana, robin = person(site, "T-0001"), person(site, "T-0002", "Water")
    group = made(site)
    before = len(site.home.entries())
    answer = sent(
        site, "PUT", f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Water", "members": [{"value": dana}]}
    )
    assert answer.status_code == 200, answer.text
    index = int(answer.headers["audit-receipt"].split()[1])
    assert site.said(index)["result"] == "unit changed"
    assert site.said(index)["detail"] == f"via scim; unit {group}; joined 1; left 1"
    told = [entry.values for entry in site.home.entries()[before:] if entry.kind == "update" and entry.values]
    assert [values["result"] for values in told] == ["updated", "updated", "unit changed"]
    assert len({values["subject"] for values in told}) == 3
    assert (department(site, dana), department(site, robin)) == ("Water", None)
    site.home.app.row_check.check()


def test_whose_department_it_is_already_is_a_member(site: Site) -> None:
    dana = person(site, "T-0001", "Water")
    group = made(site, "WATER")
    assert members(site, group) == [dana]
    patched(site, dana, {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Parks"})
    assert members(site, group) == []


ENTRA_ADD = ({"op": "Add", "path": "members", "value": [{"value": "{}"}]},)
OKTA_ADD = ({"op": "add", "path": "members", "value": [{"value": "{}", "display": "dana@city.example"}]},)
BARE_ADD = ({"op": "add", "value": {"members": [{"value": "{}"}]}},)
ENTRA_REMOVE = ({"op": "Remove", "path": "members", "value": [{"value": "{}"}]},)
OKTA_REMOVE = ({"op": "remove", "path": 'members[value eq "{}"]'},)
OKTA_REPLACE = ({"op": "replace", "path": "members", "value": []},)


def filled(operations: tuple[dict[str, Any], ...], user: str) -> list[dict[str, Any]]:
    def put(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{}", user)
        if isinstance(value, dict):
            return {key: put(part) for key, part in value.items()}
        return [put(part) for part in value]

    return [put(operation) for operation in operations]


@pytest.mark.parametrize("joins", [ENTRA_ADD, OKTA_ADD, BARE_ADD], ids=["entra", "okta", "bare"])
@pytest.mark.parametrize("leaves", [ENTRA_REMOVE, OKTA_REMOVE, OKTA_REPLACE], ids=["entra", "okta", "replace"])
def test_people_join_and_leave_as_the_large_systems_say_it(
    site: Site, joins: tuple[dict[str, Any], ...], leaves: tuple[dict[str, Any], ...]
) -> None:
    dana, group = person(site, "T-0001"), made(site)
    answer = changed(site, group, *filled(joins, dana))
    assert (answer.status_code, answer.content) == (204, b"")
    assert (members(site, group), department(site, dana)) == ([dana], "Water")
    assert changed(site, group, *filled(leaves, dana)).status_code == 204
    assert (members(site, group), department(site, dana)) == ([], None)


def test_somebody_is_in_one_unit_whatever_the_order(site: Site) -> None:
    dana = person(site, "T-0001")
    parks, water = made(site, "Parks"), made(site, "Water")
    assert (members(site, parks), members(site, water)) == ([dana], [])
    changed(site, water, *filled(ENTRA_ADD, dana))
    assert (members(site, parks), members(site, water)) == ([], [dana])
    changed(site, parks, *filled(ENTRA_REMOVE, dana))  # which comes late, and takes nothing away
    assert (members(site, water), department(site, dana)) == ([dana], "Water")
    changed(site, water, *filled(OKTA_REMOVE, dana))
    changed(site, parks, *filled(OKTA_ADD, dana))
    assert (members(site, parks), department(site, dana)) == ([dana], "Parks")


def test_names_change_with_their_people(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site, "Parks", externalId="g-1")
    okta = {"op": "replace", "value": {"id": group, "displayName": "Parks and Trees"}}
    assert changed(site, group, okta, {"op": "remove", "path": "externalId"}).status_code == 204
    document = sent(site, "GET", f"/Groups/{group}").json()
    assert (document["displayName"], "externalId" in document) == ("Parks and Trees", False)
    assert (members(site, group), department(site, dana)) == ([dana], "Parks and Trees")
    other = made(site, "Water")
    taken = changed(site, other, {"op": "replace", "path": "displayName", "value": "parks AND trees"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")
    again = sent(site, "POST", "/Groups", {"schemas": [GROUP], "displayName": "water"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


def test_a_document_without_members_moves_nobody_and_an_empty_list_everybody(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site, "Parks")
    assert sent(site, "PUT", f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Parks"}).status_code == 200
    assert members(site, group) == [dana]
    empty = {"schemas": [GROUP], "displayName": "Parks", "members": []}
    assert sent(site, "PUT", f"/Groups/{group}", empty).status_code == 200
    assert (members(site, group), department(site, dana)) == ([], None)


def test_a_group_goes_and_nobody_moves_by_it(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site, "Parks")
    assert sent(site, "DELETE", f"/Groups/{group}").status_code == 204
    for method, body in (("GET", None), ("PUT", {"displayName": "Parks"}), ("DELETE", None)):
        assert sent(site, method, f"/Groups/{group}", body).status_code == 404
    assert department(site, dana) == "Parks"
    assert members(site, made(site, "Parks")) == [dana]


def test_groups_are_found_by_two_names_alone(site: Site) -> None:
    parks, water = made(site, "Parks"), made(site, "Water", externalId="g-2")
    for text, found in (
        ('displayName eq "PARKS"', [parks]), ('externalId eq "g-2"', [water]), ('displayName eq "None"', []),
    ):  # fmt: skip
        answer = sent(site, "GET", f"/Groups?filter={text}&excludedAttributes=members").json()
        assert [each["id"] for each in answer["Resources"]] == found
        assert sent(site, "POST", "/Groups/.search", {"schemas": [SEARCH], "filter": text}).json()[
            "totalResults"
        ] == len(found)
    for text in ('members eq "x"', 'displayName sw "P"', 'userName eq "x"'):
        assert sent(site, "GET", f"/Groups?filter={text}").json()["scimType"] == "invalidFilter"
    pages = [sent(site, "GET", f"/Groups?startIndex={start}&count=1").json() for start in (1, 2, 3)]
    assert [page["totalResults"] for page in pages] == [2, 2, 2]
    assert {each["id"] for page in pages for each in page["Resources"]} == {parks, water}


def test_a_search_over_everything_has_users_and_behind_them_groups(site: Site) -> None:
    dana, robin = person(site, "T-0001"), person(site, "T-0002")
    parks, water = made(site, "Parks"), made(site, "Water", externalId="hr-T-0001")
    found: list[str] = []
    for start in (1, 4):
        page = sent(site, "POST", "/.search", {"schemas": [SEARCH], "startIndex": start, "count": 3}).json()
        assert page["totalResults"] == 4
        found += [each["id"] for each in page["Resources"]]
    assert (set(found[:2]), set(found[2:])) == ({dana, robin}, {parks, water})
    for text, expected in (('externalId eq "hr-T-0001"', [dana, water]), ('displayName eq "Parks"', [parks])):
        answer = sent(site, "POST", "/.search", {"schemas": [SEARCH], "filter": text}).json()
        assert [each["id"] for each in answer["Resources"]] == expected


def test_who_is_in_it_is_shown_where_it_is_wanted(site: Site) -> None:
    person(site, "T-0001")
    group = made(site, "Parks")
    without = sent(site, "GET", f"/Groups/{group}?excludedAttributes=members").json()
    assert not {"members"} & without.keys()
    chosen = sent(site, "GET", f"/Groups/{group}?attributes=members.value").json()
    assert (chosen.keys(), len(chosen["members"])) == ({"schemas", "id", "members"}, 1)
    assert site.said(site.last().index)["detail"] == "via scim; members 1"


def test_a_change_in_between_is_not_lost(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site)
    tag = {"If-Match": sent(site, "GET", f"/Groups/{group}").headers["etag"]}
    patched(site, dana, {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Water"})  # by another way in
    for method, body in (
        ("PATCH", {"schemas": [PATCH], "Operations": filled(OKTA_REPLACE, "")}),
        ("PUT", {"schemas": [GROUP], "displayName": "Water", "members": []}),
        ("DELETE", None),
    ):
        assert sent(site, method, f"/Groups/{group}", body, **tag).status_code == 412
        assert site.said(site.last().index)["result"] == "refused changed"
    assert members(site, group) == [dana]


def test_of_two_changes_at_once_to_one_version_one_is_made(site: Site) -> None:
    people = [person(site, f"T-000{number}") for number in (1, 2)]
    for number in range(6):
        group = made(site, f"Water {number}")
        tag = sent(site, "GET", f"/Groups/{group}").headers["etag"]
        begin = threading.Barrier(2)

        def join(who: str, group: str = group, tag: str = tag, begin: threading.Barrier = begin) -> int:
            begin.wait()
            added = {"op": "add", "path": "members", "value": [{"value": who}]}
            return changed(site, group, added, **{"If-Match": tag}).status_code

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(join, people))
        assert sorted(answers) == [204, 412]
        assert members(site, group) == [who for who, status in zip(people, answers, strict=True) if status == 204]


def test_somebody_unknown_moves_nobody_else(site: Site) -> None:
    dana, gone = person(site, "T-0001"), person(site, "T-0002")
    sent(site, "DELETE", f"/Users/{gone}")
    group = made(site)
    for unknown in ("0" * 32, gone):
        answer = changed(site, group, *filled(ENTRA_ADD, dana), *filled(ENTRA_ADD, unknown))
        assert (answer.status_code, answer.json()["detail"]) == (400, "/members: unknown_member")
        assert site.said(site.last().index - 1)["result"] == "refused invalid"  # before the answer's own
    assert (members(site, group), department(site, dana)) == ([], "Parks")


def test_all_move_or_none(site: Site) -> None:
    """Nobody changes their own unit: and so none of those moves who were named with them."""
    dana, clerk = person(site, "T-0001"), person(site, "T-0002")
    group = made(site)
    headers = site.as_(Role.ENROLLER, "T-0002") | {"Content-Type": "application/scim+json"}
    body = {"schemas": [PATCH], "Operations": [*filled(ENTRA_ADD, dana), *filled(ENTRA_ADD, clerk)]}
    answer = site.http.patch(f"/scim/v2/Groups/{group}", json=body, headers=headers)
    assert answer.status_code == 403
    assert (members(site, group), department(site, dana)) == ([], "Parks")


def test_too_many_at_once_move_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "MAX_MOVES", 1)
    dana, robin = person(site, "T-0001"), person(site, "T-0002")
    group = made(site)
    answer = changed(site, group, *filled(ENTRA_ADD, dana), *filled(ENTRA_ADD, robin))
    assert (answer.status_code, answer.json()["detail"]) == (400, "/members: too_many")
    assert members(site, group) == []


def units_of(site: Site, number: str) -> set[bytes]:
    """Return by which units somebody is in conflict with colleagues, as keyed tags."""
    kernel = site.home.app.kernel
    with kernel.database.read() as work:
        (row,) = work.subjects.by_number_tags([kernel.number_tag(number)]).values()
    return {tie.tag for tie in kernel.ties.open(row.id, row.ties) if tie.kind is TieKind.UNIT}


def tags(site: Site, *names: str) -> set[bytes]:
    return {unit_tag(site.home.app.kernel.index, name) for name in names}


def test_conflicts_go_with_the_unit_and_whoever_left_one_keeps_its(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site, "Water")
    changed(site, group, *filled(ENTRA_ADD, dana))
    assert units_of(site, "T-0001") == tags(site, "Water")
    changed(site, group, *filled(ENTRA_REMOVE, dana))
    assert units_of(site, "T-0001") == tags(site, "Water")  # until they join another


@pytest.mark.parametrize("home", [Action.RELATIONS], indirect=True)
def test_where_relations_are_guarded_conflicts_of_the_former_unit_stay(site: Site) -> None:
    dana, group = person(site, "T-0001"), made(site, "Water")
    changed(site, group, *filled(ENTRA_ADD, dana))
    assert units_of(site, "T-0001") == tags(site, "Water", "Parks")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"displayName": None}, "/displayName: missing"),
        ({"displayName": 7411234}, "/displayName: wrong_type"),
        ({"displayName": "x" * 121}, "/displayName: too_long"),
        ({"741-12-3456": 1}, "/: unknown_key"),
        ({"members": "741-12-3456"}, "/members/0: wrong_type"),
        ({"members": [{"value": "741-12-3456"}]}, "/members/0: unknown_member"),
        ({"members": [{"value": "0" * 32, "741-12-3456": 1}]}, "/members/0: unknown_key"),
        ({"DISPLAYNAME": "Water"}, "/: repeated"),
    ],
)
def test_what_is_wrong_is_named_by_place_never_by_value(site: Site, body: dict[str, Any], place: str) -> None:
    answer = sent(site, "POST", "/Groups", {"schemas": [GROUP], "displayName": "Water"} | body)
    assert (answer.status_code, answer.json()["detail"]) == (400, place)
    assert not tells(answer.text, "741-12-3456")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "add", "path": "741-12-3456", "value": 1}, "invalidPath"),
        ({"op": "add", "path": 'members[value eq "741-12-3456"]', "value": 1}, "invalidPath"),
        ({"op": "add", "path": "members"}, "invalidSyntax"),
        ({"op": "add", "value": "741-12-3456"}, "invalidSyntax"),
        ({"op": "741-12-3456", "path": "members", "value": []}, "invalidSyntax"),
    ],
)
def test_what_cannot_be_done_is_refused(site: Site, operation: dict[str, Any], kind: str) -> None:
    dana = person(site, "T-0001", "Water")
    group = made(site)
    answer = changed(site, group, *filled(OKTA_REPLACE, ""), operation)
    assert (answer.status_code, answer.json()["scimType"]) == (400, kind)
    assert not tells(answer.text, "741-12-3456")
    assert members(site, group) == [dana]


def test_a_group_and_its_people_in_one_request(site: Site) -> None:
    answer = sent(
        site,
        "POST",
        "/Bulk",
        {
            "schemas": [BULK],
            "Operations": [
                {
                    "method": "POST",
                    "path": "/Groups",
                    "bulkId": "g",
                    "data": {"schemas": [GROUP], "displayName": "Water", "members": [{"value": "bulkId:u"}]},
                },
                {"method": "POST", "path": "/Users", "bulkId": "u", "data": new_user("T-0001")},
            ],
        },
    )
    assert [one["status"] for one in answer.json()["Operations"]] == ["201", "201"]
    group, dana = (one["location"].rpartition("/")[2] for one in answer.json()["Operations"])
    assert members(site, group) == [dana]


def test_no_name_of_a_unit_and_no_membership_lies_in_the_database(site: Site) -> None:
    dana = person(site, "T-0001")
    made(site, "Quillfeather Works", dana, externalId="quill-4711")
    rows = site.home.sql().execute("SELECT * FROM units").fetchall()
    told = b" ".join(str(cell).encode() if not isinstance(cell, bytes) else cell for row in rows for cell in row)
    assert b"uill" not in told
    assert dana.encode() not in told


@pytest.mark.parametrize("column", ["names", "name_tag", "outside_tag", "version", "guard"])
def test_a_row_that_somebody_else_changed_is_refused(site: Site, column: str) -> None:
    group = made(site, "Water", externalId="g-1")
    other = made(site, "Parks", externalId="g-2")
    connection = site.home.sql()
    (taken,) = connection.execute(f"SELECT {column} FROM units WHERE id = ?", (other,)).fetchone()
    connection.execute(f"UPDATE units SET {column} = NULL WHERE id = ?", (other,)) if column.endswith("tag") else None
    taken = 7 if column == "version" else taken
    connection.execute(f"UPDATE units SET {column} = ? WHERE id = ?", (taken, group))
    answer = sent(site, "GET", f"/Groups/{group}")
    assert (answer.status_code, "Parks" in answer.text) == (500, False)
