"""Those who were erased: joined to an opened registry by whoever goes on with an older database, or lists them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from registry.bootstrap.application import Application
from registry.domain.errors import KeyUnavailable
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


def list_erased(application: Application) -> None:
    """List whom the ledger calls erased and who is not listed: by a version before this, or at another machine.

    A folder that cannot be written keeps nobody from serving: ``audit fsck`` tells of it.
    """
    with suppress(KeyUnavailable):
        application.erased.add(erase_again(application).unlisted())
