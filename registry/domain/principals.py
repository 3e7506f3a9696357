"""Who acts: roles and principals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from registry.domain.ids import PrincipalId


class Role(StrEnum):
    """What a principal may do; see registry/policy/README.md."""

    ENROLLER = "enroller"
    READER = "reader"
    APPROVER = "approver"
    SUBJECT = "subject"
    INVESTIGATOR = "investigator"
    AUDITOR = "auditor"
    RECORDS_OFFICER = "records_officer"
    SECURITY_ADMIN = "security_admin"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Holding one means the token passed every check of identity/tokens.py.

    Attributes:
        issuer, subject: the token's ``iss`` and ``sub``; together they name a principal.
        roles: roles the token claims; they can only narrow those of the principals table. None: no claim.
        token_id: ``jti`` or empty.
        client: ``client_id`` (or ``azp``) or empty.
        expires_at: Unix seconds.
        step_up_until: Unix seconds until which the sign-in counts as strong and recent; 0 when it does not at all.
        key_thumbprint: of the key that the token is bound to (RFC 9449), or empty. Such a token says nothing by itself:
            whoever shows it has to prove that they hold the key.
        issued_at: Unix seconds; 0 for what no token says.
        is_single_use: the token is good for one request.
        one_sealed_until: the token opens one card with sealed records, and is taken until this Unix second at most; 0
            where it opens any number.
    """

    issuer: str
    subject: str
    roles: frozenset[Role] | None
    token_id: str
    client: str
    expires_at: int
    step_up_until: int = 0
    key_thumbprint: str = ""
    issued_at: int = 0
    is_single_use: bool = False
    one_sealed_until: int = 0


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, as the principals table says, narrowed by the token.

    Attributes:
        id: row id.
        name: ``issuer`` local part and ``sub``, for entries; never a person's value.
        roles: effective roles.
        employee_tag: keyed tag of the principal's own employee number, or None.
        unit: organisational unit, or empty.
        supervisor_tag: keyed tag of the employee number of the principal's supervisor, or None.
        token_id, client, network: for the entry; empty where not known.
        step_up_until: as in ``Claims``.
        since_ms: when its account was made, milliseconds.
        is_taken_back: the token was taken back; such a principal has no roles.
        is_key_bound: the token is bound to a key (RFC 9449).
        one_sealed_until: as in ``Claims``.
    """

    id: PrincipalId
    name: str
    roles: frozenset[Role]
    employee_tag: bytes | None = None
    unit: str = ""
    token_id: str = ""
    client: str = ""
    network: str = ""
    step_up_until: int = 0
    supervisor_tag: bytes | None = None
    since_ms: int = 0
    is_taken_back: bool = False
    is_key_bound: bool = False
    one_sealed_until: int = 0
