"""Which roles nobody may hold together.

Each pair follows from what PRODUCT says that a role may never do: with the other role, its holder could. Roles that are
not paired may be held together: a reader may approve others' requests, nobody approves their own; everybody may have
their own portal (``subject``).
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


def conflicting(issuer: str, roles: Iterable[Role]) -> tuple[tuple[Role, Role], ...]:
    """Return the pairs among these roles that a principal of this issuer may not hold together."""
    if issuer in EXEMPT_ISSUERS:
        return ()
    held = frozenset(roles)
    return tuple(pair for pair in CONFLICTING if held.issuperset(pair))
