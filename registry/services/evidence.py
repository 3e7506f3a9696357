"""Cutting an evidence bundle from the ledger: leaves, proofs and chosen openings; everything else stays committed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.audit.ports import EntryRow
from registry.services.anchors import Kept
from registry.services.compromises import suspected_in
from registry.services.kernel import Kernel
from registry.services.publish import Published, Publisher
from registry.services.witnesses import Witnesses
from registry.transparency.bundle import (
    BundleEntry,
    EvidenceBundle,
    FieldOpening,
    KeyChange,
    OlderCheckpoint,
    StampedCheckpoint,
    open_fields,
    write_bundle,
)
from registry.transparency.checkpoint import Checkpoint, parse_checkpoint
from registry.transparency.fields import (
    COUNTER,
    DETAIL,
    EVENT,
    FORM,
    PREVIOUS,
    PURPOSE,
    RECORD_PREFIX,
    REQUEST,
    RESULT,
    RULES,
    SUBJECT,
)
from registry.transparency.note import split_note
from registry.transparency.terms import KeyPair, KeyTerm

# Who it was stays committed: a person is named by the auditor who opens the entry, not by the bundle.
OPENED = frozenset({EVENT, SUBJECT, COUNTER, PREVIOUS, PURPOSE, RESULT, RULES, FORM})
# What an entry of kind ``key`` says the former and the next keys in.
NAMING_KEYS = frozenset({REQUEST, DETAIL})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a trace was made under: every entry that it rests on is below this size."""

    size: int
    checkpoint: str


class OwnKeys(Protocol):
    """The keys of the ledger."""

    @property
    def pair(self) -> KeyPair:
        """Those that sign now."""
        ...

    @property
    def terms(self) -> Sequence[KeyTerm]:
        """Former ones, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What outsiders hold or see of the ledger.

    Attributes:
        publisher: gives checkpoints and proofs.
        witnesses: who cosigns; None when there are none.
        keys: that sign and signed the ledger.
        policy: gives a tlog-policy with keys, witnesses and quorum, for the reader's information.
        stamps: gives the time-stamped checkpoints, by size.
        seen: gives checkpoints that witnesses cosigned and that were kept, as size and note.
    """

    publisher: Publisher
    witnesses: Witnesses | None
    keys: OwnKeys
    policy: Callable[[], str]
    stamps: Callable[[], Sequence[Kept]] = tuple
    seen: Callable[[], Iterable[tuple[int, str]]] = tuple


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes into a bundle beside proofs.

    Attributes:
        extras: unsigned files, named ``report.*``.
        marks: what figures on marks are computed from anew, by the names that a bundle has for them; may be empty.
    """

    extras: Mapping[str, bytes] = field(repr=False)
    marks: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Evidence:
    """Cuts bundles."""

    def __init__(self, kernel: Kernel, outside: Outside) -> None:
        self._kernel = kernel
        self._outside = outside

    @property
    def policy(self) -> str:
        """The policy that bundles state: keys, witnesses, quorum. Whoever verifies takes it from elsewhere."""
        return self._outside.policy()

    def cut(self, snapshot: Snapshot, indexes: Sequence[int], beside: Beside) -> bytes:
        """Return the bundle's bytes, under the newest checkpoint that witnesses have cosigned and that has all entries.

        Where they have not seen as much, they are asked now. Where they do not answer, it is the newest checkpoint, and
        the one that they cosigned last goes with it as an older one.

        Args:
            snapshot: every index is below its size.
            indexes: the entries to include.
            beside: further files.

        Raises:
            AuditUnavailable: nothing may be published.
        """
        terms = self._outside.keys.terms
        # Under a checkpoint from before the last change of the key, nobody could follow the keys to the present one.
        published, older = self._published(max([snapshot.size, *(term.size for term in terms)]))
        with self._kernel.database.reader() as reader:
            rows = reader.entries(sorted(set(indexes)))
        changes = tuple(self._change(term, published.checkpoint) for term in terms)
        held = {change.trusted.size for change in changes if change.trusted is not None}
        bundle = EvidenceBundle(
            key=self._outside.keys.pair.key,
            checkpoint=published.note,
            entries=tuple(self._entry(row, published.checkpoint) for row in rows),
            extras=dict(beside.extras),
            marks=dict(beside.marks),
            history=tuple(self._older(old.checkpoint.size, old.note, published.checkpoint) for old in older),
            policy=self.policy,
            changes=changes,
            stamps=self._stamped(range(min(indexes), max(indexes) + 1), held, published.checkpoint),
        )
        return write_bundle(bundle)

    def _stamped(self, among: range, held: Collection[int], checkpoint: Checkpoint) -> tuple[StampedCheckpoint, ...]:
        """Return the stamps around some entries: the last before all of them, and the first with all of them.

        Those that hold entries up whose key was compromised go with them: ``held`` has their sizes.
        """
        kept = [one for one in self._outside.stamps() if one.size <= checkpoint.size]
        before = [one for one in kept if one.size <= among.start][-1:]
        around = before + [one for one in kept if one.size >= among.stop][:1]
        chosen = {one.size: one for one in [*around, *(one for one in kept if one.size in held)]}
        return tuple(
            StampedCheckpoint(self._older(size, chosen[size].note, checkpoint), chosen[size].tokens)
            for size in sorted(chosen)
        )

    def _older(self, size: int, note: str, checkpoint: Checkpoint) -> OlderCheckpoint:
        return OlderCheckpoint(size, note, self._outside.publisher.proof(size, checkpoint))

    def _change(self, term: KeyTerm, checkpoint: Checkpoint) -> KeyChange:
        """Return where a key took over: its checkpoint, and the entry that names both keys, proven under that one."""
        with self._kernel.database.reader() as reader:
            (row,) = reader.entries([term.size - 1])
        at = parse_checkpoint(split_note(term.note)[0], term.next_origin)
        shown = NAMING_KEYS | {RESULT} if term.is_new_origin else NAMING_KEYS
        entry, older = self._entry(row, at, shown), self._older(term.size, term.note, checkpoint)
        result = entry.fields[RESULT].value.decode() if term.is_new_origin else ""
        suspected = suspected_in(term, result)
        trusted = None if suspected is None else self._dated(suspected.trusted, checkpoint)
        return KeyChange(older, entry, term.is_new_origin, suspected is not None, trusted)

    def _dated(self, size: int, checkpoint: Checkpoint) -> OlderCheckpoint | None:
        """Return the checkpoint that others dated before a key was suspected, as it is kept; None where it is not."""
        stamped = ((one.size, one.note) for one in self._outside.stamps())
        notes = (note for kept, note in (*self._outside.seen(), *stamped) if kept == size)
        return next((self._older(size, note, checkpoint) for note in notes), None)

    def _published(self, size: int) -> tuple[Published, tuple[Published, ...]]:
        panel = self._outside.witnesses
        if panel is None:
            return self._outside.publisher.publish(), ()
        if panel.published().checkpoint.size < size:
            panel.round(self._kernel.clock)
        cosigned = panel.published()
        if cosigned.checkpoint.size >= size:
            return cosigned, ()
        return self._outside.publisher.publish(), (cosigned,)

    def _entry(self, row: EntryRow, checkpoint: Checkpoint, opened: Collection[str] = OPENED) -> BundleEntry:
        opening = self._kernel.log.opening(row)
        fields: Mapping[str, FieldOpening] = {}
        if opening is not None:
            values = {name: value.encode() for name, value in opening.values.items()}
            shown = [name for name in values if name in opened or name.startswith(RECORD_PREFIX)]
            fields = open_fields(opening.seed, values, shown)
        return BundleEntry(row.index, row.leaf, self._outside.publisher.inclusion(row.index, checkpoint), fields)
