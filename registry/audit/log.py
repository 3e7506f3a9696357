"""Appending entries and minting receipts.

An entry is appended inside the transaction that it describes; the head row is the last lock taken. A receipt is
minted only after the commit, from what a second connection reads back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from registry.audit._mint import MINT
from registry.audit.bodies import BodyKeys, Opening, check_opening, new_opening
from registry.audit.chains import Chains, ChainState
from registry.audit.entries import EntryDraft, values_of
from registry.audit.first_entry import FirstEntry
from registry.audit.kinds import OPENS
from registry.audit.ports import Appended, EntryReader, EntryRow, EntryStore, HeadRow
from registry.audit.receipt import Covered, PendingReceipt, Receipt, StoredEntry
from registry.crypto.random import random_bytes
from registry.crypto.tags import TagKey, keyed_tag
from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotDurable
from registry.domain.ids import EntryIndex, EventId, SubjectId
from registry.transparency.checkpoint import checkpoint_text
from registry.transparency.fields import RECORD_PREFIX, RecordLine
from registry.transparency.leaf import SEED_BYTES, claims_of, encode_joined, leaf_hash, parse_leaf
from registry.transparency.merkle import Edge

# A clock this far behind the newest entry is broken; smaller steps back are smoothed over.
CLOCK_TOLERANCE_MS = 5_000
_MAX_COUNTED = 100_000
_MAX_UNMINTED = 2_048
# Crockford's alphabet: no I, L, O, U, so that a code can be read aloud and typed.
_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class NoteSigner(Protocol):
    """Signs checkpoints. Deterministic: the same checkpoint gives the same note."""

    def signed(self, text: str, size: int) -> str:
        """Return the note of a checkpoint of this size, as it is signed; where a key took over, by both."""
        ...

    @property
    def origin(self) -> str:
        """The ledger's name now."""
        ...

    @property
    def next_origin(self) -> str:
        """The name that the ledger has when the announced key takes over under a new one.

        Raises:
            KeyUnavailable: none is announced.
        """
        ...

    @property
    def epoch(self) -> int:
        """The number of the origin's epoch, from 1."""
        ...

    def origin_at(self, index: int) -> str:
        """Return the name that the ledger had when an entry came to it."""
        ...

    def signed_by_both(self, text: str) -> str:
        """Return the note of the checkpoint at which the announced key takes over.

        Args:
            text: of the checkpoint, under the present origin or the next one.

        Raises:
            KeyUnavailable: none is announced.
        """
        ...

    def caught_up(self, note: str) -> bool:
        """Take up what another process made of the keys, or did not finish; tells whether there was something.

        Args:
            note: of the committed head.

        Raises:
            KeyUnavailable: the keys cannot be read or written now.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Everything secret that the ledger uses, each for one thing."""

    note: NoteSigner
    bodies: BodyKeys
    chains: Chains
    codes: Callable[[int], bytes]  # the key of the receipt code of an entry, given its index


@dataclass(frozen=True, slots=True)
class _Unminted:
    """An entry as appended, with what it says."""

    row: EntryRow
    draft: EntryDraft
    opening: Opening


class _Said(NamedTuple):
    """What an entry says, before it has its place."""

    kind: str
    event: EventId
    commitments: bytes
    said: bytes
    opening: Opening


class AuditLog:
    """The ledger: appends entries, mints receipts, opens what an entry says."""

    def __init__(self, keys: LogKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        # The longest ledger that this process has seen committed: one that is shorter now was rolled back.
        self._longest = 0
        # And how many entries of a subject it has seen committed, with the last one's index; a bounded memory.
        self._counted: dict[str, tuple[int, int]] = {}
        # Entries that this process appended and has not minted yet: read back byte for byte, they say what they said.
        self._unminted: OrderedDict[int, _Unminted] = OrderedDict()
        # The newest head that this process signed.
        self._signed: HeadRow | None = None
        # By the key of receipt codes, what makes them: there are as many as there were exchanges of it.
        self._codes: dict[bytes, TagKey] = {}
        # Why no entry is taken, by somebody who knows more than this process.
        self._stopped: str | None = None

    @property
    def origin(self) -> str:
        """The ledger's name now."""
        return self._keys.note.origin

    @property
    def chains(self) -> Chains:
        """The per-subject chains."""
        return self._keys.chains

    def seen(self, size: int) -> None:
        """Take note that the ledger was this long: a shorter one was rolled back, and takes no entry."""
        self._longest = max(self._longest, size)

    def stop(self, cause: str | None) -> None:
        """Take no entry from now on, for a cause; None: take entries again."""
        self._stopped = cause

    def demand_going(self) -> None:
        """Check that entries are taken.

        Raises:
            AuditUnavailable: with the cause that ``stop`` was given.
        """
        if self._stopped is not None:
            raise AuditUnavailable(self._stopped)

    def demand_time(self, head: HeadRow) -> None:
        """Check that this machine's clock is not behind the newest entry.

        Raises:
            AuditUnavailable: ``clock_behind``, by more than ``CLOCK_TOLERANCE_MS``.
        """
        self._moment(head)

    def append(self, store: EntryStore, drafts: Sequence[EntryDraft | FirstEntry]) -> tuple[PendingReceipt, ...]:
        """Append entries in the caller's transaction.

        Args:
            store: the ledger's tables in that transaction, which holds the rows of every subject named.
            drafts: entries in order, at least one. A first entry's subject was made in this transaction, and no other
                of these entries speaks of it.

        Returns:
            One pending receipt per draft; it opens nothing until minted.

        Raises:
            LedgerCorrupt: a subject's chain state was changed or rolled back.
            AuditUnavailable: the clock is behind the ledger, the head is not as we signed it or was rolled back, a leaf
                hashed twice gave two hashes, or the store cannot be written.
        """
        return self._append(store, drafts, self.sign_head)

    def exchange_key(self, store: EntryStore, draft: EntryDraft) -> PendingReceipt:
        """Append the entry with which the announced key takes over: both sign the checkpoint over it.

        From the commit on the former key signs nothing; whoever appends next lets the other one take over.

        Raises:
            KeyUnavailable: no key is announced.
            AuditUnavailable, LedgerCorrupt: as ``append``.
        """
        (pending,) = self._append(store, [draft], self._sign_by_both)
        return pending

    def begin_origin(self, store: EntryStore, draft: EntryDraft) -> PendingReceipt:
        """Append the entry with which the announced key takes over under the next origin: both sign over it.

        Raises:
            KeyUnavailable: no key is announced.
            AuditUnavailable, LedgerCorrupt: as ``append``.
        """
        (pending,) = self._append(store, [draft], self._sign_next_origin)
        return pending

    def _append(
        self, store: EntryStore, drafts: Sequence[EntryDraft | FirstEntry], sign: Callable[[int, Edge, int], HeadRow]
    ) -> tuple[PendingReceipt, ...]:
        self.demand_going()
        known = sorted({subject for draft in drafts if isinstance(draft, EntryDraft) for subject in draft.subjects})
        sealed_chains = store.chains_of(known)
        states = {subject: self.chains.open(subject, sealed_chains[subject]) for subject in known}
        ready = _ready(drafts, states)  # before the head is held: other writers wait for that
        head = store.lock_head()
        edge = self._demand_own(head)
        for subject in known:
            self._demand_followed(subject, states[subject], head.size)
        moment = self._moment(head)
        made: list[_Unminted] = []
        rows: list[EntryRow] = []
        hashes: list[bytes] = []
        postings: list[tuple[bytes, bytes]] = []
        for index, (draft, said) in enumerate(zip(drafts, ready, strict=True), head.size):
            if isinstance(draft, FirstEntry):
                row, hashed = self._row(index, moment, draft)
                subjects: tuple[SubjectId, ...] = (draft.subject,)
                states[draft.subject] = ChainState()
            else:
                told = said if isinstance(said, _Said) else _said(draft, states, said)
                (row, hashed), subjects = self._row(index, moment, told), draft.subjects
                made.append(_Unminted(row, draft, told.opening))
            rows.append(row)
            hashes.append(hashed)
            for subject in subjects:
                state = ChainState(states[subject].counter + 1, index)
                states[subject] = state
                postings.append(self.chains.posting(subject, state.counter, index))
        edge = edge.extend(_hashed_again(rows, hashes))
        new_head = sign(head.epoch, edge, moment)
        chains = {subject: self.chains.seal(subject, states[subject]) for subject in sorted(states)}
        store.write(Appended(tuple(rows), tuple(postings), chains, new_head))
        self._remember(made)
        return tuple(PendingReceipt(EntryIndex(row.index), row.event, edge.size) for row in rows)

    def _row(self, index: int, moment: int, said: FirstEntry | _Said) -> tuple[EntryRow, bytes]:
        """Give an entry its place; returns its row and its leaf's hash, which its opening is bound to."""
        leaf = encode_joined(moment, said.kind, said.commitments)
        hashed = leaf_hash(leaf)
        sealed = self._keys.bodies.seal(said.said, index=index, leaf_hash=hashed)
        return EntryRow(index, leaf, said.event, self._keys.bodies.current, sealed), hashed

    def mint(self, reader: EntryReader, pendings: Sequence[PendingReceipt]) -> tuple[Receipt, ...]:
        """Turn pending receipts into receipts, after the commit.

        The scope of each receipt is taken from the stored row, never from the caller.

        Raises:
            NotDurable: an entry is not there, not the one appended, or not what its leaf commits to.
        """
        if not pendings:
            return ()
        size = reader.head().size
        if size < pendings[-1].size:
            raise NotDurable
        self.seen(size)
        stored = {row.index: row for row in reader.entries([pending.index for pending in pendings])}
        return tuple(self._receipt(pending, stored.get(pending.index)) for pending in pendings)

    def opening(self, row: EntryRow) -> Opening | None:
        """Open what an entry says, checked against its leaf; None when the opening was removed.

        Raises:
            LedgerCorrupt: the stored opening is not what the leaf commits to.
        """
        return self.opening_of(row, claims_of(row.leaf), leaf_hash(row.leaf)) if row.sealed is not None else None

    def opening_of(self, row: EntryRow, claimed: tuple[int, str], hashed: bytes) -> Opening | None:
        """As ``opening``, for whoever has hashed the leaf of this row already; a leaf without opening is read, too.

        Args:
            row: the entry.
            claimed: the time and kind that its leaf claims.
            hashed: its leaf's hash.

        Raises:
            LedgerCorrupt: as ``opening``, or the leaf is none.
        """
        if row.sealed is None:
            parse_leaf(row.leaf)
            return None
        opening = self._keys.bodies.open(row.sealed, key_epoch=row.key_epoch, index=row.index, leaf_hash=hashed)
        check_opening(opening, row.leaf, claimed, row.index)
        return opening

    def chain_state(self, subject: SubjectId, sealed: bytes, size: int) -> ChainState:
        """Open a subject's chain state.

        Args:
            subject: whose.
            sealed: the state as stored.
            size: of the ledger in the same snapshot: one that is older than what this process has seen since is no
                rollback.

        Raises:
            LedgerCorrupt: it was changed, or counts fewer entries than this process has seen of the subject.
        """
        state = self.chains.open(subject, sealed)
        self._demand_followed(subject, state, size)
        return state

    def _demand_followed(self, subject: SubjectId, state: ChainState, size: int) -> None:
        counter, index = self._counted.get(subject, (0, 0))
        if index < size and state.counter < counter:
            raise LedgerCorrupt("the chain state of a subject was rolled back")

    def sign_head(self, epoch: int, edge: Edge, last_ms: int) -> HeadRow:
        """Sign a checkpoint over an edge and return the head row that holds both."""
        root = edge.root()
        note = self._keys.note.signed(checkpoint_text(self.origin, edge.size, root), edge.size)
        self._signed = HeadRow(epoch, edge.size, edge.to_bytes(), root, note, last_ms)
        return self._signed

    def _sign_by_both(self, epoch: int, edge: Edge, last_ms: int) -> HeadRow:
        return self._signed_by_both(self.origin, HeadRow(epoch, edge.size, edge.to_bytes(), edge.root(), "", last_ms))

    def _sign_next_origin(self, epoch: int, edge: Edge, last_ms: int) -> HeadRow:
        head = HeadRow(epoch + 1, edge.size, edge.to_bytes(), edge.root(), "", last_ms)
        return self._signed_by_both(self._keys.note.next_origin, head)

    def _signed_by_both(self, origin: str, head: HeadRow) -> HeadRow:
        # Not remembered as signed: whoever meets this head, this process too, must let the next key take over first.
        return replace(head, checkpoint=self._keys.note.signed_by_both(checkpoint_text(origin, head.size, head.root)))

    def code_of(self, index: int) -> str:
        """Return the short code of a receipt: 40 bits keyed over origin and index, in the form ``K7QF-2M9D``.

        An entry that was lost, and the one that has its index now, have different codes.
        """
        place = f"{self._keys.note.origin_at(index)} {index}".encode()
        key = self._keys.codes(index)
        tags = self._codes.get(key)
        if tags is None:
            tags = self._codes[key] = TagKey(key, "receipt-code")
        bits = int.from_bytes(tags.tag(place)[:5], "big")
        text = "".join(_CODE_ALPHABET[(bits >> shift) & 31] for shift in range(35, -1, -5))
        return f"{text[:4]}-{text[4:]}"

    def answer_tag(self, index: int, answer: bytes) -> str:
        """Return a keyed tag of what was answered to the lookup of an entry: 128 bits, in hexadecimal.

        Args:
            index: of the entry.
            answer: begins with 32 random bytes of what that entry says: when they are erased, no key tries values out.
        """
        place = f"{self._keys.note.origin_at(index)} {index}\n".encode()
        return keyed_tag(self._keys.codes(index), "answer", place + answer).hex()

    def _demand_own(self, head: HeadRow) -> Edge:
        """Check that the head is one that we signed: else the next entry would sign what somebody else put there."""
        try:
            edge = Edge.from_bytes(head.size, head.edge)
        except LedgerCorrupt:
            raise AuditUnavailable("head_mismatch") from None
        # Ed25519 is deterministic, so signing again is checking, and the cheaper of the two. What this process signed
        # last is known to it without.
        if head != self._signed and not self._is_own(head, edge):
            raise AuditUnavailable("head_mismatch")
        if head.size < self._longest:
            raise AuditUnavailable("rolled_back")
        return edge

    def _is_own(self, head: HeadRow, edge: Edge) -> bool:
        if self._is_signed_so(head, edge):
            return True
        # Another process may have exchanged the key since: who appends next takes it up, and finishes what it began.
        return self._keys.note.caught_up(head.checkpoint) and self._is_signed_so(head, edge)

    def _is_signed_so(self, head: HeadRow, edge: Edge) -> bool:
        return self.sign_head(self._keys.note.epoch, edge, head.last_ms) == head

    def _moment(self, head: HeadRow) -> int:
        now = unix_ms(self._clock.now())
        if now < head.last_ms - CLOCK_TOLERANCE_MS:
            raise AuditUnavailable("clock_behind")
        return max(now, head.last_ms)

    def _receipt(self, pending: PendingReceipt, row: EntryRow | None) -> Receipt:
        if row is None or row.event != pending.event:
            raise NotDurable
        kind, lines, opening = self._said(row)
        self._count(opening, row.index)
        stored = StoredEntry(self.origin, kind, self.code_of(row.index))
        return Receipt(MINT, pending, stored, _covered(lines) if kind in OPENS else frozenset())

    def _said(self, row: EntryRow) -> tuple[str, Iterable[RecordLine], Opening]:
        """Tell what a stored entry says: as remembered when its bytes are those that were appended, else from them."""
        known = self._unminted.pop(row.index, None)
        if known is not None and known.row == row:
            return known.draft.kind.value, known.draft.records, known.opening
        try:
            opening = self.opening(row)
        except LedgerCorrupt as exc:
            raise NotDurable from exc
        if opening is None:
            raise NotDurable
        return parse_leaf(row.leaf).kind, _lines(opening), opening

    def _remember(self, made: Sequence[_Unminted]) -> None:
        # An index is used again after a rollback: the newest append holds.
        for one in made:
            self._unminted[one.row.index] = one
            self._unminted.move_to_end(one.row.index)
        while len(self._unminted) > _MAX_UNMINTED:
            self._unminted.popitem(last=False)

    def _count(self, opening: Opening, index: int) -> None:
        if len(self._counted) >= _MAX_COUNTED:
            self._counted.clear()
        for subject, counter in zip(opening.values["subject"].split(), opening.values["counter"].split(), strict=True):
            self._counted[subject] = max((int(counter), index), self._counted.get(subject, (0, 0)))


def _hashed_again(rows: Sequence[EntryRow], hashes: Sequence[bytes]) -> Iterator[bytes]:
    """Hash each leaf a second time, from the bytes that will be written, before the tree over them is signed.

    One flipped bit of memory, in a leaf or in a hash, would else be signed and given out: a log has died of one.
    """
    for row, hashed in zip(rows, hashes, strict=True):
        if leaf_hash(row.leaf) != hashed:
            raise AuditUnavailable("hash_mismatch")
        yield hashed


def _ready(drafts: Sequence[EntryDraft | FirstEntry], states: Mapping[SubjectId, ChainState]) -> list[_Said | bytes]:
    """Make what entries say, as far as it is known before the ledger has its length.

    Returns:
        For each draft what it says; the seed alone where an entry of the same transaction comes before it in the chain
        of a subject, so that it needs that one's index.
    """
    seeds = random_bytes(SEED_BYTES * len(drafts))
    named: set[SubjectId] = set()
    ready: list[_Said | bytes] = []
    for at, draft in enumerate(drafts):
        seed = seeds[at * SEED_BYTES : (at + 1) * SEED_BYTES]
        if isinstance(draft, FirstEntry):
            ready.append(seed)
            named.add(draft.subject)
            continue
        ready.append(_said(draft, states, seed) if named.isdisjoint(draft.subjects) else seed)
        named.update(draft.subjects)
    return ready


def _said(draft: EntryDraft, states: Mapping[SubjectId, ChainState], seed: bytes) -> _Said:
    opening = new_opening(seed, values_of(draft, states))
    return _Said(draft.kind.value, draft.event, opening.commitments(), opening.encode(), opening)


def _lines(opening: Opening) -> Iterable[RecordLine]:
    return (RecordLine.parse(text.encode()) for name, text in opening.values.items() if name.startswith(RECORD_PREFIX))


def _covered(lines: Iterable[RecordLine]) -> frozenset[Covered]:
    return frozenset(Covered(line.record, line.version, line.ciphertext_digest) for line in lines)
