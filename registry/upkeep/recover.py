"""Going on with a database that does not follow its high-water mark: the loss is stated in an entry first."""

from __future__ import annotations

from dataclasses import dataclass

from registry.audit.entries import EntryDraft
from registry.audit.high_water import Compared, Standing, mark_of
from registry.audit.kinds import Kind
from registry.bootstrap import Application, operator
from registry.domain.errors import MisconfiguredHome
from registry.services.kernel import UNKNOWN_PRINCIPAL
from registry.storage.high_water import HighWaterFile


@dataclass(frozen=True, slots=True)
class Recovered:
    """What going on meant.

    Attributes:
        standing: how the database stood to the mark.
        kept: entries that the mark counted; None where it could not be read.
        found: entries that were there.
        entry: index of the entry that states it; None when there was nothing to recover.
    """

    standing: Standing
    kept: int | None
    found: int
    entry: int | None

    @property
    def lost(self) -> int | None:
        """How many entries are known to be lost; None where only that is known that they differ, or nothing."""
        return self.kept - self.found if self.standing is Standing.BEHIND and self.kept is not None else None


def recover(application: Application, reason: str) -> Recovered:
    """State in an entry what is lost, keep the former mark beside the new one, and let the registry serve again.

    The entry comes first: should this end before the mark is replaced, the registry still refuses to serve.

    Args:
        application: opened to be inspected, its ledger verified by the caller.
        reason: the operator's words.

    Raises:
        AuditUnavailable: the entry cannot be written.
        MisconfiguredHome: the mark cannot be read or written, or the ledger is from before an exchange of its key.
    """
    compared = application.compare_high_water()
    kept = None if compared.mark is None else compared.mark.size
    if compared.standing is Standing.FOLLOWS:
        return Recovered(compared.standing, kept, compared.head.size, None)
    _demand_key_of(application, compared.head.size)
    entry = _state(application, compared, reason)
    file = HighWaterFile(application.settings.ledger)
    with application.database.reader() as reader:
        mark = mark_of(reader.head(), application.signing)
    try:
        file.set_aside(f"before-entry-{entry}")
        file.replace(mark)
    except OSError:
        raise MisconfiguredHome(f"{file.path} cannot be written; mend the folder and run this again") from None
    return Recovered(compared.standing, kept, compared.head.size, entry)


def _demand_key_of(application: Application, size: int) -> None:
    """Check that the present key may sign what comes next: it signs no entry that a former one has signed."""
    former = [term.size for term in application.signing.terms if term.size > size]
    if former:
        raise MisconfiguredHome(
            f"this state of {size} entries is from before the ledger's key was exchanged at {former[0]} entries,"
            " and the key of that time is destroyed: put a later backup back. Nothing was changed"
        )


def _state(application: Application, compared: Compared, reason: str) -> int:
    kernel, mark = application.kernel, compared.mark
    kept = "nothing readable" if mark is None else f"{mark.size} {mark.edge.root().hex()}"
    values = {
        "principal": f"{UNKNOWN_PRINCIPAL} {operator()}",
        "note": reason,
        "result": compared.standing.value,
        "detail": f"kept {kept}; found {compared.head.size} {compared.head.root.hex()}",
    }
    with kernel.database.write() as work:
        (pending,) = kernel.log.append(work.ledger, [EntryDraft(Kind.RECOVER, values)])
        work.commit()
    return kernel.mint_one(pending).index
