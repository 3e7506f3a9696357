"""What an agency may set of the policies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from registry.domain.errors import MisconfiguredHome

# A letter or digit first: "." and "-" are what people type when a form asks for something that they do not have.
CASE_FORM = r"[A-Za-z0-9][A-Za-z0-9 ._/:#-]*"
LEAST_NOTE = 3


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Settings under ``[policy]``. Wrong ones are refused when they are built.

    Attributes:
        folder: an agency's own policies, added to the shipped ones; None for those alone.
        same_unit: nobody looks up people of their own unit.
        case_form: regular expression that a case reference must match as a whole.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    folder: Path | None = None
    same_unit: bool = False
    case_form: str = CASE_FORM

    def __post_init__(self) -> None:
        try:
            re.compile(self.case_form)
        except re.error:
            raise MisconfiguredHome("config.toml: policy: case_form is not a regular expression") from None
