"""The only place that builds objects. Importing it opens nothing; ``open_application`` opens one registry."""

from __future__ import annotations

from registry.bootstrap.application import LOCAL_ROLES, Application, operator
from registry.bootstrap.erasing import erase_again
from registry.bootstrap.key_life import key_life, ledger_key, rebuild_index, reconcile, rekey_index, rotate_marks
from registry.bootstrap.making import clear_database, grant_database_roles, initialise, migrate_database
from registry.bootstrap.opening import inspected, open_application, opened
from registry.bootstrap.signing import LedgerSigning

__all__ = [
    "LOCAL_ROLES",
    "Application",
    "LedgerSigning",
    "clear_database",
    "erase_again",
    "grant_database_roles",
    "initialise",
    "inspected",
    "key_life",
    "ledger_key",
    "migrate_database",
    "open_application",
    "opened",
    "operator",
    "rebuild_index",
    "reconcile",
    "rekey_index",
    "rotate_marks",
]
