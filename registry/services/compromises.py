"""What the first entry of an origin says that was begun because the former key was compromised.

Nothing is lost then, so the entries stay. What a signature of the former key is worth is another matter: whoever had a
copy could sign another history too, from the moment on from which the key is suspected. What others saw and dated
before that moment holds without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.ports import EntryRow, HeadRow
from registry.domain.clock import iso
from registry.transparency.terms import KeyTerm

_SAID = re.compile(
    r"compromised; found ([1-9][0-9]{0,18}) ([0-9a-f]{64}); since ([0-9TZ:.-]{24}); "
    r"trusted (?:nothing|([1-9][0-9]{0,18}) ([0-9a-f]{64}))"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that others saw and dated before a key was suspected: how many entries, and their root."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Compromise:
    """Why a ledger goes on with another key although nothing is lost.

    Attributes:
        key_id: of the compromised key, as its verifier key has it: 8 hexadecimal digits.
        since: from when on somebody else may have had it.
        trusted: the newest checkpoint that others dated before that; None for none.
        reason: the operator's words.
    """

    key_id: str
    since: datetime
    trusted: Seen | None
    reason: str

    def said_at(self, head: HeadRow) -> str:
        """Return what the entry says; the inverse of ``suspected_in``.

        Args:
            head: the last one before the entry.
        """
        trusted = "nothing" if self.trusted is None else f"{self.trusted.size} {self.trusted.root.hex()}"
        found = f"found {head.size} {head.root.hex()}"
        return f"compromised; {found}; since {iso(self.since)}; trusted {trusted}"


@dataclass(frozen=True, slots=True)
class Suspected:
    """A former key that was compromised.

    Attributes:
        term: its term.
        since: from when on somebody else may have had it.
        trusted: how many entries others dated before that; 0 for none.
    """

    term: KeyTerm
    since: datetime
    trusted: int


def suspected_in(term: KeyTerm, result: str) -> Suspected | None:
    """Read what the entry at the end of a key's term says; None when that key was not compromised."""
    found = _SAID.fullmatch(result)
    if found is None or not term.is_new_origin:
        return None
    return Suspected(term, datetime.fromisoformat(found[3]), int(found[4] or 0))


def suspected_of(
    terms: Sequence[KeyTerm], rows: Callable[[Sequence[int]], Sequence[EntryRow]], result_of: Callable[[EntryRow], str]
) -> tuple[Suspected, ...]:
    """Return the compromised ones of a ledger's former keys.

    Args:
        terms: of the former keys.
        rows: reads entries by their indexes.
        result_of: opens what an entry says came of it.
    """
    origins = [term for term in terms if term.is_new_origin]
    found = rows([term.size - 1 for term in origins]) if origins else ()
    told = (suspected_in(term, result_of(row)) for term, row in zip(origins, found, strict=True))
    return tuple(one for one in told if one is not None)
