"""Identifiers. Each is its own type so that one cannot stand in for another."""

from __future__ import annotations

import os
import re
from typing import NewType

RegistryId = NewType("RegistryId", str)
SubjectId = NewType("SubjectId", str)
PersonId = NewType("PersonId", str)
RecordId = NewType("RecordId", str)
PrincipalId = NewType("PrincipalId", str)
DisclosureId = NewType("DisclosureId", str)
TraceId = NewType("TraceId", str)
RequestId = NewType("RequestId", str)
BreakGlassId = NewType("BreakGlassId", str)
PetitionId = NewType("PetitionId", str)
HoldId = NewType("HoldId", str)
ProvisionId = NewType("ProvisionId", str)
UnitId = NewType("UnitId", str)
EventId = NewType("EventId", str)
EntryIndex = NewType("EntryIndex", int)

ID_PATTERN = r"^[0-9a-f]{32}$"
_ID = re.compile(ID_PATTERN)
_MAX_48_BITS = (1 << 48) - 1


def new_id() -> str:
    """Return a fresh random identifier: 32 lower-case hexadecimal digits (128 random bits)."""
    return os.urandom(16).hex()


def event_id_at(now_ms: int) -> EventId:
    """Return a fresh identifier of an entry: 48 bits of the time, then 80 random bits, as 32 digits.

    Entries that follow each other get neighbouring ids, so the index over millions of them grows at its end instead of
    all over. The time adds nothing to what every entry says in the clear.

    Args:
        now_ms: milliseconds since 1970 UTC.
    """
    return EventId(f"{now_ms & _MAX_48_BITS:012x}{os.urandom(10).hex()}")


def is_id(text: str) -> bool:
    """Tell whether a text is an identifier; not so with a line end behind it."""
    return _ID.fullmatch(text) is not None
