"""Ciphertext with everything that says where it belongs."""

from __future__ import annotations

from typing import NamedTuple

from registry.audit.receipt import Covered
from registry.crypto.envelope import ciphertext_digest
from registry.crypto.tags import equal
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.keys.ports import WrappedKey

# What is sealed beside the ten categories: name, department, title and number of a subject.
DIRECTORY = "directory"
# And the names by which an HR system keeps a subject up to date; the record is the provision's id.
PROVISION = "provision"


class SealedField(NamedTuple):
    """One sealed value at rest.

    A tuple, like a record's row: a lookup makes a dozen of each, and a frozen dataclass takes three times as long.

    Attributes:
        record: the record, or the subject's id for directory data, or a provision's id.
        subject, person: whose record, and whose data key it is sealed under.
        category: a category's text, or ``directory`` or ``provision``.
        version: from 1; bound into the ciphertext.
        sealed: envelope bytes.
        digest: SHA-256 of ``sealed``, as stored beside it.
        key: the person's wrapped data key.
    """

    record: RecordId
    subject: SubjectId
    person: PersonId
    category: str
    version: int
    sealed: bytes
    digest: bytes
    key: WrappedKey

    def __repr__(self) -> str:
        return f"SealedField({self.category}, record={self.record}, version={self.version})"

    @property
    def is_whole(self) -> bool:
        """Whether the stored bytes are those of the digest beside them."""
        return equal(ciphertext_digest(self.sealed), self.digest)

    @property
    def covered(self) -> Covered:
        """What a receipt must cover to open this."""
        return Covered(self.record, self.version, self.digest)
