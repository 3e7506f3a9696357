"""Going on without a key of the ledger that somebody else may have, although no entry is lost: under a new origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from registry.bootstrap import Application, ledger_key, operator
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import AuditUnavailable, InvalidInput, LedgerCorrupt
from registry.services.compromises import Compromise, Seen
from registry.services.publish import Published
from registry.storage.witness_files import WitnessFiles
from registry.transparency.checkpoint import parse_checkpoint
from registry.transparency.note import split_note
from registry.transparency.terms import KeyPair


@dataclass(frozen=True, slots=True)
class Replaced:
    """How a key of the ledger was replaced.

    Attributes:
        entry: index of the entry that states it.
        former: the keys that sign nothing any more.
        keys: those that sign now.
        trusted: how many entries others dated before the key was suspected; None where it was replaced before.
    """

    entry: int
    former: KeyPair
    keys: KeyPair
    trusted: int | None = None


def replace_key(application: Application, compromise: Compromise) -> Replaced:
    """Begin a new origin with a new key, and destroy the compromised one; for one that is replaced, say where.

    The entry decides: before its commit all is as it was, after it the compromised key signs nothing. Run again, what
    was cut off is finished.

    Args:
        application: opened for service, its ledger verified by the caller.
        compromise: which key and since when; what others dated before that is looked for here.

    Raises:
        AuditUnavailable: the entry cannot be written, or a file beside the database.
        InvalidInput: the ledger never had this key, or it is suspected from a moment on that is still to come.
        KeyUnavailable: the keys cannot be written. ``approval_required``: keys are under dual control, and nobody has
            approved this.
        LedgerCorrupt: what others dated before is not what this ledger has: entries were changed.
    """
    replaced = next((term for term in application.signing.terms if _id_of(term.pair) == compromise.key_id), None)
    if replaced is not None:
        _finish(application)
        return Replaced(replaced.size - 1, replaced.pair, application.signing.pair)
    _demand_sound(application, compromise)
    trusted = _trusted(application, compromise.since)
    seen = None if trusted is None else Seen(trusted.checkpoint.size, trusted.checkpoint.root)
    stated = Compromise(compromise.key_id, compromise.since, seen, compromise.reason)
    done = ledger_key(application).compromised(stated, operator=operator())
    _finish(application)
    return Replaced(done.size - 1, done.former, done.current, 0 if seen is None else seen.size)


def _demand_sound(application: Application, compromise: Compromise) -> None:
    problems = []
    if _id_of(application.signing.pair) != compromise.key_id:
        problems.append(FieldProblem("KEY_ID", "no_key_of_this_ledger"))
    if compromise.since > application.kernel.clock.now():
        problems.append(FieldProblem("--since", "in_the_future"))
    if problems:
        raise InvalidInput(problems)


def _trusted(application: Application, since: datetime) -> Published | None:
    """Return the newest checkpoint that others dated before a moment, kept for good and compared with the entries."""
    newest = max(_dated(application, since), key=lambda one: one.checkpoint.size, default=None)
    if newest is not None and application.tiles.publisher.root(newest.checkpoint.size) != newest.checkpoint.root:
        raise LedgerCorrupt(f"its first {newest.checkpoint.size} entries are not those that others dated")
    return newest


def _dated(application: Application, since: datetime) -> Iterator[Published]:
    if application.witnesses is not None:
        cosigned = application.witnesses.seen_before(since)
        if cosigned is not None:
            WitnessFiles(application.settings.ledger).keep(cosigned.checkpoint.size, cosigned.note)
            yield cosigned
    stamped = None if application.anchors is None else application.anchors.stamped_before(since)
    if stamped is not None:
        text = split_note(stamped.note)[0]
        yield Published(parse_checkpoint(text, text.partition("\n")[0]), stamped.note)


def _finish(application: Application) -> None:
    """Destroy what is left of the former key, publish the new origin, its root made anew from the rows, raise the mark.

    A crash behind the entry may have left the key's file, which nothing signs with any more.
    """
    application.signing.destroy_left()
    application.tiles.publisher.publish()
    if application.high_water is not None:
        application.high_water.keep()
        if application.high_water.is_behind:
            raise AuditUnavailable("storage_error")


def _id_of(pair: KeyPair) -> str:
    return pair.key.key_id.hex()
