"""What is kept from subjects now, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from registry.audit.kinds import Kind
from registry.domain.ids import HoldId, SubjectId
from registry.services.kernel import Kernel
from registry.services.ports import Work
from registry.transparency.leaf import parse_leaf

# The form of a hold's entry that holds nothing back: a legal hold, which only keeps what there is.
LEGAL = "legal"


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept from one subject: lookups for some purposes, or for all when none are named.

    ``is_legal``: nothing is kept from them, but nothing of them is erased or pruned, as with any other hold.
    ``until`` and ``confirmed_at``: milliseconds. ``said_by``: the accounts that placed and confirmed it.
    """

    subject: SubjectId
    purposes: frozenset[str]
    until: int
    confirmed_at: int = 0
    said_by: frozenset[str] = frozenset()
    is_legal: bool = False

    def covers(self, purpose: str) -> bool:
        """Tell whether lookups for a purpose are held back."""
        return not self.purposes or purpose in self.purposes


class HoldsInForce:
    """The holds of one moment."""

    def __init__(self, held: Iterable[Held]) -> None:
        self._of: dict[SubjectId, list[Held]] = {}
        for one in held:
            self._of.setdefault(one.subject, []).append(one)

    def on(self, subject: SubjectId) -> Sequence[Held]:
        """Return the holds that keep something from a subject."""
        return tuple(held for held in self._of.get(subject, ()) if not held.is_legal)

    def keeps(self, subject: SubjectId) -> bool:
        """Tell whether a hold of any sort is on a subject: nothing of them is erased or pruned."""
        return subject in self._of

    def subjects(self) -> Sequence[SubjectId]:
        """Return whom holds are on."""
        return sorted(self._of)

    def until(self, subject: SubjectId, purposes: Sequence[str]) -> int:
        """Return until when a notice that speaks of lookups for these purposes is held back; 0: it is not.

        A notice that names no purpose is held back by any hold on its subject.
        """
        return max(
            (
                held.until
                for held in self.on(subject)
                if not purposes or any(held.covers(purpose) for purpose in purposes)
            ),
            default=0,
        )


def in_force(kernel: Kernel, work: Work) -> HoldsInForce:
    """Read the holds that are confirmed and not over; one that does not agree with its entry is none."""
    rows = {row.entry: row for row in work.holds.in_force(kernel.now_ms())}
    held = []
    for entry in work.entries.entries(sorted(rows)) if rows else ():
        row, opening = rows[entry.index], kernel.log.opening(entry)
        if opening is None or parse_leaf(entry.leaf).kind != Kind.HOLD:
            continue
        said = said_of(opening.values, row.id, row.until)
        if said is not None:
            held.append(
                replace(
                    said, confirmed_at=row.confirmed_at or 0, said_by=frozenset({row.principal, row.confirmed_by or ""})
                )
            )
    return HoldsInForce(held)


def said_of(values: Mapping[str, str], hold: HoldId, until: int) -> Held | None:
    """Return what the entry of a hold says; None when it is not the entry of this hold."""
    if not values["detail"].startswith(f"hold {hold} until {until} "):
        return None
    purposes = frozenset(values["purpose"].split())
    return Held(SubjectId(values["request"]), purposes, until, is_legal=values["form"] == LEGAL)
