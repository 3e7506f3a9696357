"""Notices: that something happened, to whom it concerns. They say what, when and in which entry, and hold no value.

A notice is a row of the outbox, put in the transaction of the entry that it speaks of: none without its entry, and none
lost with the process. ``send_notices`` sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.domain.ids import EventId, PrincipalId, SubjectId, new_id
from registry.domain.principals import Role
from registry.services.kernel import Kernel
from registry.services.ports import Work
from registry.services.ports_notices import WAITING, OutboxRow
from registry.vault.links import NoticeSeal


class NoticeKind(StrEnum):
    """What a notice is about."""

    VIEWER_COPY = "viewer_copy"
    APPROVAL_WANTED = "approval_wanted"
    APPROVAL_DECIDED = "approval_decided"
    BREAK_GLASS = "break_glass"
    BREAK_GLASS_REVIEW_DUE = "break_glass_review_due"
    ALARM = "alarm"
    QUOTA = "quota"
    DISPUTE = "dispute"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class ToPrincipal:
    """One account."""

    id: PrincipalId

    def __str__(self) -> str:
        return f"principal:{self.id}"


@dataclass(frozen=True, slots=True)
class ToRole:
    """Whoever answers for a role; the settings name a mailbox."""

    role: Role

    def __str__(self) -> str:
        return f"role:{self.role.value}"


@dataclass(frozen=True, slots=True)
class ToSubject:
    """The person that records are about."""

    id: SubjectId

    def __str__(self) -> str:
        return f"subject:{self.id}"


Recipient = ToPrincipal | ToRole | ToSubject


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. ``about`` is the subject of the entry, where the recipient may know it."""

    kind: NoticeKind
    to: Recipient
    about: SubjectId | None
    entry_event: EventId


def queue(work: Work, kernel: Kernel, notices: Sequence[Notice]) -> None:
    """Put notices into the outbox, in the caller's transaction and after their entries; nothing without a transport."""
    if not notices or not kernel.outlets.channels:
        return
    now_ms = kernel.now_ms()
    work.outbox.put(
        [
            _row(kernel.outlets.seal, notice, channel.name, now_ms)
            for notice in notices
            for channel in kernel.outlets.channels
            if channel.reaches(str(notice.to))
        ]
    )


def _row(seal: NoticeSeal, notice: Notice, channel: str, now_ms: int) -> OutboxRow:
    identifier = new_id()
    said = f"{notice.kind.value} {now_ms} {notice.to} {notice.about or ''}"
    sealed = seal.seal(identifier, notice.entry_event, said.encode())
    return OutboxRow(identifier, notice.entry_event, channel, sealed, now_ms, now_ms, 0, WAITING)
