"""What the ledger holds of somebody who is taken out: which openings go, which stay, and what else they lead to."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.audit.kinds import OF_ERASURES, OF_PETITIONS, OF_PRINCIPALS, Kind
from registry.audit.ports import EntryRow
from registry.domain.approvals import Action
from registry.domain.ids import BreakGlassId, PetitionId, SubjectId, TraceId
from registry.services.dual_control import told_act
from registry.services.holds_in_force import said_of
from registry.services.kernel import Kernel
from registry.services.ports import Work
from registry.transparency.leaf import parse_leaf

_EVERY_HOLD = 1_000_000
_FILED, _OPENED = "filed", "opened"


@dataclass(slots=True)
class Trail:
    """A subject's entries, looked at one by one.

    Attributes:
        count: how many there are; as many leaves stay.
        gone: those whose opening goes: all that speak of nobody else, but for what approved the erasure itself.
        shared: how many speak of others too, or of an account's roles; there only ids are left of who was taken out.
        traces: texts in which somebody of the household was found, each with whom else it was about.
        emergencies: in which their card was opened.
        petitions: what was asked for, each with the entry or record that it is about.
    """

    count: int = 0
    gone: list[int] = field(default_factory=list)
    shared: int = 0
    traces: dict[TraceId, frozenset[SubjectId]] = field(default_factory=dict)
    emergencies: list[BreakGlassId] = field(default_factory=list)
    petitions: dict[PetitionId, str] = field(default_factory=dict)


def trail_of(kernel: Kernel, work: Work, subject: SubjectId) -> Trail:
    """Go through the entries of a subject whose row is held, so that none is added meanwhile."""
    trail = Trail()
    approving: set[str] = set()
    indexes = list(kernel.log.chains.indexes(work.entries, subject))
    trail.count = len(indexes)
    for row in work.entries.entries(indexes):
        _take(kernel, trail, row, approving)
    return trail


def placed_holds(kernel: Kernel, work: Work, subject: SubjectId) -> list[int]:
    """Return the entries with which holds on a subject were asked for; they are in nobody's chain."""
    rows = {row.entry: row for row in work.holds.newest(_EVERY_HOLD)}
    found = []
    for entry in work.entries.entries(sorted(rows)) if rows else ():
        opening, row = kernel.log.opening(entry), rows[entry.index]
        said = None if opening is None else said_of(opening.values, row.id, row.until)
        if said is not None and said.subject == subject:
            found.append(entry.index)
    return found


def _take(kernel: Kernel, trail: Trail, row: EntryRow, approving: set[str]) -> None:
    opening, kind = kernel.log.opening(row), parse_leaf(row.leaf).kind
    if opening is None:
        return
    values = opening.values
    named, _, what = values["request"].partition(" ")
    subjects = frozenset(map(SubjectId, values["subject"].split()))
    if kind == Kind.TRACE:
        trail.traces[TraceId(named)] = subjects
    if kind in OF_PETITIONS and values["result"] == _FILED:
        trail.petitions[PetitionId(named)] = what
    if kind == Kind.BREAKGLASS and values["result"] == _OPENED:
        trail.emergencies.append(BreakGlassId(values["detail"].rpartition(" ")[2]))
    act = told_act(values)
    if act is not None and act.action is Action.ERASE:
        approving.add(values["detail"].rpartition(" ")[2])
    elif len(subjects) > 1 or kind in OF_PRINCIPALS:
        trail.shared += 1
    elif kind not in OF_ERASURES and not (kind in (Kind.APPROVE, Kind.REFUSE) and values["request"] in approving):
        trail.gone.append(row.index)
