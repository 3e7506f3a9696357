"""Where the key service is, and as whom the registry speaks to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from registry.domain.errors import MisconfiguredHome
from registry.keys.addresses import demand_address
from registry.keys.ports import ProviderPurpose

ADDRESS_EXAMPLE = "https://openbao.city.example:8200"
LONGEST_TIMEOUT_SECONDS = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_ROLE_ID = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class KeyServiceSettings:
    """One OpenBao server. Wrong settings are refused when they are built, not at the first lookup.

    Attributes:
        address: ``https://host:port``; ``http`` to this machine only.
        secret_id_file: file that holds the secret id of the AppRole, and nothing else; read at every login.
        role_id: role id of the AppRole; it is no secret.
        ca_file: certificates to trust, PEM; the machine's own when None.
        mount: where the transit engine is.
        auth_mount: where the AppRole method is.
        key_prefix: transit keys are ``<prefix>-data``, ``-bodies``, ``-cases`` and ``-secrets``.
        timeout_seconds: longest time for a whole answer.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    address: str
    secret_id_file: Path
    role_id: str = "registry"
    ca_file: Path | None = None
    mount: str = "transit"
    auth_mount: str = "approle"
    key_prefix: str = "registry"
    timeout_seconds: float = 2.0

    def __post_init__(self) -> None:
        demand_address(self.address, "address", ADDRESS_EXAMPLE)
        for name in ("mount", "auth_mount", "key_prefix"):
            if _NAME.fullmatch(getattr(self, name)) is None:
                raise MisconfiguredHome(f"keys: {name} is a name of letters, digits, - and _")
        if _ROLE_ID.fullmatch(self.role_id) is None:
            raise MisconfiguredHome("keys: role_id must be one word")
        if not 0 < self.timeout_seconds <= LONGEST_TIMEOUT_SECONDS:
            raise MisconfiguredHome(f"keys: timeout_seconds is above 0 and at most {LONGEST_TIMEOUT_SECONDS:g}")

    def key_of(self, purpose: ProviderPurpose) -> str:
        """Return the transit key that wraps for a purpose."""
        return f"{self.key_prefix}-{purpose}"

    @property
    def secrets_key(self) -> str:
        """The transit key that wraps the secrets which are used in this process."""
        return f"{self.key_prefix}-secrets"

    @property
    def transit_keys(self) -> tuple[str, ...]:
        """Every transit key of the registry."""
        return (*(self.key_of(purpose) for purpose in ("data", "bodies", "cases")), self.secrets_key)
