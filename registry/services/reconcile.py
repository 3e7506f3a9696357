"""Reconciling: every key that the key service says it unwrapped has an entry that explains it.

The ledger cannot know of a decryption that went past it: somebody who has the registry's token, or its key files, can
ask the key service themselves. But the service counts. Each unwrap is bound to one person or case, and its log shows a
mark of whom; an entry that names them explains one unwrap, in a window around its time. Opened keys are cached, so
fewer unwraps than entries are the rule; one more is an alarm.

What no entry is written for, and how it is told apart, by the context that the key service itself enforces:

- throw-away keys that readiness wraps and unwraps: counted, and no more;
- the key folder's own files, the keys of the ledger's openings and the secret of the blind index, at each start:
  counted as openings of the keyring, and an alarm when they are more than an operator says there were.

One run joins on to the one before: a time between the two logs that neither holds was looked at by nobody, which is
an alarm too. An unwrap that follows one of the same person and caller at once, and is explained by nothing of its own,
is an alarm of which it is said that a question that was sent twice looks the same.

Two kinds of entry explain by number alone: a batch of rewrapping, which says how many keys it took, and an entry whose
opening was removed, which shows how many records it had.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import OPENS, Kind
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import PersonId, RecordId, SubjectId, is_id
from registry.keys.data_keys import context_of
from registry.keys.index_keys import index_owner
from registry.keys.mark_keys import marks_owner
from registry.keys.uses import KeyLog, KeyUse, UseMarks
from registry.services.entry_filter import span_between
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Kernel
from registry.services.key_life import LEDGER_OWNER, rewrapped_asked
from registry.services.notices import queue, unwrap_notices
from registry.services.ports import RecordRow, SubjectRow, Work
from registry.services.principals import at_keyboard
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once
from registry.text.moments import moment_ms
from registry.transparency.fields import RecordLine, record_count
from registry.transparency.leaf import parse_leaf
from registry.vault.generations import FIRST

_AT_ONCE = 200
_MOST_SAID = 20  # alarms that the entry names one by one
_RUNS = 1_000  # earlier entries of keys among which the run before is looked for
_RUN = re.compile(r"reconcile (\S+) (\S+)")
# A question whose answer was lost is sent again after at most so long: five tries of 2 s at a key service.
_REPEATED_MS = 10_000
_DIRECTORY = "directory"
# Kinds whose entries write under keys that are there already; who is enrolled gets a new key.
_WRITES = frozenset({Kind.UPDATE, Kind.MARK, Kind.DISPUTE, Kind.CORRECT, Kind.CONTACT})
_OF_PEOPLE = frozenset({*(str(one) for one in Category), _DIRECTORY})


@dataclass(frozen=True, slots=True)
class Windows:
    """How far an unwrap may be from the entry that explains it, in seconds.

    Attributes:
        skew: what the clocks of the registry and of the key service may differ, either way.
        within: how long after its entry a value may still be opened; a rewrap has its entry so long after.
        starts: how often the keyring was opened at most; None: it is counted, and not judged.
    """

    skew: int = 5
    within: int = 300
    starts: int | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it.

    Attributes:
        log: what the key service's log tells.
        explained: unwraps that an entry explains.
        probes: unwraps of throw-away keys.
        openings: times that the keyring was opened: the most often that one of its files was.
        unexplained: unwraps that no entry explains, oldest first: alarms.
        repeats: those of them that may be a question that was sent twice: within 10 s of one that is explained, for
            the same person, by the same caller.
        unseen: first and last moment of the time between the log of the last run and this one, when there is any;
            milliseconds.
        is_too_often: whether the keyring was opened more often than was said.
    """

    log: KeyLog
    explained: int
    probes: int
    openings: int
    unexplained: tuple[KeyUse, ...]
    repeats: frozenset[KeyUse]
    unseen: tuple[int, int] | None
    is_too_often: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing is to be alarmed about."""
        return not (self.unexplained or self.log.taken or self.unseen or self.is_too_often)


@dataclass(slots=True)
class _Credits:
    """The moments of entries that explain: for a mark, once each; or for a number of any keys."""

    read: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))  # the entry comes first
    written: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))  # keys may be had before it
    rewrapped: deque[int] = field(default_factory=deque)  # the entry comes after
    removed: deque[int] = field(default_factory=deque)

    def explain(self, use: KeyUse, windows: Windows) -> bool:
        """Use up an entry that names whom the key is of."""
        skew, within = windows.skew * 1_000, windows.within * 1_000
        return _taken(self.read[use.mark], use.at_ms - within - skew, use.at_ms + skew) or _taken(
            self.written[use.mark], use.at_ms - within - skew, use.at_ms + within + skew
        )

    def explain_by_number(self, use: KeyUse, windows: Windows) -> bool:
        """Use up one of an entry that tells a number alone."""
        skew, within = windows.skew * 1_000, windows.within * 1_000
        return _taken(self.rewrapped, use.at_ms - skew, use.at_ms + within + skew) or _taken(
            self.removed, use.at_ms - within - skew, use.at_ms + skew
        )


class Reconcile:
    """Compares a key service's log with the ledger."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    def run(self, log: KeyLog, marks: UseMarks, windows: Windows, *, operator: str) -> Reconciled:
        """Compare, and write an entry of what was found.

        Raises:
            AuditUnavailable: the ledger takes no entry.
            KeyUnavailable: the key service cannot be asked how somebody stands in its log.
        """
        explaining = self._credits(log, marks, windows)
        probes, files = ({marks.of(context) for context in some} for some in (marks.probes, marks.files))
        files.update(marks.of(self._context(one)) for one in (LEDGER_OWNER, *self._later_owners()))
        known = probes | files
        own = [use.mark for use in log.uses if use.mark in files]
        openings = max((own.count(mark) for mark in files), default=0)
        asked = [use for use in log.uses if use.mark not in known]
        left = [use for use in asked if not explaining.explain(use, windows)]
        left = [use for use in left if not explaining.explain_by_number(use, windows)]
        result = Reconciled(
            log,
            len(asked) - len(left),
            sum(use.mark in probes for use in log.uses),
            openings,
            tuple(left),
            _repeats(asked, left),
            self._unseen(log),
            windows.starts is not None and openings > windows.starts,
        )
        self._tell(result, operator)
        return result

    def _credits(self, log: KeyLog, marks: UseMarks, windows: Windows) -> _Credits:
        """Gather what the entries of the log's time explain."""
        found, known = _Credits(), dict[PersonId, str]()
        if not log.uses:
            return found
        around = (windows.within + windows.skew) * 1_000
        with self._kernel.database.read() as work:
            first, stop = span_between(work.entries, log.uses[0].at_ms - around, log.uses[-1].at_ms + around)
            for start in range(first, stop, _AT_ONCE):
                rows = list(work.entries.scan(start, min(stop, start + _AT_ONCE)))
                read = [self._audit.read(row) for row in rows]
                for row, one in zip(rows, read, strict=True):
                    if one.values is None:
                        count = record_count(len(parse_leaf(row.leaf).commitments))
                        found.removed.extend([one.unix_ms] * count)
                for told in _explained(work, read):
                    named = found.written if told.is_written else found.read
                    for owner in told.owners:
                        mark = known.get(owner) or known.setdefault(owner, marks.of(self._context(owner)))
                        named[mark].append(told.at_ms)
                    found.removed.extend([told.at_ms] * told.gone)
                    found.rewrapped.extend([told.at_ms] * told.rewrapped)
        found.removed = deque(sorted(found.removed))
        return found

    def _later_owners(self) -> Iterator[PersonId]:
        """Yield what later secrets of the blind index and of marks are bound to: those that stand, and those before."""
        with self._kernel.database.read() as work:
            newest = max(one.number for one in work.index_state.standing())
            marks = len(work.mark_generations.stored())
        yield from map(index_owner, range(FIRST + 1, newest + 1))
        yield from map(marks_owner, range(1, marks + 1))

    def _unseen(self, log: KeyLog) -> tuple[int, int] | None:
        """Return the time that neither this log nor that of a run before holds; an empty log holds none."""
        with self._kernel.database.read() as work:
            size = work.entries.head().size
            indexes = [index for index, _ in work.entries.leaves_of(Kind.KEYS, 0, size)][-_RUNS:]
            runs = [self._audit.read(row) for row in work.entries.entries(indexes)] if indexes else []
        # No log reaches beyond the moment that it was looked at.
        seen = [min(until, one.unix_ms) for one in runs if (until := _looked_until(one))]
        until, since = max(seen, default=0), log.first_ms or self._kernel.now_ms()
        return (until, since) if seen and until < since else None

    def _context(self, owner: PersonId) -> bytes:
        return context_of(self._kernel.registry, owner)

    @rerun_once
    def _tell(self, found: Reconciled, operator: str) -> None:
        log = found.log
        alarms = [*log.taken, *found.unexplained]
        named = "; ".join(f"{_time(use.at_ms)} {use.key}" for use in alarms[:_MOST_SAID])
        said = f"explained {found.explained}, unexplained {len(found.unexplained)}, taken {len(log.taken)}"
        if found.unseen is not None:
            named = "; ".join(filter(None, (f"not looked at {_time(found.unseen[0])} {_time(found.unseen[1])}", named)))
        values = said_by(at_keyboard(operator)) | {
            "request": f"reconcile {_time(log.first_ms)} {_time(log.last_ms)}",
            "result": f"{said}, keyring opened {found.openings}",
            "detail": named,
        }
        draft = EntryDraft(Kind.KEYS, values)
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, [draft])
            if not found.is_sound:
                queue(work, self._kernel, unwrap_notices(draft))
            work.commit()


@dataclass(frozen=True, slots=True)
class _Explained:
    """What one entry explains: whose keys, how many of records that are gone, and how many of a rewrapping."""

    at_ms: int
    is_written: bool
    owners: frozenset[PersonId]
    gone: int
    rewrapped: int


def _explained(work: Work, entries: Sequence[ReadEntry]) -> Iterator[_Explained]:
    """Yield what entries explain, those that open nothing left out: a refusal explains no unwrap."""
    lines = {line.record for one in entries if one.kind in OPENS for line in one.records}
    records = work.records.by_ids(lines)
    subjects = work.subjects.by_ids(SubjectId(one) for one in lines)
    households = defaultdict(set)
    writers = {subject for one in entries if one.kind in _WRITES for subject in _subjects(one)}
    for person in work.persons.of_subjects(writers):
        households[person.subject].add(person.id)
    for one in entries:
        said = one.values or {}
        if one.kind in OPENS:
            gone = sum(line.category in _OF_PEOPLE and _is_gone(line, records, subjects) for line in one.records)
            owners = frozenset(_owner(line, records, subjects) for line in one.records)
            yield _Explained(one.unix_ms, False, owners, gone, 0)
        elif one.kind in _WRITES:
            # Who writes needs the keys of the whole household, or that of what somebody asked for.
            named = {PersonId(word) for word in said.get("request", "").split() if is_id(word)}
            texts = {PersonId(line.record) for line in one.records}
            people = {person for subject in _subjects(one) for person in households[subject]}
            yield _Explained(one.unix_ms, True, frozenset(named | texts | people), 0, 0)
        elif one.kind == Kind.KEYS:
            yield _Explained(one.unix_ms, False, frozenset(), 0, rewrapped_asked(said.get("result", "")))


_Records = Mapping[RecordId, RecordRow]
_People = Mapping[SubjectId, SubjectRow]


def _owner(line: RecordLine, records: _Records, subjects: _People) -> PersonId:
    """Return whose key a line needs: a person's, or that of the case or text which the line names itself."""
    if line.record in records:
        return records[line.record].field.person
    subject = subjects.get(SubjectId(line.record))
    return PersonId(line.record) if subject is None else subject.directory.person


def _is_gone(line: RecordLine, records: _Records, subjects: _People) -> bool:
    return line.record not in records and SubjectId(line.record) not in subjects


def _subjects(one: ReadEntry) -> list[SubjectId]:
    return [SubjectId(each) for each in (one.values or {}).get("subject", "").split()]


def _repeats(asked: Sequence[KeyUse], left: Sequence[KeyUse]) -> frozenset[KeyUse]:
    """Return what may be a question that was sent twice, of what is left unexplained."""
    explained = defaultdict(list)
    unexplained = Counter(left)
    for use in asked:
        if unexplained[use]:
            unexplained[use] -= 1
        else:
            explained[use.mark, use.who].append(use.at_ms)
    return frozenset(
        use for use in left if any(abs(use.at_ms - at) <= _REPEATED_MS for at in explained[use.mark, use.who])
    )


def _looked_until(one: ReadEntry) -> int:
    """Return until when the log reached that an entry's run looked at; 0 for another entry, or an empty log."""
    found = _RUN.fullmatch((one.values or {}).get("request", ""))
    return (moment_ms(found[2]) or 0) if found else 0


def _taken(moments: deque[int], first: int, last: int) -> bool:
    """Take the oldest moment of a window, and tell whether there was one. Windows come in order: what is past goes."""
    while moments and moments[0] < first:
        moments.popleft()
    if not moments or moments[0] > last:
        return False
    moments.popleft()
    return True


def _time(at_ms: int) -> str:
    return iso(from_unix_ms(at_ms))
