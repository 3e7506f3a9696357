"""What is kept of a trace, as the bytes that are sealed."""

from __future__ import annotations

import zlib

from pydantic import TypeAdapter

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.ids import RecordId
from registry.services.trace_shapes import StoredTrace
from registry.vault.cases import MOST_BYTES

_STORED = TypeAdapter(StoredTrace)
# A report on a dump of thousands of people is mostly labels that repeat. Smaller ones are left alone: how long a sealed
# report is then says nothing of how alike its parts are.
_PACKED_FROM = 1 << 20
_OPENS_JSON = b"{"


def kept(stored: StoredTrace) -> bytes:
    """Return a trace as it is kept: JSON, packed where it is long.

    Raises:
        InvalidInput: ``too_much_found``: what was found is more than one case can hold.
    """
    told = _STORED.dump_json(stored)
    packed = told if len(told) < _PACKED_FROM else zlib.compress(told)
    if len(packed) > MOST_BYTES:
        raise InvalidInput([FieldProblem("/text", "too_much_found")])
    return packed


def stored_in(packed: bytes) -> StoredTrace:
    """Return the trace in what ``kept`` gave; of what was kept by earlier versions, too."""
    return _STORED.validate_json(packed if packed.startswith(_OPENS_JSON) else zlib.decompress(packed))


def records_found(packed: bytes) -> frozenset[RecordId]:
    """Return the records that a kept trace found in its text, the doubtful ones too."""
    stored = stored_in(packed)
    found = [item.found for person in stored.report.people for item in person.findings]
    return frozenset(one.record for one in (*found, *stored.possible) if one.record is not None)
