"""The release guard: which protected values stand in a document that is about to be published, and a copy without.

Nobody is named in the answer: a records officer learns where something stands that may not go out, of which category,
and not whose it is. Every check is an entry, and counts against a limit of the day. An account that tried values out is
told nothing any more, hit or miss: no finding would be a document released with what was held back.

A place may stay in the copy once another person has approved it, for this document, purpose and reason: ``waivers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.crypto.random import random_bytes
from registry.documents.model import Document, Place, Unread
from registry.documents.ocr import ImageReader, remembered
from registry.domain.categories import Category
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.purposes import ReleasePurpose
from registry.leaktrace.dossier import Matching
from registry.policy.decide import QUOTA_EXCEEDED
from registry.services.brakes import BrakeLimits, Counted, TagSet, counted, day_of, label_of, store_sets, tag_of
from registry.services.check_value import CHECKERS
from registry.services.dual_control import Act, demand_approved
from registry.services.enumeration import BrakeOfOne
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.match import Use
from registry.services.opening_uploads import Sent, open_sent
from registry.services.ports import Work
from registry.services.redaction import RedactedCopy, redact
from registry.services.rerun import rerun_once
from registry.services.trace import Matchers
from registry.services.uploads import Upload, turn
from registry.services.waivers import Asked, Found, Waive, act_of, kept_spans, places_of, unknown_places

_RULE = "release-check"
_CHECKING = Use(CHECKERS, _RULE)
_SENT = (CHECKERS, Kind.RELEASE_CHECK, _RULE)
_ENUMERATION = "brakes.enumeration"
_QUOTA = "brakes.checks"
_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class ReleaseAsk:
    """One document to check, and what for. ``waive``: what is to stay in its copy all the same."""

    upload: Upload
    purpose: ReleasePurpose
    case: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
    waive: Waive | None = None


@dataclass(frozen=True, slots=True)
class ReleasePlace:
    """Where a protected value stands.

    Attributes:
        id: names it, in this document alone.
        category, kind: what it is.
        is_certain: it goes from the copy; what is only possible is for a person to look at, and stays.
        is_waived: it stays in the copy, since another person agreed.
        confidence: 0 to 1.
        reason: why, in plain words; never holds a value, nor says whose it is.
        at: where, from the outside in.
    """

    id: str
    category: Category
    kind: str
    is_certain: bool
    is_waived: bool
    confidence: float
    reason: str
    at: Place


@dataclass(frozen=True, slots=True)
class ReleaseChecked:
    """What a check answers; ``form`` is empty when the caller has asked too much and is told nothing.

    Attributes:
        form: the document's format.
        places: in the document's order.
        unread: what of the document was not read.
        copy: the document without what is certain; None when there is nothing certain in it.
        receipt: of the check's entry.
    """

    form: str
    places: tuple[ReleasePlace, ...]
    unread: tuple[Unread, ...]
    copy: RedactedCopy | None
    receipt: ReceiptView

    @property
    def is_refused(self) -> bool:
        """Whether the caller is told nothing."""
        return not self.form

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and nothing is left that could hide something."""
        return not self.places and not any(one.may_hide for one in self.unread)


class ReleaseCheck:
    """Checks documents before they are released."""

    def __init__(self, kernel: Kernel, matching: Matchers, limits: BrakeLimits) -> None:
        self._kernel = kernel
        self._matching = matching
        self._limits = limits

    def check(self, caller: Caller, ask: ReleaseAsk) -> ReleaseChecked:
        """Check one document.

        Raises:
            AccessDenied: the caller is no records officer or investigator; the refusal is an entry.
            Busy: too many documents are being read.
            UploadRefused: it cannot be read, with a code that says why; that is an entry, too.
            InvalidInput: a place that is to stay is no certain one of this document; the check is an entry.
            ApprovalNeeded: nobody else has approved that these places stay, or that approval is over or used.
        """
        self._kernel.admit(caller, CHECKERS, _RULE)
        with turn():
            # Counted before it is opened: what cannot be read is a try like any other.
            stopped = self._count(caller, ask)
            if stopped is not None:
                return self._refused(stopped)
            images = remembered(self._matching.images)
            document = open_sent(self._kernel, caller, Sent(ask.upload, *_SENT, _asked(ask), images))
            nonce = random_bytes(_NONCE_BYTES)
            digest = sha256(nonce + ask.upload.content).hexdigest()
            compared = self._matching.matcher.match(caller, document.text, detail=f"{_RULE} {digest}", use=_CHECKING)
            matching = self._matching.brake.held_back(caller, compared).matching
            found = places_of(self._kernel, ask.upload.content, document, matching)
            outcome = self._outcome(ask, document, _Seen(matching, found, images, f"{ask.upload.form} {digest}", nonce))
            pending, is_told = self._note(caller, ask, outcome)
            if not is_told:
                return self._refused(pending)
            if outcome.is_astray:
                self._kernel.mint_one(pending)
                raise InvalidInput([FieldProblem("/waive/places", "unknown_place")])
            places = tuple(_place(one, outcome.kept) for one in found)
            receipt = view_of(self._kernel.mint_one(pending))
            return ReleaseChecked(ask.upload.form, places, document.unread, outcome.copy, receipt)

    def _outcome(self, ask: ReleaseAsk, document: Document, seen: _Seen) -> _Outcome:
        """Make the copy. Where none can be made, nothing stays in it, and no approval is used up."""
        if ask.waive is not None and unknown_places(ask.waive, seen.found):
            return _Outcome(seen, None, is_astray=True)
        kept = kept_spans(ask.waive, seen.found)
        spans = [one.span for one in seen.found if one.is_certain]
        copy = redact(document, ask.upload.form, spans, seen.images, kept) if spans else None
        if ask.waive is None or copy is None or copy.problem:
            return _Outcome(seen, copy)
        asked = Asked(ask.upload.content, ask.purpose.value, ask.case, seen.nonce)
        return _Outcome(seen, copy, act_of(ask.waive, asked, seen.found), ask.waive.places)

    def _refused(self, pending: PendingReceipt) -> ReleaseChecked:
        return ReleaseChecked("", (), (), None, view_of(self._kernel.mint_one(pending)))

    @rerun_once
    def _count(self, caller: Caller, ask: ReleaseAsk) -> PendingReceipt | None:
        """Count a document; gives the entry of the refusal when the account has asked too much."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & CHECKERS:
                self._kernel.deny(work, principal, _RULE)
            rule = self._stopped_by(work, counted(principal), sha256(ask.upload.content).hexdigest())
            if rule is None:
                work.commit()
                return None
            values = said_by(principal) | _asked(ask) | self._denied(rule)
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.RELEASE_CHECK, values)])
            work.commit()
        return pending

    def _stopped_by(self, work: Work, who: Counted, document: str) -> str | None:
        now_ms = self._kernel.now_ms()
        day = day_of(now_ms)
        if BrakeOfOne(self._kernel, work, who, now_ms).is_braked:
            return _ENUMERATION
        if not self._limits.checks_per_day:
            return None
        label = label_of(self._kernel, "release-checks", who.person, str(day))
        seen = TagSet(work.brakes.hold([label], day)[label])
        tag = tag_of(self._kernel, label, document)
        if tag in seen:
            return None
        if len(seen) >= self._limits.checks_per_day:
            return _QUOTA
        seen.add(tag, day)
        store_sets(work, (seen,), day)
        return None

    @rerun_once
    def _note(self, caller: Caller, ask: ReleaseAsk, outcome: _Outcome) -> tuple[PendingReceipt, bool]:
        """Write the check's entry; the other value says whether the caller is told what was found."""
        subjects = sorted({finding.subject for finding in outcome.seen.matching.findings})
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            work.subjects.lock(subjects)
            # This very document may have been one try too many.
            is_braked = BrakeOfOne(self._kernel, work, counted(principal), self._kernel.now_ms()).is_braked
            # Before the approval: who is told nothing has nothing approved.
            if outcome.act is not None and not is_braked:
                demand_approved(self._kernel, work, principal, outcome.act)
            told = self._denied(_ENUMERATION) if is_braked else outcome.values(self._kernel.policy.rules(_RULE))
            values = said_by(principal) | _asked(ask) | told
            draft = EntryDraft(Kind.RELEASE_CHECK, values, () if is_braked else tuple(subjects))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return pending, not is_braked

    def _denied(self, rule: str) -> dict[str, str]:
        return {"result": f"denied {QUOTA_EXCEEDED}", "rules": self._kernel.policy.rules(rule)}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found in a document, and how its entry names it."""

    matching: Matching
    found: Sequence[Found]
    images: ImageReader | None
    document: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of it. ``act``: that these places stay; ``is_astray``: one of them is none of this document."""

    seen: _Seen
    copy: RedactedCopy | None
    act: Act | None = None
    kept: frozenset[str] = frozenset()
    is_astray: bool = False

    def values(self, rules: str) -> dict[str, str]:
        """Return what the entry says of it: digests show later which document it was, and which copy went out."""
        nonce = self.seen.nonce
        copy = "" if self.copy is None else self.copy.problem or sha256(nonce + self.copy.content).hexdigest()
        findings, possible = len(self.seen.matching.findings), len(self.seen.matching.possible)
        waived = f" waived {len(self.kept)}" if self.kept else ""
        return {
            "request": self.seen.document,
            "result": "refused unknown_place" if self.is_astray else f"findings {findings} possible {possible}{waived}",
            "rules": rules,
            "detail": f"document nonce {nonce.hex()} copy {copy or 'none'}",
        }


def _asked(ask: ReleaseAsk) -> dict[str, str]:
    return {"purpose": ask.purpose.value, "case": ask.case, "note": ask.note}


def _place(found: Found, kept: frozenset[str]) -> ReleasePlace:
    finding, is_waived = found.finding, found.id in kept
    said = (finding.confidence, finding.reason, found.at)
    return ReleasePlace(found.id, finding.category, finding.kind, found.is_certain, is_waived, *said)
