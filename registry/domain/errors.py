"""Everything that can go wrong, named for its meaning. No HTTP in here; no message ever holds a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.domain.enrollment import FieldProblem
    from registry.domain.ids import RequestId


class RegistryError(Exception):
    """Root of all errors of this package."""


class InvalidInput(RegistryError):
    """The submitted document breaks its rules.

    Attributes:
        problems: one per field, at least one.
    """

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(", ".join(f"{problem.pointer}: {problem.code}" for problem in problems))
        self.problems = tuple(problems)


class UnreadableDocument(RegistryError):
    """Not a readable document at all: bad UTF-8, bad JSON, duplicate key, lone surrogate, too deep.

    Attributes:
        code: short stable reason such as ``not_json``, ``duplicate_key``, ``not_utf8``, ``lone_surrogate``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UploadRefused(UnreadableDocument):
    """A document that somebody sent to be looked through is not readable; that it was sent is in the ledger.

    Attributes:
        entry: index of the entry.
    """

    def __init__(self, code: str, entry: int) -> None:
        super().__init__(code)
        self.entry = entry


class TokenRefused(RegistryError):
    """The bearer token was not accepted.

    Attributes:
        reason: short stable code for the entry (``expired``, ``audience``, ``signature``, ``malformed`` ...).
            Never sent to the caller.
        is_of_proof: the token is bound to a key, or was shown as if it were.
        nonce: what the next proof of that key has to hold; empty unless that is what is missing.
    """

    def __init__(self, reason: str, *, is_of_proof: bool = False, nonce: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_of_proof = is_of_proof
        self.nonce = nonce


class TokenTakenBack(TokenRefused):
    """The token is verified and was taken back before its end; that it was shown is in the ledger already.

    Attributes:
        entry: index of the entry.
    """

    def __init__(self, entry: int, *, is_of_proof: bool = False) -> None:
        super().__init__("taken_back", is_of_proof=is_of_proof)
        self.entry = entry


class AccessDenied(RegistryError):
    """A decision of policy; it is already in the ledger.

    Attributes:
        reason: public reason code.
        entry: index of the entry.
    """

    def __init__(self, reason: str, entry: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.entry = entry


class ApprovalNeeded(RegistryError):
    """Somebody else has to approve it first; nothing was done, and the request is on record.

    Attributes:
        request: its id.
        approvals: how many people have to approve it.
        until_ms: when it is over, in milliseconds.
        entry: index of the entry of this ask.
    """

    def __init__(self, request: RequestId, approvals: int, until_ms: int, entry: int) -> None:
        super().__init__(f"request {request}")
        self.request = request
        self.approvals = approvals
        self.until_ms = until_ms
        self.entry = entry


class NotFound(RegistryError):
    """Unknown, or not yours: the two look the same."""


class Conflict(RegistryError):
    """The thing exists already or has changed since it was read.

    Attributes:
        code: ``exists``, ``changed``, ``key_reused``, ``immutable``, ``canary_number_in_use``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AuditUnavailable(RegistryError):
    """The ledger cannot take an entry, so nothing was decrypted or changed.

    Attributes:
        cause: ``disk_full``, ``read_only``, ``storage_error``, ``locked``, ``clock_behind``, ``key_missing``,
            ``replaced_file``, ``head_mismatch``, ``hash_mismatch``, ``rolled_back``, ``forked``, ``unwitnessed``,
            ``connection_lost``, ``connections_exhausted``,
            ``timed_out``, ``out_of_memory``, ``contended`` ...
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Contended(AuditUnavailable):
    """A transaction lost against another one and was rolled back whole; services run it again once."""

    def __init__(self) -> None:
        super().__init__("contended")


class NotDurable(AuditUnavailable):
    """The entry was not found as written after the commit."""

    def __init__(self) -> None:
        super().__init__("not_durable")


class StatementRefused(RegistryError):
    """The database refused a statement of ours: a constraint, a type or a trigger; the storage itself is sound.

    Attributes:
        what: name of the driver's error. Its text is left behind: it may quote a row.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Busy(RegistryError):
    """The bounded queue is full; try again."""


class EnvelopeRejected(RegistryError):
    """A sealed value does not open: wrong key, wrong place, changed bytes or an unknown version."""


class ReceiptRefused(RegistryError):
    """A receipt does not cover what was to be opened, or was used already."""


class KeyUnavailable(RegistryError):
    """A key is missing, unreadable, of the wrong mode or owner, or destroyed, or the key service does not give it.

    Attributes:
        cause: what is wrong and which key id, in words fit for an operator.
        code: the same in one word, without names of keys or files: fit for whoever asked.
    """

    def __init__(self, cause: str, code: str = "key_file") -> None:
        super().__init__(cause)
        self.cause = cause
        self.code = code


class LedgerCorrupt(RegistryError):
    """Verification of the ledger failed.

    Attributes:
        entry: the first bad entry's index, or None when the fault is not in one entry.
        what: which check failed, in words.
    """

    def __init__(self, what: str, entry: int | None = None) -> None:
        super().__init__(what if entry is None else f"entry {entry}: {what}")
        self.what = what
        self.entry = entry


class ProofRejected(RegistryError):
    """A proof, checkpoint, note or opening does not verify."""


class MisconfiguredHome(RegistryError):
    """The registry's folder or settings are not usable as they are; the message says what to do."""
