"""Opening a document that somebody sent: one that cannot be read is an entry too, and the answer has its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.random import random_bytes
from registry.documents.model import Document
from registry.documents.ocr import ImageReader
from registry.domain.errors import UnreadableDocument, UploadRefused
from registry.domain.principals import Role
from registry.services.kernel import Caller, Kernel
from registry.services.rerun import rerun_once
from registry.services.uploads import Upload

_NONCE_BYTES = 32
# What the entry says of a fault of this program: nothing of the document is in it.
_FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Sent:
    """A document, and what it was sent for.

    Attributes:
        upload: the document.
        roles: who may send one.
        kind: of the entry when it cannot be read.
        rule: the rule that the entry names.
        said: what the entry says besides.
        images: reads what images show.
    """

    upload: Upload
    roles: frozenset[Role]
    kind: Kind
    rule: str
    said: Mapping[str, str] = field(default_factory=dict, repr=False)
    images: ImageReader | None = None


def open_sent(kernel: Kernel, caller: Caller, sent: Sent) -> Document:
    """Read a document, within a turn.

    Raises:
        AccessDenied: the caller has none of the roles any more.
        UploadRefused: it cannot be read; that it was sent, and why it was refused, is an entry.
    """
    try:
        return sent.upload.open(sent.images)
    except UnreadableDocument as refused:
        raise UploadRefused(refused.code, _noted(kernel, caller, sent, refused.code)) from None
    except Exception:
        _noted(kernel, caller, sent, _FAULT)
        raise


@rerun_once
def _noted(kernel: Kernel, caller: Caller, sent: Sent, code: str) -> int:
    """Write the entry; its digest shows later which document it was. Returns its index."""
    nonce = random_bytes(_NONCE_BYTES)
    digest = sha256(nonce + sent.upload.content).hexdigest()
    with kernel.database.write() as work:
        principal = kernel.principal(work, caller)
        if not principal.roles & sent.roles:
            kernel.deny(work, principal, sent.rule)
        values = (
            said_by(principal)
            | dict(sent.said)
            | {
                "request": f"document {digest}",
                "result": f"unreadable {code}",
                "rules": kernel.policy.rules(sent.rule),
                "detail": f"document nonce {nonce.hex()}",
            }
        )
        (pending,) = kernel.log.append(work.ledger, [EntryDraft(sent.kind, values)])
        work.commit()
    return kernel.mint_one(pending).index
