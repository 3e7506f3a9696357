"""Receipts: the proof, inside this process, that an entry is durable; the only thing that opens a sealed field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NoReturn, final

from registry.audit._mint import MINT, Mint
from registry.domain.errors import ReceiptRefused
from registry.domain.ids import EntryIndex, RecordId


class Covered(NamedTuple):
    """One sealed field that a receipt opens: exactly this version with exactly these stored bytes.

    ``record`` is a record id, or a subject id for directory data.
    """

    record: RecordId
    version: int
    ciphertext_digest: bytes


@dataclass(frozen=True, slots=True)
class PendingReceipt:
    """An entry that was appended but is not known to be durable. Opens nothing."""

    index: EntryIndex
    event: str
    size: int


@final
class Receipt:
    """An entry found as written, on a connection of its own, after its commit.

    Attributes:
        origin: the log's name.
        index: the entry's index.
        size: tree size at which the entry was committed.
        code: short code for people, 8 characters of base 32 in two groups.
        kind: the entry's kind.
    """

    __slots__ = ("_covered", "_unopened", "code", "index", "kind", "origin", "size")

    def __init__(self, mint: Mint, pending: PendingReceipt, stored: StoredEntry, covered: frozenset[Covered]) -> None:
        """Made by ``AuditLog.mint`` alone.

        Raises:
            ReceiptRefused: the caller is not the mint.
        """
        if mint is not MINT:
            raise ReceiptRefused("only the ledger mints receipts")
        self.origin = stored.origin
        self.index = pending.index
        self.size = pending.size
        self.code = stored.code
        self.kind = stored.kind
        self._covered = covered
        self._unopened = set(covered)

    def redeem(self, asked: Covered) -> None:
        """Use the receipt for one sealed field, once.

        Raises:
            ReceiptRefused: the entry does not cover this field and version with these bytes, or it was used for it.
        """
        try:
            self._unopened.remove(asked)
        except KeyError:
            was_opened = asked in self._covered
            why = "the receipt was used for this field already" if was_opened else "the entry does not cover this field"
            raise ReceiptRefused(why) from None

    @property
    def header(self) -> str:
        """Value of the ``Audit-Receipt`` header: origin, index and size."""
        return f"{self.origin} {self.index} {self.size}"

    def __reduce__(self) -> NoReturn:
        raise TypeError("receipts are never stored")

    def __copy__(self) -> NoReturn:
        raise TypeError("receipts are never copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("receipts are never copied")


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What the mint read back: origin, kind and the code made from them."""

    origin: str
    kind: str
    code: str
