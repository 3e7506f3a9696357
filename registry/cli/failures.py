"""One table from every error of this program to its exit code and to one line that says what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from registry.domain import errors
from registry.domain.faults import place_of
from registry.policy.decide import (
    APPROVAL_REQUIRED,
    CASE_NEEDED,
    CONFLICT_OF_INTEREST,
    NOT_PERMITTED,
    NOTE_NEEDED,
    PURPOSE_NOT_ALLOWED,
    QUOTA_EXCEEDED,
    STEP_UP_REQUIRED,
)

FOUND_WRONG = 1
WRONG_USE = 2
UNAVAILABLE = 3

_MENDS = {
    "disk_full": "free space on the disk of the home folder and try again",
    "read_only": "make the home folder and its files writable for this user",
    "locked": "another process holds the registry; try again, or look for one that hangs",
    "storage_missing": "the database file is not there; give the right --home, or restore it",
    "replaced_file": "the database file was replaced while in use; start again",
    "head_mismatch": "the ledger's head is not as this registry signed it; keep the files, run: registry audit verify",
    "hash_mismatch": "one leaf hashed twice gave two hashes: test this machine's memory before it serves again",
    "rolled_back": "an older state of the ledger was put back while in use; keep the files and find out why",
    "forked": "a witness has cosigned another history of this ledger; keep the files, see ledger/witness/evidence-*",
    "unwitnessed": "no quorum of witnesses has cosigned for too long; run: registry audit witness ask",
    "not_migrated": "run: registry migrate",
    "connection_lost": "the database server does not answer or the connection broke; see that it runs, and try again",
    "connections_exhausted": "the database server has no connection left; raise its max_connections or end a process",
    "not_granted": "the database account lacks a right; run registry database-roles as the owner, or use its account",
    "timed_out": "the database took too long for a statement; look for what keeps it busy",
    "contended": "others changed the same rows twice in a row; try again",
    "clock_behind": "this machine's clock is behind the ledger; set it right",
}


# What a refusal by policy means for whoever typed the command; reasons of later policies stand for themselves.
_REFUSALS = {
    NOT_PERMITTED: "the account has no role for this",
    PURPOSE_NOT_ALLOWED: "the purpose does not open what was asked for",
    CASE_NEEDED: "the purpose asks for a case reference; give --case",
    NOTE_NEEDED: "the policy asks for a note; give --note",
    STEP_UP_REQUIRED: "this needs a strong and recent sign-in; get a new token",
    QUOTA_EXCEEDED: "as many people were shown today as may be for this purpose; somebody else can raise the limit",
    CONFLICT_OF_INTEREST: "the policy does not let this account look up this person",
    APPROVAL_REQUIRED: "somebody else has to approve it first",
}


def _refused(error: errors.AccessDenied) -> str:
    meaning = _REFUSALS.get(error.reason)
    told = f"refused: {error.reason} (entry {error.entry} of the ledger)"
    return told if meaning is None else f"{told}: {meaning}"


def _invalid(error: errors.InvalidInput) -> str:
    return "not valid: " + ", ".join(f"{problem.pointer} {problem.code}" for problem in error.problems)


def _unavailable(error: errors.AuditUnavailable) -> str:
    mend = _MENDS.get(error.cause, "nothing was opened or changed; look at the disk and the database")
    return f"the ledger takes no entries ({error.cause}): {mend}"


_TABLE: Mapping[type[errors.RegistryError], tuple[int, Callable[[Any], str]]] = {
    errors.AccessDenied: (UNAVAILABLE, _refused),
    errors.ApprovalNeeded: (
        UNAVAILABLE,
        lambda error: f"request {error.request}: somebody else has to approve it; then do exactly the same again",
    ),
    errors.AuditUnavailable: (UNAVAILABLE, _unavailable),
    errors.NotDurable: (UNAVAILABLE, _unavailable),
    errors.Contended: (UNAVAILABLE, lambda _: "another writer was in the way twice; try again"),
    errors.Busy: (UNAVAILABLE, lambda _: "busy; try again"),
    errors.Conflict: (WRONG_USE, lambda error: f"conflict: {error.code}"),
    errors.EnvelopeRejected: (UNAVAILABLE, lambda _: "a sealed value does not open; run: registry audit verify"),
    errors.InvalidInput: (WRONG_USE, _invalid),
    errors.KeyUnavailable: (UNAVAILABLE, lambda error: error.cause),
    errors.LedgerCorrupt: (
        UNAVAILABLE,
        lambda error: f"the ledger does not verify: {error}; run: registry audit verify",
    ),
    errors.MisconfiguredHome: (UNAVAILABLE, str),
    errors.NotFound: (
        WRONG_USE,
        lambda _: "not found, or not yours: see that the number or id is right, and REGISTRY_URL where it is set",
    ),
    errors.ProofRejected: (UNAVAILABLE, lambda error: f"does not verify: {error}"),
    errors.ReceiptRefused: (UNAVAILABLE, lambda _: "a receipt was refused; nothing was opened"),
    errors.StatementRefused: (
        UNAVAILABLE,
        lambda error: f"the database refused a statement ({error.what}); nothing was changed",
    ),
    errors.TokenRefused: (UNAVAILABLE, lambda _: "the token was refused; get a new one"),
    errors.TokenTakenBack: (
        UNAVAILABLE,
        lambda error: f"the token was taken back (entry {error.entry} of the ledger); get a new one",
    ),
    errors.UnreadableDocument: (WRONG_USE, lambda error: f"not readable: {error.code}"),
    errors.UploadRefused: (
        WRONG_USE,
        lambda error: f"not readable: {error.code} (entry {error.entry} of the ledger)",
    ),
}


def exit_with(error: BaseException) -> int:
    """Print one line about an error and return the exit code.

    An error that is none of ours is told by its class and place alone: its text may quote what was worked on.
    """
    for kind in type(error).__mro__:
        if kind in _TABLE:
            code, words = _TABLE[kind]
            click.echo(f"registry: {words(error)}", err=True)
            return code
    click.echo(
        f"registry: an unexpected fault ({type(error).__name__} in {place_of(error)}); nothing more was done", err=True
    )
    return UNAVAILABLE
