"""Tracing a leaked text: which protected values are in it, which served copies held them, what stays open."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.ports import EntryStore
from registry.audit.receipt import PendingReceipt, Receipt
from registry.crypto.random import random_bytes
from registry.domain.approvals import Action
from registry.domain.case_states import ReplyBy, state_after
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import Conflict, InvalidInput, NotFound
from registry.domain.ids import PrincipalId, RecordId, SubjectId, TraceId, new_id
from registry.domain.principals import Principal
from registry.leaktrace import wording
from registry.leaktrace.copies import OWN_VIEW
from registry.leaktrace.dossier import Finding
from registry.leaktrace.evidence_items import FirstSeen
from registry.leaktrace.naming import labels_of
from registry.leaktrace.receipt_codes import CodeSeen, codes_in, compare_codes
from registry.leaktrace.report_model import FoundValue, build_report
from registry.leaktrace.report_shapes import LedgerCheck, TraceEvidence, TraceReport
from registry.services.attribute import attribute
from registry.services.case_parts import (
    Added,
    CaseFile,
    CasePart,
    Onward,
    part_lines,
    replies_of,
    sightings_of,
)
from registry.services.copies import Histories
from registry.services.dual_control import Act, use_approval
from registry.services.evidence import Beside, Evidence, Snapshot
from registry.services.evidence_items import evidence_items, timely_copies
from registry.services.kept_trace import kept, stored_in
from registry.services.kernel import Caller, Kernel, view_of
from registry.services.mark_secrets import Draws
from registry.services.match import INVESTIGATORS
from registry.services.naming import NameAsk, Named, Naming
from registry.services.open_draws import OpenDraws, OpenedKeys, Read
from registry.services.ports import Work
from registry.services.ports_cases import CasePartRow, TraceRow
from registry.services.proving import JudgedBy, prove
from registry.services.reading import WrittenValue, hash_of_writing
from registry.services.rerun import rerun_once
from registry.services.trace_intake import NONCE_BYTES, Asked, TraceIntake, opening_of
from registry.services.trace_shapes import (
    MAX_UNCERTAINTY_SECONDS,
    Listed,
    Matchers,
    Revealed,
    StoredTrace,
    TraceAsk,
    Traced,
)
from registry.services.weighing import Fixed, Weighed, weigh
from registry.transparency.fields import RecordLine
from registry.transparency.leaf import COMMITMENT_BYTES
from registry.vault.cases import CATEGORY, REPORT, TEXT, CaseVault, SealedCase

__all__ = [
    "MAX_UNCERTAINTY_SECONDS",
    "Listed",
    "Matchers",
    "Revealed",
    "StoredTrace",
    "Trace",
    "TraceAsk",
    "Traced",
    "case_line",
]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the ledger says of found values, before any draw is compared."""

    evidence: TraceEvidence
    weighed: Weighed | None
    snapshot: Snapshot
    chains: frozenset[int]


_T = TypeVar("_T")


class Trace:
    """Runs traces and gives them back to who ran them."""

    def __init__(self, kernel: Kernel, cases: CaseVault, matching: Matchers, histories: Histories) -> None:
        self._kernel = kernel
        self._cases = cases
        self._matching = matching
        self._histories = histories
        self._draws = OpenDraws(kernel, histories)
        self._naming = Naming(kernel)
        self.file = CaseFile(kernel, cases)
        self.intake = TraceIntake(kernel, matching)

    def trace(self, caller: Caller, ask: TraceAsk) -> Traced:
        """Trace one text, or several as one case.

        Raises:
            AccessDenied: the caller is no investigator; the refusal is an entry.
            ApprovalNeeded: cases are under dual control, and nobody has approved this one; nothing was compared.
            Busy: too many documents are being read.
            UploadRefused: the document cannot be read; that is an entry, too.
        """
        # Before the approval is used up: a document that cannot be read uses none.
        nonce = random_bytes(NONCE_BYTES)
        items = self.intake.items(caller, ask, nonce)
        use_approval(self._kernel, caller, INVESTIGATORS, opening_of(items))
        trace = TraceId(new_id())
        told = evidence_items(items, nonce) if ask.items else ()
        return self.judge(caller, self.intake.asked(caller, trace, items, (told, nonce)))

    def judge(self, caller: Caller, asked: Asked) -> Traced:
        """Judge what was matched, and keep it."""
        stored = self._judged(caller, asked)
        pending, _ = self._store(caller, asked.text, stored, lambda _work, _who: None)
        return self._traced(stored, pending)

    def judge_onward(self, caller: Caller, asked: Asked, onward: Onward) -> tuple[Traced, Added]:
        """Judge what was matched, and keep it; the case that it goes on with says so in the same transaction.

        Raises:
            Conflict, NotFound: the case takes nothing more; nothing is kept, and the refusal is an entry.
        """
        stored = self._judged(caller, asked)
        pending, added = self._store(caller, asked.text, stored, lambda work, who: self.file.go_on(work, who, onward))
        return self._traced(stored, pending), self.file.mint(added)

    def _traced(self, stored: StoredTrace, pending: PendingReceipt) -> Traced:
        return Traced(stored.report.question.trace, stored, view_of(self._kernel.mint_one(pending)))

    def _judged(self, caller: Caller, asked: Asked) -> StoredTrace:
        question, matched = asked.question, asked.matched
        trace = question.trace
        # Fixed in the ledger before anything that was served is looked at.
        fixed = self._fix(caller, trace, matched.written(matched.matching.findings), codes_in(asked.text))
        found = self._found(asked, fixed)
        evidence, judged = self._judge(caller, trace, found)
        entries = {*asked.entries, *matched.entries, fixed.entry, *found.chains}
        last = fixed.entry if judged is None else judged.entry
        return StoredTrace(
            report=build_report(question, replace(evidence, coverage=asked.coverage)),
            possible=_found(matched.matching.possible, matched.versions),
            snapshot=replace(found.snapshot, size=max(found.snapshot.size, last + 1)),
            entries=tuple(sorted(entries if judged is None else {*entries, judged.entry})),
            nonce=asked.nonce.hex(),
            judged=judged,
        )

    def get(self, caller: Caller, trace: TraceId) -> StoredTrace:
        """Return a trace to the investigator who ran it; reading it is an entry.

        Raises:
            AccessDenied: the caller is no investigator.
            NotFound: unknown, or somebody else's.
        """
        case, rows, receipt = self.entry(caller, trace, "report", (REPORT,))
        return self._stored(case, receipt, self.file.opened(case, rows, receipt))

    def open_kept(self, caller: Caller, trace: TraceId) -> tuple[StoredTrace, Revealed]:
        """Return a trace with its text, to add an item to it. Raises as ``get``."""
        case, rows, receipt = self.entry(caller, trace, "add item", (TEXT, REPORT))
        parts = self.file.opened(case, rows, receipt)
        return self._stored(case, receipt, parts), Revealed(self._cases.open_text(case, receipt), parts)

    def _stored(self, case: SealedCase, receipt: Receipt, parts: Sequence[CasePart]) -> StoredTrace:
        stored = stored_in(self._cases.open_report(case, receipt))
        told = replace(stored.report, replies=replies_of(parts), sightings=sightings_of(parts))
        return replace(stored, report=told)

    def reply(self, caller: Caller, trace: TraceId, who: tuple[ReplyBy, str], text: str) -> Added:
        """Record what somebody says of the report; reading it, to know its labels, is an entry.

        Args:
            caller: the investigator who ran it.
            trace: which.
            who: who replies, and the label of their account; "" unless it is an account's holder.
            text: in their words.

        Raises:
            As ``get`` and ``CaseFile.reply``.
            InvalidInput: ``not_in_report``: the report has no account of that label.
        """
        by, label = who
        if label and label not in labels_of(self.get(caller, trace).report):
            raise InvalidInput([FieldProblem("/account", "not_in_report")])
        return self.file.reply(caller, trace, label, text, by)

    def reveal(self, caller: Caller, trace: TraceId) -> Revealed:
        """Return the pasted text of a trace and everything that was added to its case; an entry of its own.

        Raises:
            AccessDenied: the caller is no investigator.
            NotFound: unknown, or somebody else's.
        """
        case, parts, receipt = self.entry(caller, trace, "reveal text", (TEXT,))
        return Revealed(self._cases.open_text(case, receipt), self.file.opened(case, parts, receipt))

    def listing(self, caller: Caller) -> Sequence[Listed]:
        """Return the caller's newest traces, and how their cases stand."""
        principal = self._kernel.note_read(caller, INVESTIGATORS, "list traces")
        with self._kernel.database.read() as work:
            rows = work.traces.of_principal(principal.id, 100)
            parts = work.traces.parts_of([row.id for row in rows])
        kinds: dict[TraceId, list[str]] = {row.id: [] for row in rows}
        for part in parts:
            kinds[part.trace].append(part.kind)
        return [Listed(row.id, row.created_at, state_after(kinds[row.id])) for row in rows]

    def evidence(
        self, caller: Caller, trace: TraceId, evidence: Evidence, render: Callable[[TraceReport], Mapping[str, bytes]]
    ) -> bytes:
        """Cut the evidence bundle of a trace.

        Args:
            caller: the investigator who ran it.
            trace: which.
            evidence: cuts bundles.
            render: gives the reports to put beside the proofs, named ``report.*``.

        Raises:
            AccessDenied: the caller is no investigator.
            NotFound: unknown, or somebody else's.
            ApprovalNeeded: bundles are under dual control, and nobody has approved this one.
        """
        stored = self.get(caller, trace)
        use_approval(self._kernel, caller, INVESTIGATORS, Act(Action.EVIDENCE, (trace,), f"evidence of trace {trace}"))
        extras = render(stored.report)
        if stored.judged is None:
            return evidence.cut(stored.snapshot, stored.entries, Beside(extras))
        read = _read_by(trace, stored.judged)
        known = self._draws.known(read.subjects)
        proof = prove(self._kernel, stored.report, stored.judged, known)
        own = {one.entry for one in known if one.trace == trace}
        if proof.copies and not own:
            # Before the bundle leaves: who holds it can write like these copies.
            own = {self._draws.copies(caller, replace(read, versions=proof.versions), proof.copies)}
        entries = {*stored.entries, *own}
        snapshot = replace(stored.snapshot, size=max(stored.snapshot.size, max(entries) + 1))
        return evidence.cut(snapshot, sorted(entries), Beside(extras, proof.files))

    def open_draws(self, caller: Caller, trace: TraceId, reason: str) -> OpenedKeys:
        """Open what was drawn for all copies of the values that a trace read, for a defence; its bundle has it then.

        Raises:
            AccessDenied: the caller is no investigator.
            NotFound: unknown, or somebody else's.
            Conflict: ``nothing_drawn`` where no marked copies were judged; ``exists`` when it was done.
            ApprovalNeeded: this is under dual control, and nobody has approved it.
        """
        stored = self.get(caller, trace)
        if stored.judged is None:
            raise Conflict("nothing_drawn")
        return self._draws.keys(caller, _read_by(trace, stored.judged), reason)

    def name(self, caller: Caller, trace: TraceId, ask: NameAsk) -> Named:
        """Name the account behind a label of the caller's own report, by two people; who has it is told.

        Raises:
            As ``get`` and ``Naming.name``.
        """
        return self._naming.name(caller, self.get(caller, trace).report, ask)

    @rerun_once
    def entry(
        self, caller: Caller, trace: TraceId, what: str, opened: Sequence[int]
    ) -> tuple[SealedCase, Sequence[CasePartRow], Receipt]:
        """Write the entry that opens text or report, with everything that was added. Raises as ``get``."""
        self._kernel.admit(caller, INVESTIGATORS, what)
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row = work.traces.get(trace)
            is_own = row is not None and row.principal == principal.id
            values = said_by(principal) | {
                "request": trace if is_own else "",
                "result": "read" if is_own else "not_found",
                "detail": what,
            }
            # All of them, for the report too: only what is sealed in a part says whether it is a reply.
            added = work.traces.parts_of([trace])
            lines: tuple[RecordLine, ...] = ()
            if row is not None and is_own:
                lines = (*(case_line(row.case, part) for part in opened), *part_lines(added))
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, values, (), lines)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if row is None or not is_own:
            raise NotFound
        return row.case, added, receipt

    def _fix(self, caller: Caller, trace: TraceId, written: Sequence[WrittenValue], codes: Sequence[CodeSeen]) -> Fixed:
        """Write the entry that fixes a reading."""
        digest = hash_of_writing(written, [one.code for one in codes])
        told = f"values {len(written)}" + (f" codes {len(codes)}" if codes else "")
        return Fixed(written, digest, self._state(caller, Kind.READING, trace, (digest, told)), codes)

    @rerun_once
    def _state(self, caller: Caller, kind: Kind, trace: TraceId, told: tuple[str, str]) -> int:
        """Write an entry with a result and a detail; returns its index."""
        with self._kernel.database.write() as work:
            values = said_by(self._kernel.principal(work, caller)) | {
                "request": trace,
                "result": told[0],
                "detail": told[1],
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(kind, values)])
            work.commit()
        return self._kernel.mint_one(pending).index

    def _found(self, asked: Asked, fixed: Fixed) -> _Found:
        """Gather what the ledger says of the found values, the writing of copies left out."""
        matched, latest_at = asked.matched, asked.question.latest_at
        findings = _found(matched.matching.findings, matched.versions, asked.seen)
        with self._kernel.database.reader() as reader:
            head = reader.head()
            histories = self._histories.read(reader, _by_subject(findings), below=matched.entries[0])
        check = LedgerCheck(
            origin=self._kernel.log.origin,
            size=head.size,
            root_hex=head.root.hex(),
            chain_gaps=tuple(gap for history in histories for gap in history.gaps),
            subjects_checked=len(histories),
        )
        held = {found.record for found in findings}
        copies = tuple(
            copy
            for history in histories
            for copy in history.copies
            if any(record in held for record, _, _ in copy.records)
        )
        exposures = tuple(line for history in histories for line in history.exposures)
        opened = tuple({one.entry: one for history in histories for one in history.opened}.values())
        served = timely_copies((copy for copy in copies if copy.via != OWN_VIEW), findings)
        before = [copy for copy in served if latest_at is None or copy.served_at <= latest_at]
        codes = compare_codes(fixed.codes, before, self._kernel.log.code_of)
        return _Found(
            evidence=TraceEvidence(findings, copies, exposures, check, codes=codes),
            weighed=weigh(fixed, served, latest_at, opened),
            snapshot=Snapshot(head.size, head.checkpoint),
            # The whole chain of each person goes into the bundle, so that an omitted lookup would show as a gap.
            chains=frozenset(index for history in histories for index in history.entries if index < head.size),
        )

    def _judge(self, caller: Caller, trace: TraceId, found: _Found) -> tuple[TraceEvidence, JudgedBy | None]:
        """Compare draws with the reading, after the entry that fixes by which weights and rates."""
        evidence, weighed = found.evidence, found.weighed
        if weighed is None:
            return evidence, None
        told = weighed.statement, f"accounts {len(weighed.weights)}"
        judged = JudgedBy(
            entry=self._state(caller, Kind.WEIGHTS, trace, told),
            reading=weighed.reading.decode(),
            weights=weighed.weights_document.decode(),
            model=weighed.model.decode(),
        )
        check = evidence.ledger
        budget = self._matching.spending.at(judged.entry)
        with self._kernel.database.read() as work:
            draws = Draws(self._kernel.marks, work.mark_generations.stored(), weighed.opened)
        marks = attribute(draws, weighed, uncapped=not check.chain_gaps and not budget.is_spent)
        if marks.broken:
            told_gaps = tuple(wording.broken_commitment(entry) for entry in marks.broken)
            check = replace(check, chain_gaps=(*check.chain_gaps, *told_gaps))
        return replace(evidence, ledger=check, marks=marks.evidence, budget=budget), judged

    @rerun_once
    def _store(
        self, caller: Caller, text: str, stored: StoredTrace, beside: Callable[[Work, Principal], _T]
    ) -> tuple[PendingReceipt, _T]:
        """Keep a trace, with what else is done in the same transaction."""
        question = stored.report.question
        trace = question.trace
        subjects = sorted({item.found.subject for person in stored.report.people for item in person.findings})
        sealed = kept(stored)
        fresh = self._cases.new_case(trace)
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            done = beside(work, principal)
            case = self._cases.seal(fresh, principal.id, text, sealed)
            pending = self._append(work.ledger, principal, stored, subjects)
            row = TraceRow(trace, PrincipalId(principal.id), self._kernel.now_ms(), case)
            work.traces.insert(row)
            work.commit()
        return pending, done

    def _append(
        self, store: EntryStore, principal: Principal, stored: StoredTrace, subjects: Sequence[SubjectId]
    ) -> PendingReceipt:
        question = stored.report.question
        findings = sum(len(person.findings) for person in stored.report.people)
        values = said_by(principal) | {
            "request": f"{question.trace} {question.text_sha256}",
            "result": f"findings {findings} accounts {len(stored.report.accounts)} tier {stored.report.tier.label}",
            "rules": self._kernel.policy.rules("role.investigator"),
            "detail": f"text nonce {stored.nonce}",
        }
        (pending,) = self._kernel.log.append(store, [EntryDraft(Kind.TRACE, values, tuple(subjects))])
        return pending


def _read_by(trace: TraceId, judged: JudgedBy) -> Read:
    """Return whose record versions a trace read."""
    values = json.loads(judged.reading)["values"]
    subjects = sorted({SubjectId(value["subject"]) for value in values})
    versions = {(RecordId(value["records"][0]), version) for value in values for version in value["versions"]}
    return Read(trace, tuple(subjects), tuple(sorted(versions)))


def case_line(case: SealedCase, part: int) -> RecordLine:
    """Write a part of what is kept of a trace as an entry names it."""
    covered = case.covered[part - TEXT]
    return RecordLine(covered.record, CATEGORY, covered.version, covered.ciphertext_digest, bytes(COMMITMENT_BYTES))


def _found(
    findings: Sequence[Finding],
    versions: Mapping[RecordId, tuple[int, ...]],
    seen: Mapping[tuple[SubjectId, RecordId], FirstSeen] = MappingProxyType({}),
) -> tuple[FoundValue, ...]:
    return tuple(
        FoundValue(
            employee_number=finding.employee_number,
            subject=finding.subject,
            record=finding.record,
            category=finding.category,
            kind=finding.kind,
            member=finding.member,
            confidence=finding.confidence,
            spans=finding.spans,
            reason=finding.reason,
            versions=versions.get(finding.record, ()),
            is_tail=finding.is_tail,
            seen=seen.get((finding.subject, finding.record)),
        )
        for finding in findings
    )


def _by_subject(findings: Sequence[FoundValue]) -> dict[SubjectId, dict[RecordId, tuple[int, ...]]]:
    """Return the found records of each person with the versions that were compared; people by their ids."""
    records: dict[SubjectId, dict[RecordId, tuple[int, ...]]] = {}
    for found in sorted(findings, key=lambda one: one.subject):
        own = records.setdefault(found.subject, {})
        if found.record is not None:
            own[found.record] = found.versions
    return records
