"""Exchanging the key that signs the ledger: announced first, then taking over with an entry that both keys sign over.

The former key is destroyed, and so can sign no other history. Checkpoints that it signed go on being verified, up to
the size at which the next one took over.

After a loss the next key takes over under a new origin: what was signed beyond the entries that are left stays true of
the former one, so never do two histories stand under one name. After a compromise too, though nothing is lost: whoever
has a copy of the former key can sign under the former name, and never under the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import KeyUnavailable, LedgerCorrupt
from registry.keys.ports import LEDGER_PURPOSE
from registry.services.compromises import Compromise
from registry.services.kernel import Kernel
from registry.services.key_changes import KeyChanges, replacement, rotation
from registry.services.notices import origin_notices, queue
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.transparency.terms import KeyPair, KeyTerm

_CHANGE = rotation(LEDGER_PURPOSE)


class Signing(Protocol):
    """The keys that sign the ledger."""

    @property
    def pair(self) -> KeyPair:
        """Those that sign now."""
        ...

    @property
    def next_pair(self) -> KeyPair:
        """Those that are announced, under the name of the next origin; ``KeyUnavailable`` for none."""
        ...

    @property
    def terms(self) -> Sequence[KeyTerm]:
        """Former ones, oldest first."""
        ...

    @property
    def following(self) -> KeyPair | None:
        """Those that are announced."""
        ...

    def announce(self, *, anew: bool = False) -> KeyPair:
        """Make the keys that are to sign next; those that were announced already stay, or are destroyed (``anew``)."""
        ...

    def caught_up(self, note: str) -> bool:
        """Let the announced keys take over whose checkpoint was committed, and destroy the former."""
        ...


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An exchange: the former keys, the present ones, and how many entries the former signed."""

    former: KeyPair
    current: KeyPair
    size: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What a ledger goes on after.

    Attributes:
        standing: how the database stood to the high-water mark, in a word.
        kept: size and root of the mark, or that there was none to be read.
        reason: the operator's words.
    """

    standing: str
    kept: str
    reason: str


class KeyChangeSaid(NamedTuple):
    """What an entry says of a change: its index, the former keys and the next ones."""

    entry: int
    former: str
    following: str


def demand_told(signing: Signing, size: int, said: Sequence[KeyChangeSaid]) -> None:
    """Check that the keys which signed a ledger, and up to where, are those that its entries tell of.

    Args:
        signing: the keys, as the key folder has them.
        size: of the ledger that was read; changes after that are not looked at.
        said: what its entries say, in their order.

    Raises:
        LedgerCorrupt: with the entry that says otherwise, where there is one.
    """
    terms = [term for term in signing.terms if term.size <= size]
    pairs = [*(term.pair for term in signing.terms), signing.pair]
    known = [KeyChangeSaid(one.size - 1, one.pair.words(), pairs[i + 1].words()) for i, one in enumerate(terms)]
    begun = signing.following
    if len(said) > len(known) and begun is not None:  # committed, and nobody appended since who would have finished it
        known.append(KeyChangeSaid(size - 1, signing.pair.words(), begun.words()))
    for told, expected in zip(said, known, strict=False):
        if told != expected:
            raise LedgerCorrupt("the keys that signed the ledger are not those that it says", told.entry)
    if len(said) > len(known):
        raise LedgerCorrupt("the change of the ledger's key that it speaks of was not made", said[len(known)].entry)
    if len(said) < len(known):
        raise LedgerCorrupt("the ledger's key was changed, and no entry says so", known[len(said)].entry)


class LedgerKey:
    """The life of the key that signs one registry's ledger."""

    def __init__(self, kernel: Kernel, signing: Signing, changes: KeyChanges) -> None:
        self._kernel = kernel
        self._signing = signing
        self._changes = changes

    def announce(self, *, operator: str) -> KeyPair:
        """Make the keys that are to sign next, and return their public halves, for others to learn of in time.

        Raises:
            AuditUnavailable: the ledger takes no entry; the keys may have been made, and sign nothing.
            KeyUnavailable: the keys cannot be written.
        """
        pair = self._signing.announce()
        self._tell(operator, pair)
        return pair

    def exchange(self, *, operator: str) -> Exchanged:
        """Let the announced keys take over, or keys that are made now, and destroy the former.

        The entry's commit decides: before it the former keys sign, after it they sign nothing. Should this end between
        the two, whoever appends next finishes it.

        Raises:
            AuditUnavailable: the ledger takes no entry; the former keys go on.
            KeyUnavailable: the keys cannot be written. ``approval_required``: keys are under dual control, and nobody
                has approved this.
        """
        self._changes.demand(_CHANGE, operator=operator)
        following = self._signing.following or self._signing.announce()
        former = self._signing.pair
        note, size = self._take_over(operator, former, following)
        self._signing.caught_up(note)
        return Exchanged(former, following, size)

    def begin_origin(self, loss: Loss, *, operator: str) -> Exchanged:
        """Go on under a new origin with keys that are made now, or that were announced, and destroy the former.

        One person does it: a registry that does not serve can ask nobody else. Others are told of it. The entry's
        commit decides. Should this end between the two, whoever opens the registry next finishes it.

        Raises:
            AuditUnavailable: the ledger takes no entry; nothing has changed but that keys may have been made.
            KeyUnavailable: the keys cannot be written.
        """
        if self._signing.following is None:
            self._signing.announce()
        former, following = self._signing.pair, self._signing.next_pair
        values = said_by(at_keyboard(operator)) | {
            "request": former.words(),
            "detail": following.words(),
            "note": loss.reason,
        }
        note, size = self._begin_origin(loss, values)
        self._signing.caught_up(note)
        return Exchanged(former, following, size)

    def compromised(self, compromise: Compromise, *, operator: str) -> Exchanged:
        """Go on under a new origin with keys that are made now, since somebody else may have the present ones.

        Keys that were announced lie where the present ones do, and are destroyed with them. The entry's commit decides.
        Should this end between the two, whoever appends next, or opens the registry, finishes it.

        Raises:
            AuditUnavailable: the ledger takes no entry; the former keys go on.
            KeyUnavailable: the keys cannot be written, or are not the compromised ones any more.
                ``approval_required``: keys are under dual control, and nobody has approved this.
        """
        self._changes.demand(replacement(compromise.key_id), operator=operator)
        former, note, size = self._replace(compromise, operator)
        self._signing.caught_up(note)
        return Exchanged(former, self._signing.pair, size)

    @rerun_once
    def _replace(self, compromise: Compromise, operator: str) -> tuple[KeyPair, str, int]:
        with self._kernel.database.write() as work:
            self._changes.use(work, replacement(compromise.key_id), operator=operator)
            # The head is held from here on: what another process began is finished, and nobody begins anything else.
            self._signing.caught_up(work.ledger.lock_head().checkpoint)
            former = self._signing.pair
            if former.key.key_id.hex() != compromise.key_id:
                raise KeyUnavailable(f"{compromise.key_id} signs the ledger no more: another process replaced it")
            self._signing.announce(anew=True)
            values = said_by(at_keyboard(operator)) | {
                "request": former.words(),
                "detail": self._signing.next_pair.words(),
                "result": compromise.said_at(work.ledger.lock_head()),
                "note": compromise.reason,
            }
            draft = EntryDraft(Kind.EPOCH, values)
            pending = self._kernel.log.begin_origin(work.ledger, draft)
            queue(work, self._kernel, origin_notices(draft))
            note = work.ledger.lock_head().checkpoint
            work.commit()
        return former, note, pending.size

    @rerun_once
    def _begin_origin(self, loss: Loss, values: Mapping[str, str]) -> tuple[str, int]:
        with self._kernel.database.write() as work:
            head = work.ledger.lock_head()
            shared = f"{loss.standing}; found {head.size} {head.root.hex()}; kept {loss.kept}"
            draft = EntryDraft(Kind.EPOCH, {**values, "result": shared})
            pending = self._kernel.log.begin_origin(work.ledger, draft)
            queue(work, self._kernel, origin_notices(draft))
            note = work.ledger.lock_head().checkpoint
            work.commit()
        return note, pending.size

    @rerun_once
    def _take_over(self, operator: str, former: KeyPair, following: KeyPair) -> tuple[str, int]:
        with self._kernel.database.write() as work:
            self._changes.use(work, _CHANGE, operator=operator)
            if self._signing.following != following:
                raise KeyUnavailable("the announced key was replaced meanwhile; run this again")
            said = {"request": former.words(), "detail": following.words(), "result": "exchanged"}
            values = said_by(at_keyboard(operator)) | said
            pending = self._kernel.log.exchange_key(work.ledger, EntryDraft(Kind.KEY, values))
            note = work.ledger.lock_head().checkpoint
            work.commit()
        return note, pending.size

    @rerun_once
    def _tell(self, operator: str, pair: KeyPair) -> None:
        with self._kernel.database.write() as work:
            said = {
                "request": f"announce ledger {pair.key.key_id.hex()}",
                "result": "announced",
                "detail": pair.words(),
            }
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, said_by(at_keyboard(operator)) | said)])
            work.commit()
