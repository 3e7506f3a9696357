"""The life of a registry's keys: joined to an opened registry by the command that needs it."""

from __future__ import annotations

from registry.bootstrap.application import Application
from registry.keys.data_keys import DataKeys
from registry.keys.index_keys import IndexKeys
from registry.keys.mark_keys import MarkKeys
from registry.keys.ports import PROVIDER_PURPOSES
from registry.services.key_life import KeyLife, KeyTimes
from registry.services.ledger_key import LedgerKey
from registry.services.rebuild_index import RebuildIndex
from registry.services.reconcile import Reconcile
from registry.services.rekey_index import RekeyIndex
from registry.services.rotate_marks import RotateMarks


def key_life(application: Application) -> KeyLife:
    """Return what exchanges the keys of an opened registry."""
    kernel, ring = application.kernel, application.keyring
    keys = {purpose: DataKeys(ring.provider(purpose), kernel.registry) for purpose in PROVIDER_PURPOSES}
    times = KeyTimes(application.settings.keys_exchanged, application.settings.backups_kept)
    return KeyLife(kernel, ring, keys, times, application.key_changes)


def ledger_key(application: Application) -> LedgerKey:
    """Return what exchanges the key that signs an opened registry's ledger."""
    return LedgerKey(application.kernel, application.signing, application.key_changes)


def rekey_index(application: Application) -> RekeyIndex:
    """Return what brings the blind index of an opened registry under another secret."""
    kernel = application.kernel
    keys = IndexKeys(application.keyring.provider("bodies"), kernel.registry)
    return RekeyIndex(kernel, keys, application.key_changes)


def rebuild_index(application: Application) -> RebuildIndex:
    """Return what makes the blind index of an opened registry anew of the values."""
    kernel = application.kernel
    keys = IndexKeys(application.keyring.provider("bodies"), kernel.registry)
    return RebuildIndex(kernel, keys, application.key_changes)


def rotate_marks(application: Application) -> RotateMarks:
    """Return what exchanges the secret of marks and receipt codes of an opened registry."""
    kernel = application.kernel
    keys = MarkKeys(application.keyring.provider("bodies"), kernel.registry)
    return RotateMarks(kernel, keys, application.key_changes)


def reconcile(application: Application) -> Reconcile:
    """Return what compares a key service's log with an opened registry's ledger."""
    return Reconcile(application.kernel, application.audit)
