"""Erasing again: whoever was erased and stands in a database that was put back is taken out once more.

An older backup brings an erased person back with everything, the key wrapped as it was. Whether it may be done was
decided when it was done: nobody is asked again, and a hold of that older time keeps nothing, because it had ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from registry.audit.entries import said_by
from registry.audit.kinds import OF_ERASURES
from registry.audit.removals import ERASED
from registry.domain.errors import AuditUnavailable
from registry.domain.ids import PersonId, SubjectId
from registry.keys.erased import ErasedList
from registry.services.erase_reading import Known, Opened, read_opened, say_opened
from registry.services.erase_scope import Scope, named_in
from registry.services.erase_trail import trail_of
from registry.services.kernel import Kernel
from registry.services.ports import Work
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.services.taking_out import TakingOut
from registry.transparency.leaf import parse_leaf
from registry.vault.cases import CaseVault

_AT_ONCE = 5_000
_WHY = "erased before; it came back with a restored database"


@dataclass(frozen=True, slots=True)
class Returned:
    """Somebody who was erased and is there: a subject with the household, or one member of it."""

    subject: SubjectId
    member: PersonId | None


class EraseAgain:
    """Finds and takes out those who were erased; for the machine's own command line."""

    def __init__(self, kernel: Kernel, cases: CaseVault, erased: ErasedList, demand_keys: Callable[[], object]) -> None:
        """Take the parts.

        Args:
            kernel: whose vault opens, once more, what those on the list are found by.
            cases: opens reports of traces.
            erased: who was erased.
            demand_keys: raises while keys cannot be used: then what does not open is not taken for lost.
        """
        self._kernel = kernel
        self._cases = cases
        self._erased = erased
        self._demand_keys = demand_keys
        self._out = TakingOut(kernel)

    def returned(self) -> list[Returned]:
        """Return who was erased and is there; goes through everybody, and changes nothing.

        Raises:
            KeyUnavailable: the list cannot be read.
        """
        found: dict[Returned, None] = {}
        after = ""
        while True:
            with self._kernel.database.read() as work:
                there = work.persons.standing(after, _AT_ONCE)
            if not there:
                break
            after = there[-1][0]
            erased = self._erased.among({one for pair in there for one in pair})
            for person, subject in there:
                if subject in erased:
                    found[Returned(subject, None)] = None
                elif person in erased:
                    found[Returned(subject, person)] = None
        return list(found)

    def run(self, *, operator: str) -> int:
        """Take out all who were erased and are there, with an entry each; returns how many. May be run again.

        Raises:
            AuditUnavailable: ``not_granted``: this account of the database may not erase; or no entry can be written.
            KeyUnavailable: keys cannot be used now, or the list not be read.
            LedgerCorrupt: something is not as the ledger says.
        """
        returned = self.returned()
        if returned:
            self._demand_keys()
        for one in returned:
            self._take_out(operator, one, self._read(operator, one))
        if returned:
            self._kernel.database.scrub()
        return len(returned)

    def unlisted(self) -> list[str]:
        """Return whom entries of the ledger call erased and who is not on the list; changes nothing.

        Raises:
            KeyUnavailable: the list cannot be read.
        """
        with self._kernel.database.read() as work:
            return [one for one in self._said(work) if not self._erased.covers(one)]

    def _said(self, work: Work) -> Iterator[str]:
        rows = work.erasures.listing()
        for row in work.entries.entries(sorted(one.entry for one in rows)) if rows else ():
            opening = self._kernel.log.opening(row)
            if opening is None or parse_leaf(row.leaf).kind not in OF_ERASURES:
                continue
            if opening.values["result"].startswith(ERASED):
                yield opening.values["request"].partition(" ")[2]

    def _read(self, operator: str, one: Returned) -> Known:
        scope, opened = self._look(operator, one)
        return read_opened(self._kernel, self._cases, scope, opened, skip_lost=True)

    @rerun_once
    def _look(self, operator: str, one: Returned) -> tuple[Scope, Opened]:
        with self._kernel.database.write() as work:
            scope = _scope(work, one)
            trail = trail_of(self._kernel, work, one.subject)
            opened = say_opened(self._kernel, work, at_keyboard(operator), scope, trail)
            work.commit()
        return scope, opened

    @rerun_once
    def _take_out(self, operator: str, one: Returned, known: Known) -> None:
        with self._kernel.database.write() as work:
            scope = _scope(work, one)
            found = self._out.found(scope, trail_of(self._kernel, work, one.subject), known)
            counts = self._out.forget(work, found)
            work.ledger.lock_head()
            gone = self._out.clear(work, found, counts)
            self._out.say(work, said_by(at_keyboard(operator)) | {"note": _WHY}, found, gone)
            work.commit()
        self._erased.add(named_in(scope))


def _scope(work: Work, one: Returned) -> Scope:
    row = work.subjects.lock([one.subject]).get(one.subject)
    if row is None:
        raise AuditUnavailable("storage_missing")  # somebody else takes them out: run it again
    persons, records = work.persons.of_subjects([row.id]), work.records.of_subjects([row.id])
    if one.member is None:
        return Scope(row, persons, records, is_whole=True)
    named = [person for person in persons if person.id == one.member]
    return Scope(row, named, [record for record in records if record.person == one.member], is_whole=False)
