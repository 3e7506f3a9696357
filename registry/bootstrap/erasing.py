"""Those who were erased: joined to an opened registry by whoever goes on with an older database, or lists them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from registry.bootstrap.application import Application
from registry.domain.errors import KeyUnavailable, MisconfiguredHome
from registry.keys.data_keys import DataKeys
from registry.services.erase_again import EraseAgain
from registry.vault.cases import CaseVault
from registry.vault.vault import Vault


def erase_again(application: Application) -> EraseAgain:
    """Return what takes those out who were erased before; it alone opens what theirs are found by."""
    kernel, ring = application.kernel, application.keyring
    vault = Vault(kernel.registry, DataKeys(ring.provider("data"), kernel.registry))
    cases = CaseVault(kernel.registry, DataKeys(ring.provider("cases"), kernel.registry))
    return EraseAgain(replace(kernel, vault=vault), cases, application.erased, ring.health)


def demand_erased_stay(application: Application) -> None:
    """Check that nobody who was erased stands in a database that is to be served.

    One that was put back together with its mark follows it. Nothing of theirs would open, but a search, a check of a
    value or a trace would still find that there is something. Goes through everybody where anybody was erased.

    Raises:
        MisconfiguredHome: somebody does.
    """
    with suppress(KeyUnavailable):  # a damaged list opens nobody; ``audit fsck`` mends it
        again = erase_again(application)
        if application.erased.is_empty or not again.returned():
            return
        # Looked at once more: another process may have taken somebody out between the rows and the list.
        if again.returned():
            raise MisconfiguredHome(
                "people who were erased stand in this database, which was put back: run: registry audit recover"
            )


def list_erased(application: Application) -> None:
    """List whom the ledger calls erased and who is not listed: by a version before this, or at another machine.

    A folder that cannot be written keeps nobody from serving: ``audit fsck`` tells of it.
    """
    with suppress(KeyUnavailable):
        application.erased.add(erase_again(application).unlisted())
