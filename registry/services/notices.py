"""Notices: that something happened, to whom it concerns. They say what, when and in which entry, and hold no value.

A notice is a row of the outbox, put in the transaction of the entry that it speaks of: none without its entry, and none
lost with the process. ``send_notices`` sends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from registry.audit.entries import EntryDraft
from registry.domain.ids import EventId, PrincipalId, SubjectId, new_id
from registry.domain.principals import Role
from registry.services.kernel import Kernel
from registry.services.ports import Work
from registry.services.ports_notices import HELD, WAITING, OutboxRow
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
    DIGEST = "digest"
    HOLD_WANTED = "hold_wanted"
    CONTACT = "contact"


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


class LookUps(NamedTuple):
    """How many lookups of a day had one purpose and came from one unit; the unit is empty where none is known."""

    purpose: str
    unit: str
    number: int


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice.

    Attributes:
        kind, to: what it is about, and for whom.
        about: the subject of the entry, where the recipient may know it.
        entry_event: the entry that it speaks of.
        counts: of a digest.
        held_until: milliseconds; not sent before, because of a hold; 0 when there is none.
    """

    kind: NoticeKind
    to: Recipient
    about: SubjectId | None
    entry_event: EventId
    counts: tuple[LookUps, ...] = ()
    held_until: int = 0


def alarm_notices(drafts: Iterable[EntryDraft]) -> list[Notice]:
    """Return the notices of some alarms' entries: security administrators are told."""
    return [Notice(NoticeKind.ALARM, ToRole(Role.SECURITY_ADMIN), None, draft.event) for draft in drafts]


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
            if channel.reaches(str(notice.to)) or (channel.by_contact and _has_contact(work, kernel, notice.to))
        ]
    )


def _has_contact(work: Work, kernel: Kernel, to: Recipient) -> bool:
    return isinstance(to, ToSubject) and work.petitions.contact(kernel.contact_label(to.id)) is not None


def _row(seal: NoticeSeal, notice: Notice, channel: str, now_ms: int) -> OutboxRow:
    identifier = new_id()
    counts = json.dumps(notice.counts, separators=(",", ":"))
    said = f"{notice.kind.value} {now_ms} {notice.to} {notice.about or ''} {counts}"
    sealed = seal.seal(identifier, notice.entry_event, said.encode())
    due_ms = max(now_ms, notice.held_until)
    state = HELD if notice.held_until else WAITING
    return OutboxRow(identifier, notice.entry_event, channel, sealed, due_ms, due_ms, 0, state)
