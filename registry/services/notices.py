"""Notices: that something happened, to whom it concerns. They say what, when and in which entry, and hold no value.

A notice is a row of the outbox, put in the transaction of the entry that it speaks of: none without its entry, and none
lost with the process. ``send_notices`` sends it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from registry.audit.entries import EntryDraft
from registry.domain.ids import EventId, PrincipalId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.services.former_mailbox import ToFormerMailbox, told_of
from registry.services.kernel import Kernel
from registry.services.outlets import Channel
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
    NAMED = "named"
    NEW_ORIGIN = "new_origin"
    UNWRAPS = "unwraps"


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


Recipient = ToPrincipal | ToRole | ToSubject | ToFormerMailbox


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
        entries: indexes of all the entries that it speaks of, when there are several; none else.
    """

    kind: NoticeKind
    to: Recipient
    about: SubjectId | None
    entry_event: EventId
    counts: tuple[LookUps, ...] = ()
    held_until: int = 0
    entries: tuple[int, ...] = ()


class SeenByViewer:
    """What one transaction showed to whom: a notice for each who looked, however many cards there were."""

    def __init__(self) -> None:
        self._seen: dict[PrincipalId, list[tuple[SubjectId, EntryDraft, int]]] = {}
        self._unit: dict[PrincipalId, str] = {}

    def add(self, viewer: Principal, subject: SubjectId, draft: EntryDraft, index: int) -> None:
        """Add one card: whose it is, and its entry."""
        self._seen.setdefault(viewer.id, []).append((subject, draft, index))
        self._unit[viewer.id] = viewer.unit

    def notices(self) -> list[Notice]:
        """Return the notices; one of several cards counts them by purpose and names no person."""
        return [self._notice(viewer, seen) for viewer, seen in self._seen.items()]

    def _notice(self, viewer: PrincipalId, seen: Sequence[tuple[SubjectId, EntryDraft, int]]) -> Notice:
        subject, draft, _ = seen[0]
        if len(seen) == 1:
            return Notice(NoticeKind.VIEWER_COPY, ToPrincipal(viewer), subject, draft.event)
        purposes = Counter(draft.values["purpose"] for _, draft, _ in seen)
        counts = tuple(LookUps(purpose, self._unit[viewer], number) for purpose, number in sorted(purposes.items()))
        indexes = tuple(index for _, _, index in seen)
        return Notice(NoticeKind.VIEWER_COPY, ToPrincipal(viewer), None, draft.event, counts, entries=indexes)


def alarm_notices(drafts: Iterable[EntryDraft]) -> list[Notice]:
    """Return the notices of some alarms' entries: security administrators are told."""
    return [Notice(NoticeKind.ALARM, ToRole(Role.SECURITY_ADMIN), None, draft.event) for draft in drafts]


def origin_notices(draft: EntryDraft) -> list[Notice]:
    """Return the notices of a new origin's entry: one person at the machine stated it, and these can ask why."""
    return [
        Notice(NoticeKind.NEW_ORIGIN, ToRole(role), None, draft.event) for role in (Role.SECURITY_ADMIN, Role.AUDITOR)
    ]


def unwrap_notices(draft: EntryDraft) -> list[Notice]:
    """Return the notices of a key service's log that did not agree with the ledger."""
    return [Notice(NoticeKind.UNWRAPS, ToRole(role), None, draft.event) for role in (Role.SECURITY_ADMIN, Role.AUDITOR)]


def queue(work: Work, kernel: Kernel, notices: Sequence[Notice]) -> None:
    """Put notices into the outbox, in the caller's transaction and after their entries; nothing without a transport."""
    if not notices or not kernel.outlets.channels:
        return
    now_ms = kernel.now_ms()
    work.outbox.put(
        [
            row_of(kernel.outlets.seal, notice, channel.name, now_ms)
            for notice in notices
            for channel in kernel.outlets.channels
            if _takes(channel, work, kernel, notice.to)
        ]
    )


def is_reached(work: Work, kernel: Kernel, to: Recipient) -> bool:
    """Tell whether notices to somebody go anywhere."""
    return any(_takes(channel, work, kernel, to) for channel in kernel.outlets.channels)


def _takes(channel: Channel, work: Work, kernel: Kernel, to: Recipient) -> bool:
    if isinstance(to, ToFormerMailbox):
        return channel.by_contact
    if channel.reaches(str(to)):
        return True
    if not channel.by_contact or not isinstance(to, ToSubject):
        return False
    return work.petitions.contact(kernel.contact_label(to.id)) is not None


def _told(notice: Notice) -> object:
    if isinstance(notice.to, ToFormerMailbox):
        # Without counts: a process of a version that knows no former mailbox would send it to the present one; so it
        # cannot read the row, and gives it up instead.
        return {"mailbox": told_of(notice.to.contact)}
    return {"counts": notice.counts, "entries": notice.entries} if notice.entries else notice.counts


def row_of(seal: NoticeSeal, notice: Notice, channel: str, now_ms: int) -> OutboxRow:
    """Return a notice as it waits for one way out, sealed."""
    identifier = new_id()
    told = json.dumps(_told(notice), separators=(",", ":"))
    said = f"{notice.kind.value} {now_ms} {notice.to} {notice.about or ''} {told}"
    sealed = seal.seal(identifier, notice.entry_event, said.encode())
    due_ms = max(now_ms, notice.held_until)
    state = HELD if notice.held_until else WAITING
    return OutboxRow(identifier, notice.entry_event, channel, sealed, due_ms, due_ms, 0, state)
