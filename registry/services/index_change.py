"""What the two ways to another generation of the blind index have in common: under another secret, or made anew.

Both begin a generation with a secret of its own, open every value once, under entries, switch to it, and take the one
before away with its secret. Each step is a transaction, and how far it came stands beside the index, so it may be ended
at any moment and run again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, KeyUnavailable
from registry.domain.ids import RecordId, SubjectId
from registry.keys.index_keys import IndexKeys
from registry.keys.ports import WrappedKey
from registry.leaktrace.terms import TERMS_VERSION
from registry.services.found_by import FoundBy, Receipts, directories_of, parted, versions_of
from registry.services.kernel import Kernel, record_lines
from registry.services.key_changes import REBUILD, REKEY, KeyChanges, command_of
from registry.services.ports import SubjectRow, Work
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.vault.generations import Generation, Part
from registry.vault.sealed import SealedField

# People whose values are opened under the entries of one transaction.
PEOPLE_AT_ONCE = 20
# People whose tags are sealed anew in one transaction: nothing is opened for it.
SEALED_AT_ONCE = 50
# Postings of one transaction: others wait for it some tens of milliseconds.
AT_ONCE = 1_000
NOT_WHOLE, UNDER_WAY = "index_not_whole", "index_change_under_way"

# What a step says: its name, how much is done, and of how much.
Told = Callable[[str, int, int], None]
COPYING, MAKING, REMOVING = "copied", "made", "removed"
SEALING = "tags of people"
# Ids are random: the first eight digits of one tell how far it is.
ALL = 1 << 32


@dataclass(frozen=True, slots=True)
class IndexStanding:
    """How the index stands.

    Attributes:
        generation: the number of the one that is looked up in.
        postings: of it.
        following: postings that the next one has; None where none is being filled.
        former: postings of the one before that are still there; None where none is.
        terms: the oldest version of terms that stands in the one that is looked up in.
        change: what the next one, or else the one that is looked up in, came or comes of.
        tags: the oldest one that kept tags of values and documents may stand under.
    """

    generation: int
    postings: int
    following: int | None
    former: int | None
    terms: int
    change: str
    tags: int

    @property
    def is_older(self) -> bool:
        """Whether it finds some values by terms of an earlier version of this program only."""
        return self.terms < TERMS_VERSION

    @property
    def next_step(self) -> str:
        """What is to be done, and why; empty when nothing is."""
        if self.following is not None:
            return f"the next generation is not whole and not looked up in; run: {command_of(self.change)}"
        if self.former is not None:
            return f"postings under the former secret are still there; run: {command_of(self.change)}"
        if self.is_older:
            return (
                f"terms of version {self.terms}, of {TERMS_VERSION}: values that were stored before may not be found in"
                f" every writing; run: {command_of(REBUILD)}"
            )
        if self.tags < self.generation:
            return f"tags of values stand under a former secret; run: {command_of(REKEY)}"
        return ""


@dataclass(frozen=True, slots=True)
class Changed:
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


@dataclass(frozen=True, slots=True)
class Opened:
    """Some people, and what an entry permits to open of each; ``last`` is the one to go on behind."""

    after: str
    ids: Sequence[SubjectId]
    people: Sequence[tuple[Sequence[SealedField], Sequence[PendingReceipt]]] = field(repr=False)

    @property
    def last(self) -> SubjectId:
        """The one to go on behind."""
        return self.ids[-1]


def standing_of(work: Work) -> IndexStanding:
    """Return how the index stands in a transaction.

    Raises:
        LedgerCorrupt: its state was changed.
    """
    current, *others = standing = work.index_state.standing()
    counts = {one.part: one.count for one in others}
    is_made = max(standing, key=lambda one: one.number).is_made
    return IndexStanding(
        current.number,
        current.count,
        counts.get(Part.NEXT),
        counts.get(Part.FORMER),
        work.index_state.terms()[current.number],
        REBUILD if is_made else REKEY,
        work.kept_tags.oldest(),
    )


class IndexChange(ABC):
    """The steps that both have."""

    CHANGE: ClassVar[str]
    WHY: ClassVar[str]

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
            return standing_of(work)

    def run(self, *, operator: str, without: int = 0, told: Told = lambda *_: None) -> Changed:
        """Go from one generation to another, or on with what was begun and cut off.

        Args:
            operator: who is at the keyboard.
            without: how much is left out that cannot be taken along; as the error told.
            told: hears of the progress.

        Raises:
            AuditUnavailable: the ledger takes no entry, or this account of the database may not do it
                (``not_granted``); what went before is kept.
            KeyUnavailable: the key service cannot be used now. ``approval_required``: keys are under dual control, and
                nobody has approved this. ``UNDER_WAY``: the other change is. ``NOT_WHOLE``: something cannot be taken
                along.
            LedgerCorrupt: a posting was changed, or the state of the index.
        """
        self._unopened = 0
        if self.standing().former is None:
            self._changes.demand(self.CHANGE, operator=operator)
            if self.standing().following is None:
                self._begin(operator)
            self._demand_own()
            self._fill(operator, without, told)
            self._switch(operator, without)
        self._seal_tags(told)
        self._remove_all(operator, told)
        after = self.standing()
        return Changed(after.generation, after.postings, self._unopened, self._scrubbed())

    def _demand_own(self) -> None:
        now = self.standing()
        if now.change != self.CHANGE:
            raise KeyUnavailable(f"another change of the index is under way; run: {command_of(now.change)}", UNDER_WAY)
        if self._terms_begun() > TERMS_VERSION:
            raise KeyUnavailable("a later version of this program has begun it; go on with that one", UNDER_WAY)

    def _terms_begun(self) -> int:
        with self._kernel.database.read() as work:
            return work.index_state.terms()[following(work).number]

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
            is_made = self.CHANGE == REBUILD
            terms = TERMS_VERSION if is_made else work.index_state.terms()[current.number]
            work.index_state.begin(number, key, terms, is_made=is_made)
            self._say(work, operator, f"begins generation {number}; postings {current.count}")
            work.commit()

    @abstractmethod
    def _fill(self, operator: str, without: int, told: Told) -> None:
        """Fill the next generation."""

    @abstractmethod
    def _switch(self, operator: str, without: int) -> None:
        """Look up in the next generation from now on, if it is whole; the approval is used up."""

    @rerun_once
    def _open(self, operator: str) -> Opened | None:
        """Write the entries under which the values of the next people are opened; None behind the last."""
        with self._kernel.database.write() as work:
            after = following(work).cursor
            ids = work.subjects.ids_after(after, PEOPLE_AT_ONCE)
            if not ids:
                return None
            rows = work.subjects.lock(ids)
            fields = fields_of(work, rows)
            people = [self._say_opened(work, operator, rows[one], fields[one]) for one in rows]
            work.commit()
        return Opened(after, ids, people)

    def _say_opened(
        self, work: Work, operator: str, row: SubjectRow, fields: Sequence[SealedField]
    ) -> tuple[Sequence[SealedField], Sequence[PendingReceipt]]:
        said = said_by(at_keyboard(operator))
        values = said | {"result": "opened", "detail": self.WHY}
        drafts = [EntryDraft(Kind.OPEN, values, (row.id,), part) for part in parted(record_lines(fields))]
        return fields, self._kernel.log.append(work.ledger, drafts)

    def _found_by(self, opened: Opened) -> Iterator[FoundBy]:
        """Open people's values; yields what each is found by."""
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
            yield terms

    def _seal_tags(self, told: Told) -> None:
        """Seal all kept tags under the generation that is looked up in, while the former secret is still there.

        Whoever stores one from the switch on does so under this generation, or loses its transaction. So one way
        through all people leaves none behind; where it is cut off, it begins anew, and those that are done stay.
        """
        after: SubjectId | None = SubjectId("")
        while after is not None:
            after = self._seal_some(after)
            told(SEALING, ALL if after is None else int(after[:8], 16), ALL)

    @rerun_once
    def _seal_some(self, after: SubjectId) -> SubjectId | None:
        """Seal the tags of the next people anew; returns the last of them, None where all tags are done."""
        with self._kernel.database.write() as work:
            current = work.index_state.standing()[0].number
            if work.kept_tags.oldest() >= current:
                return None
            ids = work.subjects.ids_after(after, SEALED_AT_ONCE)
            work.kept_tags.seal_anew(work.subjects.lock(ids))
            if not ids:
                work.kept_tags.note_oldest(current)
            work.commit()
        return ids[-1] if ids else None

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
            return following(work)

    def _say(self, work: Work, operator: str, result: str) -> None:
        values = said_by(at_keyboard(operator)) | {"request": self.CHANGE, "result": result}
        self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])


def fields_of(work: Work, people: Mapping[SubjectId, SubjectRow]) -> dict[SubjectId, list[SealedField]]:
    """Return everything that is stored of people, sealed, as it is and as it ever was."""
    owned: dict[SubjectId, list[RecordId]] = {one: [] for one in people}
    for record in work.records.of_subjects(people):
        owned[record.subject].append(record.id)
    return {one: [*directories_of(work, row), *versions_of(work, owned[one])] for one, row in people.items()}


def following(work: Work) -> Generation:
    """Return the generation that is being filled.

    Raises:
        KeyUnavailable: another process has finished it.
    """
    for one in work.index_state.standing():
        if one.part is Part.NEXT:
            return one
    raise KeyUnavailable("another process has brought this to its end")
