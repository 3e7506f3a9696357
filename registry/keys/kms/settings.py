"""Which key of AWS KMS wraps; never with which credentials. The SDK finds those, and no file of ours holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from registry.domain.errors import MisconfiguredHome
from registry.keys.addresses import demand_address

ADDRESS_EXAMPLE = "https://kms.us-east-1.amazonaws.com"
LONGEST_TIMEOUT_SECONDS = 30.0
_NAME = r"(?:alias/[A-Za-z0-9/_-]{1,250}|key/[A-Za-z0-9-]{1,64})"
_KEY = re.compile(
    rf"arn:aws[a-z-]*:kms:[a-z0-9-]{{1,32}}:[0-9]{{12}}:{_NAME}|alias/[A-Za-z0-9/_-]{{1,250}}|[A-Za-z0-9-]{{1,64}}"
)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,16}){1,4}")


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """One key of AWS KMS. Wrong settings are refused when they are built, not at the first lookup.

    Attributes:
        key: alias, id or ARN of a symmetric key that encrypts and decrypts.
        region: where it is.
        endpoint: another address than the region's own, ``https``; ``http`` to this machine only.
        ca_file: certificates to trust, PEM; the SDK's own when None.
        timeout_seconds: longest time for one attempt; there are ``attempts`` of them.
        attempts: how often one question is asked at most, 1 to 5, with the SDK's growing pauses between.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    key: str
    region: str
    endpoint: str = ""
    ca_file: Path | None = None
    timeout_seconds: float = 2.0
    attempts: int = 2

    def __post_init__(self) -> None:
        if _KEY.fullmatch(self.key) is None:
            raise MisconfiguredHome("keys: key is an alias, such as alias/registry, an id or an ARN of AWS KMS")
        if _REGION.fullmatch(self.region) is None:
            raise MisconfiguredHome("keys: region must look like us-east-1")
        if self.endpoint:
            demand_address(self.endpoint, "endpoint", ADDRESS_EXAMPLE)
        if not 0 < self.timeout_seconds <= LONGEST_TIMEOUT_SECONDS:
            raise MisconfiguredHome(f"keys: timeout_seconds is above 0 and at most {LONGEST_TIMEOUT_SECONDS:g}")
        if self.attempts not in range(1, 6):
            raise MisconfiguredHome("keys: attempts is a whole number from 1 to 5")
