"""Who asked for this value? For investigators: searches and checks of one value, those that found nothing included.

Entries of searches and checks commit to a keyed tag of what was asked, never to the value. So whoever knows a value can
find its entries, and nobody else can. Asking counts and is braked like a check of that value: it tells as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.policy.decide import QUOTA_EXCEEDED
from registry.services.brakes import counted
from registry.services.check_value import CheckValue, check_tag
from registry.services.entry_filter import newest_first
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once
from registry.services.search import Search, search_tag
from registry.transparency.leaf import Leaf

ASKERS = frozenset({Role.INVESTIGATOR})
MOST_SHOWN = 200
_ASKING = frozenset({Kind.SEARCH, Kind.CHECK})


@dataclass(frozen=True, slots=True)
class ValueAsk:
    """One question: a whole value, and for which case.

    Attributes:
        category, value: as it would be enrolled.
        case: reference of the case that it is for.
        note: why.
        before: only entries with a smaller index; None for the newest.
    """

    category: Category
    value: Mapping[str, str] = field(repr=False)
    case: str = field(repr=False)
    note: str = field(default="", repr=False)
    before: int | None = None


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Entries that asked for the value, newest first; None when the caller has asked too much and is told nothing.

    ``before`` is where the next page starts; None for no more.
    """

    entries: tuple[ReadEntry, ...] | None
    before: int | None
    receipt: ReceiptView


class ValueSearches:
    """Finds who asked for a value."""

    def __init__(self, kernel: Kernel, audit: ReadAudit, checks: CheckValue) -> None:
        self._kernel = kernel
        self._audit = audit
        self._checks = checks

    @rerun_once
    def find(self, caller: Caller, ask: ValueAsk) -> AskedFor:
        """Return a page of entries that searched for a value or checked it.

        Args:
            caller: an investigator.
            ask: for what. A page looks at a bounded number of entries: it may be short, and the next one goes on.

        Raises:
            AccessDenied: the caller is none; the refusal is an entry.
        """
        search = Search(self._kernel, self._checks).by_value(ask.category, ask.value)
        tags = frozenset(
            {
                f"{search.kind} {search_tag(self._kernel, search)}",
                f"{ask.category.value} {check_tag(self._kernel, ask.category, ask.value)}",
            }
        )
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ASKERS:
                self._kernel.deny(work, principal, "audit by value")
            rule = self._checks.stopped_by(work, counted(principal), ask.category, ask.value)
            values = said_by(principal) | {
                "purpose": "investigation",
                "case": ask.case,
                "note": ask.note,
                "request": f"before {'-' if ask.before is None else ask.before} {' '.join(sorted(tags))}",
                "result": f"denied {QUOTA_EXCEEDED}" if rule else "read",
                "rules": self._kernel.policy.rules(rule or "role.investigator"),
                "detail": "audit by value",
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, values)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if rule:
            return AskedFor(None, None, view_of(receipt))
        with self._kernel.database.reader() as reader:
            # Not the question itself, which asks for the value, too.
            below = receipt.index if ask.before is None else min(ask.before, receipt.index)
            looked = newest_first(reader, _Asking(tags), (0, below), MOST_SHOWN, (self._audit.read, None))
        return AskedFor(looked.entries, looked.before or None, view_of(receipt))


@dataclass(frozen=True, slots=True)
class _Asking:
    """Searches and checks of a value, told by the tags that they commit to."""

    tags: frozenset[str]

    def takes_leaf(self, leaf: Leaf) -> bool:
        return leaf.kind in _ASKING

    def takes(self, entry: ReadEntry) -> bool:
        return (entry.values or {}).get("request") in self.tags
