"""The blind index under another secret, while the registry serves: begin, copy, switch, remove, destroy the secret.

The postings do not tell their terms, so every value is opened once, under entries, and the lists of its terms are
copied whole. Looked up in is the former generation until the other one has every posting; both are added to and erased
from meanwhile, so that nothing is missed and nothing is found twice. Which one it is stands in the database, and is
read in the same snapshot as the postings.

It may be ended at any moment and run again: each step is a transaction, and how far it came stands beside the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, KeyUnavailable
from registry.domain.ids import RecordId, SubjectId
from registry.keys.index_keys import IndexKeys
from registry.keys.ports import WrappedKey
from registry.services.found_by import FoundBy, Receipts, directories_of, parted, versions_of
from registry.services.kernel import Kernel, record_lines
from registry.services.key_changes import REKEY, KeyChanges, switched
from registry.services.ports import SubjectRow, Work
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.vault.generations import Generation, Part
from registry.vault.images import copy_lists
from registry.vault.sealed import SealedField

# People whose values are opened under the entries of one transaction.
PEOPLE_AT_ONCE = 20
# Postings of one transaction: others wait for it some tens of milliseconds.
AT_ONCE = 1_000
NOT_WHOLE = "index_not_whole"

# What a step says: its name, how many postings are done, and of how many.
Told = Callable[[str, int, int], None]
COPYING, REMOVING = "copied", "removed"


@dataclass(frozen=True, slots=True)
class IndexStanding:
    """How the index stands.

    Attributes:
        generation: the number of the one that is looked up in.
        postings: of it.
        following: postings that the next one has; None where none is being filled.
        former: postings of the one before that are still there; None where none is.
    """

    generation: int
    postings: int
    following: int | None
    former: int | None

    @property
    def next_step(self) -> str:
        """What is to be done, and why; empty when nothing is."""
        if self.following is not None:
            return "the next generation is not whole and not looked up in; run: registry keys rekey-index"
        if self.former is not None:
            return "postings under the former secret are still there; run: registry keys rekey-index"
        return ""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What came of it.

    Attributes:
        generation: the one that is looked up in.
        postings: of it.
        unopened: values that did not open.
        is_clean: nothing that was removed is left in the database's files; else see ``SqlDatabase.scrub``.
    """

    generation: int
    postings: int
    unopened: int
    is_clean: bool


@dataclass(slots=True)
class _Round:
    """One way through all people."""

    is_whole: bool  # from the first of them
    copied: int = 0


@dataclass(frozen=True, slots=True)
class _Opened:
    """Some people, and what an entry permits to open of each; ``last`` is the one to go on behind."""

    last: SubjectId
    people: Sequence[tuple[Sequence[SealedField], Sequence[PendingReceipt]]] = field(repr=False)


class RekeyIndex:
    """Brings the blind index under another secret."""

    def __init__(self, kernel: Kernel, keys: IndexKeys, changes: KeyChanges) -> None:
        """Take the parts.

        Args:
            kernel: of the registry.
            keys: what makes the secret.
            changes: what two persons agreed to.
        """
        self._kernel = kernel
        self._keys = keys
        self._changes = changes
        self._unopened = 0

    def standing(self) -> IndexStanding:
        """Return how the index stands; changes nothing."""
        with self._kernel.database.read() as work:
            current, *others = work.index_state.standing()
        counts = {one.part: one.count for one in others}
        return IndexStanding(current.number, current.count, counts.get(Part.NEXT), counts.get(Part.FORMER))

    def run(self, *, operator: str, without: int = 0, told: Told = lambda *_: None) -> Rekeyed:
        """Go from one secret to another, or on with what was begun and cut off.

        Args:
            operator: who is at the keyboard.
            without: postings that no stored value explains, and that are left out; as the error told.
            told: hears of the progress.

        Raises:
            AuditUnavailable: the ledger takes no entry, or this account of the database may not do it
                (``not_granted``); what went before is kept.
            KeyUnavailable: the key service cannot be used now. ``approval_required``: keys are under dual control, and
                nobody has approved this. ``NOT_WHOLE``: there are postings that no stored value explains.
            LedgerCorrupt: a posting was changed, or the state of the index.
        """
        self._unopened = 0
        if self.standing().former is None:
            self._changes.demand(REKEY, operator=operator)
            if self.standing().following is None:
                self._begin(operator)
            self._copy_all(operator, without, told)
            self._switch(operator, without)
        self._remove_all(operator, told)
        after = self.standing()
        return Rekeyed(after.generation, after.postings, self._unopened, self._scrubbed())

    def _begin(self, operator: str) -> None:
        number = self.standing().generation + 1
        key = self._keys.new(number)
        self._store_begun(operator, number, key)

    @rerun_once
    def _store_begun(self, operator: str, number: int, key: WrappedKey) -> None:
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            current, *others = work.index_state.standing()
            if others or current.number != number - 1:
                return  # somebody else has begun it
            work.index_state.begin(number, key)
            self._say(work, operator, f"begins generation {number}; postings {current.count}")
            work.commit()

    def _copy_all(self, operator: str, without: int, told: Told) -> None:
        """Copy until the next generation is whole: who was changed or enrolled meanwhile may need a second round."""
        round_ = _Round(is_whole=not self._following().cursor)
        while not self._is_whole(without):
            opened = self._open(operator)
            if opened is not None:
                round_.copied += self._copy(opened, told)
            elif self._is_whole(without):
                return
            elif round_.is_whole and not round_.copied:
                raise KeyUnavailable(self._not_whole(), NOT_WHOLE)
            else:
                self._go_back()
                round_ = _Round(is_whole=True)

    def _is_whole(self, without: int) -> bool:
        now = self.standing()
        return now.following is not None and now.postings - now.following == without

    def _not_whole(self) -> str:
        now = self.standing()
        missing = now.postings - (now.following or 0)
        return (
            f"{missing} of {now.postings} postings stand under no term of any value that is stored ({self._unopened}"
            f" values do not open); look into it, or go on without them: --without {missing}"
        )

    @rerun_once
    def _open(self, operator: str) -> _Opened | None:
        """Write the entries under which the values of the next people are opened; None behind the last."""
        with self._kernel.database.write() as work:
            ids = work.subjects.ids_after(_next(work).cursor, PEOPLE_AT_ONCE)
            if not ids:
                return None
            rows = work.subjects.lock(ids)
            owned: dict[SubjectId, list[RecordId]] = {one: [] for one in rows}
            for record in work.records.of_subjects(rows):
                owned[record.subject].append(record.id)
            people = [self._say_opened(work, operator, row, owned[row.id]) for row in rows.values()]
            work.commit()
        return _Opened(ids[-1], people)

    def _say_opened(
        self, work: Work, operator: str, row: SubjectRow, records: Sequence[RecordId]
    ) -> tuple[Sequence[SealedField], Sequence[PendingReceipt]]:
        fields = [*directories_of(work, row), *versions_of(work, records)]
        said = said_by(at_keyboard(operator))
        values = said | {"result": "opened", "detail": "everything, to index it under another secret"}
        drafts = [EntryDraft(Kind.OPEN, values, (row.id,), part) for part in parted(record_lines(fields))]
        return fields, self._kernel.log.append(work.ledger, drafts)

    def _copy(self, opened: _Opened, told: Told) -> int:
        """Copy the lists that some people stand in; returns how many postings that were."""
        names = frozenset(self._names(opened))
        copied = 0
        while True:
            done, names = self._copy_some(names, opened.last)
            copied += done
            now = self.standing()
            told(COPYING, now.following or 0, now.postings)
            if not names:
                return copied

    def _names(self, opened: _Opened) -> Iterator[bytes]:
        self._kernel.vault.prepare([one for fields, _ in opened.people for one in fields])
        for fields, pendings in opened.people:
            receipts, terms = Receipts(self._kernel.mint(pendings)), FoundBy()
            for one in fields:
                receipt = receipts.next()
                try:
                    value = self._kernel.vault.open(one, receipt).expose()
                except EnvelopeRejected:
                    self._unopened += 1
                else:
                    terms.take(one, value)
            yield from map(self._kernel.index.keys_of, terms.names())

    @rerun_once
    def _copy_some(self, names: frozenset[bytes], last: SubjectId) -> tuple[int, frozenset[bytes]]:
        """Copy some postings of lists; returns how many, and which lists are not whole yet."""
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            following = _next(work)
            current = work.index_state.standing()[0]
            copied = copy_lists(self._kernel.index, work.postings, (current, following), names, AT_ONCE)
            if not copied.left:
                work.index_state.advance(following.number, max(last, following.cursor))
            work.commit()
        return copied.done, copied.left

    @rerun_once
    def _go_back(self) -> None:
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            work.index_state.advance(_next(work).number, "")
            work.commit()

    @rerun_once
    def _switch(self, operator: str, without: int) -> None:
        """Look up in the next generation from now on, if it has every posting; the approval is used up."""
        with self._kernel.database.write() as work:
            self._changes.use(work, REKEY, operator=operator)
            work.ledger.lock_head()
            following = _next(work)
            current = work.index_state.standing()[0]
            if current.count - following.count != without:
                raise KeyUnavailable("people were stored in between; run it again", NOT_WHOLE)
            work.index_state.switch(following.number)
            left = f"; left out {without}" if without else ""
            self._say(work, operator, switched(following.number, following.count) + left)
            work.index_state.settle()  # no older than this entry: verifying tells a former state by it
            work.commit()

    def _remove_all(self, operator: str, told: Told) -> None:
        after: bytes | None = b""
        whole = self.standing().former or 0
        while after is not None:
            after = self._remove_some(operator, after)
            left = self.standing().former
            told(REMOVING, whole - (left or 0), whole)

    @rerun_once
    def _remove_some(self, operator: str, after: bytes) -> bytes | None:
        """Remove some postings of the former generation, and behind the last its secret; returns the last label."""
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            former = next((one for one in work.index_state.standing() if one.part is Part.FORMER), None)
            if former is None:
                return None
            rows = work.postings.of_generation(former.number, after, AT_ONCE)
            if rows:
                work.postings.overwrite(rows, [], former.number)
            else:
                work.index_state.end(former.number)
                self._say(work, operator, f"generation {former.number} removed, its secret destroyed")
            work.commit()
        return rows[-1][0] if rows else None

    def _scrubbed(self) -> bool:
        try:
            self._kernel.database.write_anew()
            return self._kernel.database.scrub()
        except AuditUnavailable:
            return False  # it is done and said; what is left beside the tables goes with the next checkpoint

    def _following(self) -> Generation:
        with self._kernel.database.read() as work:
            return _next(work)

    def _say(self, work: Work, operator: str, result: str) -> None:
        values = said_by(at_keyboard(operator)) | {"request": REKEY, "result": result}
        self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])


def _next(work: Work) -> Generation:
    """Return the generation that is being filled.

    Raises:
        KeyUnavailable: another process has finished it.
    """
    for one in work.index_state.standing():
        if one.part is Part.NEXT:
            return one
    raise KeyUnavailable("another process has brought this to its end")
