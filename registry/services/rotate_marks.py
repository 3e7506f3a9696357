"""Another secret for marks and receipt codes, in one transaction: what comes after its entry is made by it.

An account's copy of a record version stays as it is, because the version keeps the secret that it began with. When the
secret was seen by somebody, every copy that is served from then on is drawn anew (``redraws``); copies of before keep
what was drawn for them, and whoever had the secret can write like any of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import MARKS_EXCHANGED, Kind
from registry.domain.errors import KeyUnavailable, LedgerCorrupt
from registry.domain.ids import EntryIndex
from registry.keys.mark_keys import MarkKeys
from registry.keys.ports import WrappedKey
from registry.services.kernel import Kernel
from registry.services.key_changes import MARKS, REDRAW, KeyChanges
from registry.services.ports_marks import MarkGeneration
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once


@dataclass(frozen=True, slots=True)
class MarksSaid:
    """What an entry says of an exchange."""

    entry: int
    result: str


def exchange_said(generation: int, *, redraws: bool) -> str:
    """Return what the entry of an exchange says."""
    return f"{MARKS_EXCHANGED}{generation}; {'all copies from now on' if redraws else 'new record versions'}"


def demand_exchanges_told(stored: Sequence[MarkGeneration], said: Sequence[MarksSaid]) -> None:
    """Check that the exchanges which are stored are those that the ledger tells of.

    Args:
        stored: the rows, oldest first.
        said: what its entries say, in their order.

    Raises:
        LedgerCorrupt: with the entry that says otherwise, where there is one.
    """
    known = [MarksSaid(one.entry, exchange_said(one.number, redraws=one.redraws)) for one in stored]
    for told, expected in zip(said, known, strict=False):
        if told != expected:
            raise LedgerCorrupt("an exchange of the secret of marks is not as it says", told.entry)
    if len(said) > len(known):
        raise LedgerCorrupt("the secret of marks that it speaks of is missing", said[len(known)].entry)
    if len(said) < len(known):
        raise LedgerCorrupt("the secret of marks was exchanged, and no entry says so", known[len(said)].entry)


class RotateMarks:
    """Exchanges the secret of one registry's marks and receipt codes."""

    def __init__(self, kernel: Kernel, keys: MarkKeys, changes: KeyChanges) -> None:
        """Take the parts.

        Args:
            kernel: of the registry.
            keys: what makes the secret.
            changes: what two persons agreed to.
        """
        self._kernel = kernel
        self._keys = keys
        self._changes = changes

    def rotate(self, *, operator: str, redraws: bool = False) -> MarkGeneration:
        """Make another secret, and let it be in force from its entry on.

        Args:
            operator: who is at the keyboard.
            redraws: whether copies of record versions of before are drawn anew too.

        Raises:
            AuditUnavailable: the ledger takes no entry, or this account of the database may not do it
                (``not_granted``); nothing was changed.
            KeyUnavailable: the key service cannot be used now. ``approval_required``: keys are under dual control, and
                nobody has approved this.
        """
        change = REDRAW if redraws else MARKS
        self._changes.demand(change, operator=operator)
        with self._kernel.database.read() as work:
            number = len(work.mark_generations.stored()) + 1
        return self._store(operator, change, number, self._keys.new(number))

    @rerun_once
    def _store(self, operator: str, change: str, number: int, key: WrappedKey) -> MarkGeneration:
        redraws = change == REDRAW
        with self._kernel.database.write() as work:
            self._changes.use(work, change, operator=operator)
            if len(work.mark_generations.known()) != number - 1:
                raise KeyUnavailable("somebody else has exchanged the secret of marks just now")
            # Held, so that nobody comes between: its entry is the next one.
            made = MarkGeneration(number, EntryIndex(work.ledger.lock_head().size), redraws, key)
            work.mark_generations.begin(made)
            result = exchange_said(number, redraws=redraws)
            values = said_by(at_keyboard(operator)) | {"request": change, "result": result}
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])
            work.commit()
        return made
