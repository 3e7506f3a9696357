"""Which roles nobody may hold together.

Each pair follows from what PRODUCT says that a role may never do: with the other role, its holder could. Roles that are
not paired may be held together: a reader may approve others' requests, nobody approves their own; everybody may have
their own portal (``subject``). Pairs hold for the person, not for the account: whoever has two accounts holds in
neither what conflicts with the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from registry.domain.principals import Role

# Issuers that exist in the development profile alone: one person at a keyboard tries everything with them. A production
# registry has neither: it trusts no development issuer, and its command line acts through HTTP.
LOCAL_ISSUER = "local"
DEVELOPMENT_ISSUER = "https://registry.invalid/development"
EXEMPT_ISSUERS = frozenset({LOCAL_ISSUER, DEVELOPMENT_ISSUER})

# Pair -> why, in the order of their names.
CONFLICTING: Mapping[tuple[Role, Role], str] = MappingProxyType(
    {
        (Role.APPROVER, Role.AUDITOR): "who watches approvals gives none",
        (Role.APPROVER, Role.INVESTIGATOR): "the second person of a case is not of those who open cases",
        (Role.APPROVER, Role.SECURITY_ADMIN): "who appoints approvers is none",
        (Role.AUDITOR, Role.ENROLLER): "who watches enters nothing",
        (Role.AUDITOR, Role.INVESTIGATOR): "auditors watch investigators",
        (Role.AUDITOR, Role.READER): "an auditor never gets plaintext",
        (Role.AUDITOR, Role.RECORDS_OFFICER): "who watches checks asks none",
        (Role.AUDITOR, Role.SECURITY_ADMIN): "auditors watch administrators",
        (Role.ENROLLER, Role.INVESTIGATOR): "who entered a value is one of those a trace looks at",
        (Role.ENROLLER, Role.READER): "an enroller never reads a value back",
        (Role.ENROLLER, Role.SECURITY_ADMIN): "who appoints people enters nobody's conflicts away",
        (
            Role.INVESTIGATOR,
            Role.READER,
        ): "an investigator gets no plaintext but what was pasted, and readers are traced",
        (Role.INVESTIGATOR, Role.SECURITY_ADMIN): "an administrator learns no value",
        (Role.READER, Role.RECORDS_OFFICER): "a records officer never gets plaintext",
        (Role.READER, Role.SECURITY_ADMIN): "an administrator never gets plaintext",
    }
)


# Roles of people alone, whose word lets others do something: nobody can be told from who asked without a number. The
# other roles are held by machines too.
NUMBERED = frozenset({Role.APPROVER})


def conflicting(issuer: str, roles: Iterable[Role]) -> tuple[tuple[Role, Role], ...]:
    """Return the pairs among these roles that a principal of this issuer may not hold together."""
    if issuer in EXEMPT_ISSUERS:
        return ()
    held = frozenset(roles)
    return tuple(pair for pair in CONFLICTING if held.issuperset(pair))


def conflicting_across(
    issuer: str, roles: Iterable[Role], others: Iterable[tuple[str, Iterable[Role]]]
) -> tuple[tuple[Role, Role], ...]:
    """Return the pairs that one person may not hold together through several accounts.

    Args:
        issuer: of the account that is looked at.
        roles: its roles.
        others: issuer and roles of every other account of the same person.
    """
    elsewhere = {role for other, held in others if other not in EXEMPT_ISSUERS for role in held}
    own = conflicting(issuer, roles)
    return tuple(pair for pair in conflicting(issuer, {*roles, *elsewhere}) if pair not in own and {*pair} & {*roles})


def needs_number(issuer: str, roles: Iterable[Role]) -> bool:
    """Tell whether an account with these roles must say whose it is."""
    return issuer not in EXEMPT_ISSUERS and not NUMBERED.isdisjoint(roles)
