"""Which roles nobody may hold together, and for whom that does not hold."""

from __future__ import annotations

import ast
from itertools import combinations

import pytest

from registry.domain.duties import (
    CONFLICTING,
    DEVELOPMENT_ISSUER,
    EXEMPT_ISSUERS,
    LOCAL_ISSUER,
    conflicting,
    conflicting_across,
    needs_number,
)
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Role
from registry.identity.issuers import IssuerSettings, require_fit_for_profile
from registry.storage.migrate import migrations_folder

ISSUER = "https://sign-in.example"
# Written out by hand: what may be held together. Everything else may not.
TOGETHER = {
    ("approver", "enroller"),
    ("approver", "reader"),
    ("approver", "records_officer"),
    ("enroller", "records_officer"),
    ("investigator", "records_officer"),
    ("records_officer", "security_admin"),
    *((role.value, "subject") if role < Role.SUBJECT else ("subject", role.value) for role in Role),
}


def test_every_pair_of_roles_was_decided() -> None:
    for one, other in combinations(sorted(Role), 2):
        assert bool(conflicting(ISSUER, {one, other})) == ((one.value, other.value) not in TOGETHER), (one, other)


def test_one_role_alone_conflicts_with_nothing() -> None:
    assert all(conflicting(ISSUER, {role}) == () for role in Role)


def test_every_pair_among_many_is_named() -> None:
    assert set(conflicting(ISSUER, frozenset(Role))) == set(CONFLICTING)
    assert all(why for why in CONFLICTING.values())


def test_only_issuers_that_production_refuses_are_exempt() -> None:
    assert frozenset({LOCAL_ISSUER, DEVELOPMENT_ISSUER}) == EXEMPT_ISSUERS
    for issuer in EXEMPT_ISSUERS:
        assert conflicting(issuer, frozenset(Role)) == ()
        settings = IssuerSettings(issuer, "registry", frozenset({"ES256"}), jwks_uri="https://sign-in.example/keys")
        with pytest.raises(MisconfiguredHome):
            require_fit_for_profile([settings], "production")
        require_fit_for_profile([settings], "development")


def test_the_database_refuses_the_same_pairs() -> None:
    """The migration is a snapshot of its own; this finds a pair that only one of the two knows."""
    for revision in ("0003_relations", "0024_duties_of_a_person"):
        path = migrations_folder() / "versions" / f"{revision}.py"
        found = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in {"_CONFLICTING", "_EXEMPT"}
        }
        assert set(found["_CONFLICTING"]) == {(one.value, other.value) for one, other in CONFLICTING}
        assert set(ast.literal_eval(found["_EXEMPT"])) == EXEMPT_ISSUERS


def test_one_person_holds_through_two_accounts_what_one_account_may_hold() -> None:
    for one, other in combinations(sorted(Role), 2):
        across = conflicting_across(ISSUER, {one}, [(ISSUER, {other})])
        assert across == conflicting(ISSUER, {one, other})
        assert conflicting_across(ISSUER, {one}, [(DEVELOPMENT_ISSUER, {other})]) == ()
        assert conflicting_across(DEVELOPMENT_ISSUER, {one}, [(ISSUER, {other})]) == ()


def test_what_others_hold_among_themselves_is_not_this_accounts_fault() -> None:
    others = [(ISSUER, {Role.READER}), (ISSUER, {Role.ENROLLER})]
    assert conflicting_across(ISSUER, {Role.SUBJECT}, others) == ()
    assert conflicting_across(ISSUER, frozenset(), others) == ()


def test_whose_word_lets_others_do_something_says_who_they_are() -> None:
    assert {role for role in Role if needs_number(ISSUER, {role})} == {Role.APPROVER}
    assert not any(needs_number(issuer, {Role.APPROVER}) for issuer in EXEMPT_ISSUERS)
