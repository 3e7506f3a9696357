"""Purposes of use: a coded why. Which there are, an agency says beside its policies; what each opens, the policies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

# The code of a purpose: of this registry's, once a policy has read it.
PurposeCode = NewType("PurposeCode", str)

# What entries say in a purpose's place.
OWN_RECORD = "own_record"

MAX_CODE = 40
CODE_FORM = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
HL7_FORM = r"[A-Z][A-Z0-9]{1,19}"

_CODE = re.compile(CODE_FORM)
_HL7 = re.compile(HL7_FORM)


class ReleasePurpose(StrEnum):
    """Why a document is to leave the agency; opens nothing."""

    PUBLICATION = "publication"
    RECORDS_REQUEST = "records_request"
    LEGAL_PROCEEDING = "legal_proceeding"


_OF_RELEASES = frozenset(ReleasePurpose)


def is_purpose_code(text: str) -> bool:
    """Tell whether a text has the form of a purpose's code; one that entries use otherwise has not."""
    is_free = text != OWN_RECORD and text not in _OF_RELEASES
    return len(text) <= MAX_CODE and _CODE.fullmatch(text) is not None and is_free


def is_hl7_code(text: str) -> bool:
    """Tell whether a text has the form of a code of HL7's value set PurposeOfUse."""
    return _HL7.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Purpose:
    """The stated purpose of one ask."""

    code: PurposeCode
    case: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
