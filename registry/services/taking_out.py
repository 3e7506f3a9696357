"""Taking people out of the rows, the blind index and the ledger's openings, in a transaction that somebody else holds.

Whoever calls has said what is opened, has read what they are found by, and has looked whether it may be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.audit.removals import ERASED, spans_of, told
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import PetitionId, SubjectId
from registry.services.decoys import forget_decoy
from registry.services.erase_reading import Known
from registry.services.erase_scope import Scope
from registry.services.erase_trail import Trail, placed_holds
from registry.services.kernel import Kernel
from registry.services.notices import ToSubject
from registry.services.ports import SubjectRow, Work
from registry.services.ports_erasure import ErasureRow
from registry.services.send_notices import letter_of
from registry.vault.erased_postings import wipe
from registry.vault.generations import FIRST
from registry.vault.ties import digest_of, source_of

_EVERY_NOTICE = 10_000_000


class Found(NamedTuple):
    """All that is known of who is taken out; ``left``: the subject's row when it is one member who goes."""

    scope: Scope
    trail: Trail
    known: Known
    left: SubjectRow | None


class Gone(NamedTuple):
    """How many of what are gone, and how many of what stay."""

    counts: dict[str, int]
    kept: dict[str, int]


class TakingOut:
    """The steps of taking somebody out: rows, then postings and openings under the ledger's head, then the entry."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def found(self, scope: Scope, trail: Trail, known: Known) -> Found:
        """Put together who goes, with the row as it is without them where it is one member."""
        return Found(scope, trail, known, None if scope.is_whole else self._without(scope))

    def forget(self, work: Work, found: Found) -> dict[str, int]:
        """Take the rows out, those that refer to others first."""
        scope, trail, known, left = found
        petitions = _petitions_of(scope, trail)
        named = [*scope.record_ids, *petitions, *([scope.subject.id] if scope.is_whole else [])]
        counts = {
            "persons": len(scope.persons),
            "records": len(scope.records),
            "traces": work.erasures.forget_traces(sorted(known.traces)),
            "petitions": work.erasures.forget_petitions(petitions),
            "outcomes": work.erasures.forget_outcomes(named),
        }
        if scope.is_whole:
            label = self._kernel.contact_label(scope.subject.id)
            counts["provisions"] = work.erasures.forget_provisions(scope.subject.id)
            counts["contacts"] = work.erasures.forget_contact(label)
            counts["notices"] = self._forget_notices(work, found)
            forget_decoy(self._kernel, work, scope.subject.id)
        work.erasures.forget_records(scope.record_ids)
        work.erasures.forget_persons(scope.person_ids)
        if left is None:
            work.erasures.forget_places(self._places(work, scope.subject.id))
            work.erasures.forget_subject(scope.subject.id)
        else:
            work.subjects.update(left, self._kernel.now_ms())
        return counts

    def clear(self, work: Work, found: Found, counts: Mapping[str, int]) -> Gone:
        """Write over postings and remove what entries say, while the ledger's head is held; adds to the counts."""
        wiped = wipe(self._kernel.index, work.postings, found.known.places)
        gone = {"postings": wiped.removed + wiped.tombstones, "openings": self._remove(work, found)}
        kept = {"leaves": found.trail.count, "shared": found.trail.shared, "tombstones": wiped.tombstones}
        kept["unfound"] = found.known.unfound
        return Gone({**counts, **gone}, kept)

    def say(self, work: Work, said: Mapping[str, str], found: Found, gone: Gone) -> PendingReceipt:
        """Write the entry ``erase``.

        Args:
            work: the transaction; the caller commits.
            said: who asked, why, and by which rule, as parts of the entry.
            found: who goes.
            gone: how much of them.
        """
        scope, trail, _, left = found
        stays = [f"{what} {number}" for what, number in gone.kept.items()]
        about: tuple[SubjectId, ...] = ()
        if left is None:
            request, detail = f"subject {scope.subject.id}", told(openings=spans_of(trail.gone), kept=stays)
        else:
            request, about = f"member {scope.person_ids[0]}", (left.id,)
            ties = [] if left.ties is None else [digest_of(left.ties)]
            petitions = _petitions_of(scope, trail)
            detail = told(records=scope.record_ids, petitions=petitions, ties=ties, kept=stays)
        result = f"{ERASED} {' '.join(f'{what} {number}' for what, number in gone.counts.items())}"
        values = {**said, "request": request, "result": result, "detail": detail}
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.ERASE, values, about)])
        work.erasures.note(ErasureRow(pending.index, self._kernel.now_ms()))
        return pending

    def _forget_notices(self, work: Work, found: Found) -> int:
        subject, gone = found.scope.subject.id, set(found.trail.gone)
        going = []
        for row in work.outbox.listing(_EVERY_NOTICE):
            letter = letter_of(self._kernel, row)
            is_theirs = letter is not None and (letter.to == str(ToSubject(subject)) or letter.about == subject)
            if is_theirs or row.index in gone:
                going.append(row.id)
        if going:
            work.outbox.remove(going)
        return len(going)

    def _places(self, work: Work, subject: SubjectId) -> Iterator[bytes]:
        """Yield the labels under which a subject's entries are found."""
        chains = self._kernel.log.chains
        for counter, index in enumerate(list(chains.indexes(work.entries, subject)), start=1):
            label, _ = chains.posting(subject, counter, index)
            yield label

    def _remove(self, work: Work, found: Found) -> int:
        """Remove what entries say of a whole subject, and with what words holds on them were asked for."""
        if not found.scope.is_whole:
            return 0
        gone = found.trail.gone
        gone += placed_holds(self._kernel, work, found.scope.subject.id)
        if work.erasures.remove_openings(gone, self._kernel.now_ms()) != len(gone):
            raise LedgerCorrupt("an opening is not there that was read a moment ago")
        return len(gone)

    def _without(self, scope: Scope) -> SubjectRow:
        """Return the subject's row without what ties it to others through a member who is gone."""
        row = scope.subject
        gone = {source_of(one) for one in (*scope.person_ids, *scope.record_ids)}
        ties = row.ties
        if ties is not None:
            left = [tie for tie in self._kernel.ties.open(row.id, ties) if tie.source not in gone]
            ties = self._kernel.ties.seal(row.id, left)
        # Any other content than the last whole document: an import of that document is a change again.
        content_tag = self._kernel.index.tag("enrollment-changed", row.content_tag)
        changed = replace(row, content_tag=content_tag, content_generation=FIRST)
        return replace(changed, version=row.version + 1, ties=ties)


def _petitions_of(scope: Scope, trail: Trail) -> list[PetitionId]:
    records = set(scope.record_ids)
    return [one for one, what in trail.petitions.items() if scope.is_whole or what in records]
