"""Is this value protected? One bit, by the blind index alone: nothing opened, nobody named, and a miss is an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.leaktrace.terms import PersonNames, TermKind, record_terms, search_terms
from registry.policy.decide import QUOTA_EXCEEDED
from registry.services.brakes import BrakeLimits, Counted, TagSet, counted, day_of, label_of, store_sets, tag_of
from registry.services.enumeration import BrakeOfOne
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, NoticeKind, ToRole, queue
from registry.services.ports import ACTIVE, Work
from registry.services.rerun import rerun_once
from registry.services.values import index_terms
from registry.vault.blind_index import Posting

CHECKERS = frozenset({Role.RECORDS_OFFICER, Role.INVESTIGATOR})
# Categories whose whole value is found by one term.
CHECKABLE = frozenset(
    {Category.HOME_ADDRESS, Category.PHONE, Category.SSN, Category.PAYMENT_CARD, Category.EMAIL, Category.VEHICLE_PLATE}
)
_PLACES = frozenset({TermKind.NUMBER_ZIP, TermKind.NUMBER_CITY})
_CAP = 512
_CHECKS = "brakes.checks"


@dataclass(frozen=True, slots=True)
class Checked:
    """The one bit; None when the caller has asked too much and is told nothing."""

    is_protected: bool | None
    receipt: ReceiptView


def check_tag(kernel: Kernel, category: Category, value: Mapping[str, str]) -> str:
    """Return the keyed tag that the entry of a check commits to in place of the value."""
    return kernel.index.tag("search-term", f"check {_asked(category, value)}".encode()).hex()


def _asked(category: Category, value: Mapping[str, str]) -> str:
    return " ".join(sorted(f"{term.kind.value}:{term.text}" for term in search_terms(category, value)))


class CheckValue:
    """Answers whether a value is protected."""

    def __init__(self, kernel: Kernel, limits: BrakeLimits) -> None:
        self._kernel = kernel
        self._limits = limits

    @rerun_once
    def check(self, caller: Caller, category: Category, value: Mapping[str, str]) -> Checked:
        """Tell whether somebody's protected record has this value.

        Args:
            caller: a records officer or an investigator.
            category: one of ``CHECKABLE``.
            value: as it would be enrolled.

        Raises:
            AccessDenied: the caller is neither; the refusal is an entry.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & CHECKERS:
                self._kernel.deny(work, principal, "check")
            rule = self.stopped_by(work, counted(principal), category, value)
            is_protected = None if rule else self._is_protected(work, category, value)
            result = {None: f"denied {QUOTA_EXCEEDED}", True: "protected", False: "not protected"}[is_protected]
            values = said_by(principal) | {
                "request": f"{category.value} {check_tag(self._kernel, category, value)}",
                "result": result,
                "rules": self._kernel.policy.rules(rule or "check"),
            }
            draft = EntryDraft(Kind.CHECK, values)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            day, key = day_of(self._kernel.now_ms()), (principal.id, "check")
            limits = self._kernel.outlets.limits
            is_news = rule == _CHECKS and not limits.is_told(day, key)
            if is_news:
                told = Notice(NoticeKind.QUOTA, ToRole(Role.SECURITY_ADMIN), None, draft.event)
                queue(work, self._kernel, [told])
            work.commit()
        if is_news:
            limits.note(day, [key])
        return Checked(is_protected, view_of(self._kernel.mint_one(pending)))

    def stopped_by(self, work: Work, who: Counted, category: Category, value: Mapping[str, str]) -> str | None:
        """Count a value, and return the rule that stops the caller. Hit or miss, the answer is the same then."""
        asked = f"{category.value} {_asked(category, value)}"
        now_ms = self._kernel.now_ms()
        day = day_of(now_ms)
        if BrakeOfOne(self._kernel, work, who, now_ms).is_braked:
            return "brakes.enumeration"
        if not self._limits.checks_per_day:
            return None
        label = label_of(self._kernel, "checks", who.person, str(day))
        seen = TagSet(work.brakes.hold([label], day)[label])
        tag = tag_of(self._kernel, label, asked)
        if tag in seen:
            return None
        if len(seen) >= self._limits.checks_per_day:
            return _CHECKS
        seen.add(tag, day)
        store_sets(work, (seen,), day)
        return None

    def _is_protected(self, work: Work, category: Category, value: Mapping[str, str]) -> bool:
        strong = index_terms(search_terms(category, value))
        places = index_terms(
            term for term in record_terms(category, value, owner=PersonNames("", "")) if term.kind in _PLACES
        )
        found = self._kernel.index.look_up(work.postings, strong | places, cap=_CAP)
        hits = {posting for term in strong for posting in found.get(term, ())}
        beside = {posting for term in places for posting in found.get(term, ())}
        # The same number and street stands in many towns: where a town or ZIP is given, it is the record's.
        wanted = hits & beside if places else hits
        records = work.records.by_ids(RecordId(posting.target) for posting in wanted)
        return any(
            row.state == ACTIVE and row.tier is not Tier.NONE and Posting(row.id, row.field.version) in wanted
            for row in records.values()
        )
