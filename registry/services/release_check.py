"""The release guard: which protected values stand in a document that is about to be published, and a copy without.

Nobody is named in the answer: a records officer learns where something stands that may not go out, of which category,
and not whose it is. Every check is an entry, and counts against a limit of the day. An account that tried values out is
told nothing any more, hit or miss: no finding would be a document released with what was held back.
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
from registry.domain.ids import PrincipalId
from registry.domain.purposes import ReleasePurpose
from registry.leaktrace.dossier import Finding, Matching
from registry.policy.decide import QUOTA_EXCEEDED
from registry.services.brakes import BrakeLimits, TagSet, day_of, label_of, store_sets, tag_of
from registry.services.check_value import CHECKERS
from registry.services.enumeration import BrakeOfOne
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.match import Use
from registry.services.opening_uploads import Sent, open_sent
from registry.services.ports import Work
from registry.services.redaction import RedactedCopy, redact
from registry.services.rerun import rerun_once
from registry.services.trace import Matchers
from registry.services.uploads import Upload, turn

_RULE = "release-check"
_CHECKING = Use(CHECKERS, _RULE)
_SENT = (CHECKERS, Kind.RELEASE_CHECK, _RULE)
_ENUMERATION = "brakes.enumeration"
_QUOTA = "brakes.checks"
_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class ReleaseAsk:
    """One document to check, and what for."""

    upload: Upload
    purpose: ReleasePurpose
    case: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ReleasePlace:
    """Where a protected value stands.

    Attributes:
        category, kind: what it is.
        is_certain: it goes from the copy; what is only possible is for a person to look at, and stays.
        confidence: 0 to 1.
        reason: why, in plain words; never holds a value, nor says whose it is.
        at: where, from the outside in.
    """

    category: Category
    kind: str
    is_certain: bool
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
            copy = _copy(document, ask.upload.form, matching.findings, images)
            outcome = _Outcome(matching, copy, f"{ask.upload.form} {digest}", nonce)
            pending, is_told = self._note(caller, ask, outcome)
            if not is_told:
                return self._refused(pending)
            places = tuple(_places(document, matching))
            receipt = view_of(self._kernel.mint_one(pending))
            return ReleaseChecked(ask.upload.form, places, document.unread, copy, receipt)

    def _refused(self, pending: PendingReceipt) -> ReleaseChecked:
        return ReleaseChecked("", (), (), None, view_of(self._kernel.mint_one(pending)))

    @rerun_once
    def _count(self, caller: Caller, ask: ReleaseAsk) -> PendingReceipt | None:
        """Count a document; gives the entry of the refusal when the account has asked too much."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & CHECKERS:
                self._kernel.deny(work, principal, _RULE)
            rule = self._stopped_by(work, principal.id, sha256(ask.upload.content).hexdigest())
            if rule is None:
                work.commit()
                return None
            values = said_by(principal) | _asked(ask) | self._denied(rule)
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.RELEASE_CHECK, values)])
            work.commit()
        return pending

    def _stopped_by(self, work: Work, principal: PrincipalId, document: str) -> str | None:
        now_ms = self._kernel.now_ms()
        day = day_of(now_ms)
        if BrakeOfOne(self._kernel, work, principal, now_ms).is_braked:
            return _ENUMERATION
        if not self._limits.checks_per_day:
            return None
        label = label_of(self._kernel, "release-checks", principal, str(day))
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
        subjects = sorted({finding.subject for finding in outcome.matching.findings})
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            work.subjects.lock(subjects)
            # This very document may have been one try too many.
            is_braked = BrakeOfOne(self._kernel, work, principal.id, self._kernel.now_ms()).is_braked
            told = self._denied(_ENUMERATION) if is_braked else outcome.values(self._kernel.policy.rules(_RULE))
            values = said_by(principal) | _asked(ask) | told
            draft = EntryDraft(Kind.RELEASE_CHECK, values, () if is_braked else tuple(subjects))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return pending, not is_braked

    def _denied(self, rule: str) -> dict[str, str]:
        return {"result": f"denied {QUOTA_EXCEEDED}", "rules": self._kernel.policy.rules(rule)}


@dataclass(frozen=True, slots=True)
class _Outcome:
    matching: Matching
    copy: RedactedCopy | None
    document: str
    nonce: bytes

    def values(self, rules: str) -> dict[str, str]:
        """Return what the entry says of it: digests show later which document it was, and which copy went out."""
        copy = "" if self.copy is None else self.copy.problem or sha256(self.nonce + self.copy.content).hexdigest()
        findings, possible = len(self.matching.findings), len(self.matching.possible)
        return {
            "request": self.document,
            "result": f"findings {findings} possible {possible}",
            "rules": rules,
            "detail": f"document nonce {self.nonce.hex()} copy {copy or 'none'}",
        }


def _asked(ask: ReleaseAsk) -> dict[str, str]:
    return {"purpose": ask.purpose.value, "case": ask.case, "note": ask.note}


def _copy(
    document: Document, form: str, findings: Sequence[Finding], images: ImageReader | None
) -> RedactedCopy | None:
    spans = [span for finding in findings for span in finding.spans]
    return redact(document, form, spans, images) if spans else None


def _places(document: Document, matching: Matching) -> Sequence[ReleasePlace]:
    """Return the places of findings in the document's order, one for each time a value stands there."""
    listed = [
        (span, finding, is_certain)
        for findings, is_certain in ((matching.findings, True), (matching.possible, False))
        for finding in findings
        for span in finding.spans
    ]
    listed.sort(key=lambda one: one[0])
    at = document.places([span for span, _, _ in listed])
    return [
        ReleasePlace(finding.category, finding.kind, is_certain, finding.confidence, finding.reason, place)
        for (_, finding, is_certain), place in zip(listed, at, strict=True)
    ]
