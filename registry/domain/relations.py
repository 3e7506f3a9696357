"""Relations between employees, as they are declared."""

from __future__ import annotations

from enum import StrEnum


class Declared(StrEnum):
    """A relation to another employee as HR enters it; it holds in both directions."""

    KIN = "kin"
    FORMER_PARTNER = "former_partner"
    HOUSEHOLD = "household"
