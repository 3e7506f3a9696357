"""How the case of a trace stands, and how it may go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class CaseState(StrEnum):
    """How a case stands."""

    OPEN = "open"
    ANSWERED = "answered"  # somebody whose copy the report speaks of has replied
    CLOSED = "closed"


class PartKind(StrEnum):
    """What is added to a case. A state is a part as well: the last one says how the case stands."""

    NOTE = "note"
    REPLY = "reply"
    SIGHTING = "sighting"  # seen again, with nothing new in it
    CONTINUED = "continued"  # something new was seen: another trace goes on with the case
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class ReplyBy(StrEnum):
    """Who says something of a report."""

    ACCOUNT_HOLDER = "account_holder"  # whoever has an account that the report lists
    SUBJECT = "subject"  # whose values were found
    UNIT = "unit"  # the unit that an account belongs to
    OTHER = "other"


# A closed case is opened again before anything else becomes of it.
NEXT: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.ANSWERED, CaseState.CLOSED}),
    CaseState.ANSWERED: frozenset({CaseState.OPEN, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset({CaseState.OPEN}),
}
_STATES = frozenset(CaseState)


def state_after(kinds: Iterable[str]) -> CaseState:
    """Return how a case stands after these parts, oldest first.

    A reply answers an open case, and no other; a case that another trace goes on with is closed.
    """
    state = CaseState.OPEN
    for kind in kinds:
        if kind in _STATES:
            state = CaseState(kind)
        elif kind == PartKind.CONTINUED:
            state = CaseState.CLOSED
        elif kind == PartKind.REPLY and state is CaseState.OPEN:
            state = CaseState.ANSWERED
    return state
