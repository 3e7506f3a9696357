"""Going on with a database that does not follow its high-water mark: under a new origin, with the loss in an entry."""

from __future__ import annotations

from dataclasses import dataclass

from registry.audit.high_water import Compared, Standing, mark_of
from registry.bootstrap import Application, erase_again, ledger_key, operator
from registry.domain.errors import MisconfiguredHome
from registry.services.ledger_key import Exchanged, Loss
from registry.storage.anchor_files import AnchorFiles
from registry.storage.high_water import HighWaterFile
from registry.storage.tile_files import TileFiles
from registry.storage.witness_files import WitnessFiles
from registry.transparency.terms import KeyPair


@dataclass(frozen=True, slots=True)
class Recovered:
    """What going on meant.

    Attributes:
        standing: how the database stood to the mark.
        kept: entries that the mark counted; None where it could not be read.
        found: entries that were there.
        entry: index of the entry that states it, which is how many entries the new origin shares with the former; None
            when there was nothing to recover.
        keys: that sign from then on, under the new origin's name; None when there was nothing to recover.
        erased: how many who were erased before came back with it, and were taken out again.
    """

    standing: Standing
    kept: int | None
    found: int
    entry: int | None
    keys: KeyPair | None = None
    erased: int = 0

    @property
    def lost(self) -> int | None:
        """How many entries are known to be lost; None where only that is known that they differ, or nothing."""
        return self.kept - self.found if self.standing is Standing.BEHIND and self.kept is not None else None


def recover(application: Application, reason: str) -> Recovered:
    """Go on under a new origin, whose first entry states what is lost; keep what is of the former one aside.

    Whoever was erased since and came back is erased again, before anything is served, with an entry each. The mark is
    replaced last: should this end before, the registry still refuses to serve, and running it again begins
    another origin.

    Args:
        application: opened to be inspected, its ledger verified by the caller.
        reason: the operator's words.

    Raises:
        AuditUnavailable: an entry cannot be written, a file beside the database not be moved, or ``not_granted``: this
            account of the database may not erase.
        KeyUnavailable: the keys cannot be written, or the list of who was erased not be read.
        MisconfiguredHome: the mark cannot be read or written, or the ledger is from before an exchange of its key.
    """
    compared = application.compare_high_water()
    kept = None if compared.mark is None else compared.mark.size
    if compared.standing is Standing.FOLLOWS:
        erased = erase_again(application).run(operator=operator())
        return Recovered(compared.standing, kept, compared.head.size, None, erased=erased)
    _demand_key_of(application, compared.head.size)
    begun = _begin(application, compared, reason)
    _set_aside(application, compared.head.size)
    erased = erase_again(application).run(operator=operator())
    file = HighWaterFile(application.settings.ledger)
    with application.database.reader() as reader:
        mark = mark_of(reader.head(), application.signing)
    try:
        file.set_aside(_suffix(compared.head.size))
        file.replace(mark)
    except OSError:
        raise MisconfiguredHome(f"{file.path} cannot be written; mend the folder and run this again") from None
    return Recovered(compared.standing, kept, compared.head.size, compared.head.size, begun.current, erased)


def _demand_key_of(application: Application, size: int) -> None:
    """Check that the present key may sign what comes next: it signs no entry that a former one has signed."""
    former = [term.size for term in application.signing.terms if term.size > size]
    if former:
        raise MisconfiguredHome(
            f"this state of {size} entries is from before the ledger's key was exchanged at {former[0]} entries,"
            " and the key of that time is destroyed: put a later backup back. Nothing was changed"
        )


def _begin(application: Application, compared: Compared, reason: str) -> Exchanged:
    mark = compared.mark
    kept = "nothing readable" if mark is None else f"{mark.size} {mark.edge.root().hex()}"
    loss = Loss(compared.standing.value, kept, reason)
    return ledger_key(application).begin_origin(loss, operator=operator())


def _set_aside(application: Application, found: int) -> None:
    """Keep tiles, cosignatures, alarms and later time-stamps of the former origin: evidence of what was there."""
    folder = application.settings.ledger
    TileFiles(folder).set_aside()
    WitnessFiles(folder).set_aside(_suffix(found))
    AnchorFiles(folder).set_aside(found, _suffix(found))


def _suffix(entry: int) -> str:
    return f"before-entry-{entry}"
