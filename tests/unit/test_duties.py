"""Which roles nobody may hold together, and for whom that does not hold."""

from __future__ import annotations

import ast
from itertools import combinations

import pytest

from registry.domain.duties import CONFLICTING, DEVELOPMENT_ISSUER, EXEMPT_ISSUERS, LOCAL_ISSUER, conflicting
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
    (path,) = (migrations_folder() / "versions").glob("*_relations.py")
    found = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "_CONFLICTING"
    }
    assert set(found["_CONFLICTING"]) == {(one.value, other.value) for one, other in CONFLICTING}
