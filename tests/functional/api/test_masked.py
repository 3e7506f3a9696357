"""Masked cards: asked for, or imposed by an agency's policy; the form is in the entry."""

from __future__ import annotations

from dataclasses import replace

from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.policy.engine import Policy
from registry.policy.rule_set import RuleSet, shipped_texts
from tests.functional.api.conftest import NUMBER, Site

EVERYTHING = {
    "employee_number": NUMBER,
    "categories": [category.value for category in Category],
    "purpose": {"code": "safety", "case": "CASE-1"},
}
IMPOSED = (
    '@id("form.safety") @reason("masked") @rank("70")\n'
    'forbid (principal, action == Action::"show_full", resource) when { context.purpose == Purpose::"safety" };\n'
)


def texts_of(card: dict[str, object]) -> set[str]:
    records = card["records"]
    assert isinstance(records, list)
    return {text for record in records for text in (*record["value"].values(), record["display"])}


def test_a_card_asked_for_masked_shows_little_and_its_entry_says_so(site: Site) -> None:
    site.enroll()
    full = site.disclose(EVERYTHING | {"form": "as_entered"}).json()
    masked = site.disclose(EVERYTHING | {"form": "masked"})
    assert (masked.status_code, masked.json()["form"]) == (200, "masked")
    assert site.said(masked.json()["receipt"]["index"])["form"] == "masked"
    assert [one["record"] for one in masked.json()["records"]] == [one["record"] for one in full["records"]]
    for record, whole in zip(masked.json()["records"], full["records"], strict=True):
        if record["category"] in {"ssn", "date_of_birth", "email", "health", "vehicle_plate"}:
            assert set(record["value"].values()).isdisjoint(whole["value"].values())
    addresses = [one["value"] for one in masked.json()["records"] if one["category"] == "home_address"]
    assert addresses
    assert all(set(value) == {"city"} for value in addresses)


def test_a_policy_masks_what_is_asked_for_in_full(site: Site) -> None:
    shipped = shipped_texts()
    policy = Policy(RuleSet(replace(shipped, policies={**shipped.policies, "own.cedar": IMPOSED})))
    kernel = site.home.app.kernel
    site.home.app.disclose._kernel = replace(kernel, policy=policy)
    site.enroll()
    card = site.disclose(EVERYTHING).json()
    assert card["form"] == "masked"
    said = site.said(card["receipt"]["index"])
    assert (said["form"], said["rules"].split()[-1]) == ("masked", "form.safety")
    batch = {key: value for key, value in EVERYTHING.items() if key == "purpose"}
    items = [{"employee_number": NUMBER, "categories": ["ssn"]}]
    answer = site.post("/v1/disclosures/batch", {**batch, "items": items}, Role.READER).json()
    assert all(text.startswith("***") for text in texts_of(answer["results"][0]))


def test_a_masked_copy_may_be_where_last_digits_come_from_and_nothing_more(site: Site) -> None:
    site.enroll()
    ask = {**EVERYTHING, "categories": ["ssn", "phone"], "form": "masked"}
    masked = site.disclose(ask).json()["receipt"]["index"]
    for text, expected in (
        ("Dana Brightwater, SSN ending in 3456", [masked]),
        ("Dana Brightwater, SSN 741-12-3456", []),
        ("Dana Brightwater, SSN 741-12-3456 (ending in 3456)", []),
    ):
        traced = site.post("/v1/traces", {"text": text}, Role.INVESTIGATOR).json()
        assert [found["category"] for found in traced["findings"]] == ["ssn"], text
        copies = [copy["entry"] for account in traced["candidates"] for copy in account["copies"]]
        assert copies == expected, text


def test_a_weak_sign_in_does_not_open_safety(site: Site) -> None:
    site.enroll()
    site.token("the reader", Role.READER)
    now = site.home.clock.now()
    weak = site.home.app.development_issuer().issue("the reader", [Role.READER], ttl_seconds=60, now=now, acr=None)
    answer = site.http.post("/v1/disclosures", json=EVERYTHING, headers={"Authorization": f"Bearer {weak}"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "step_up_required")
    assert site.said(answer.json()["receipt"]["index"])["rules"].endswith(" step_up.safety")


def test_a_case_or_note_that_says_nothing_is_not_taken(site: Site) -> None:
    site.enroll()
    for purpose in ({"case": "-"}, {"note": "."}, {"note": "x"}):
        answer = site.disclose(EVERYTHING | {"purpose": {"code": "payroll", **purpose}, "categories": ["ssn"]})
        [pointer] = [f"/purpose/{name}" for name in purpose]
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
