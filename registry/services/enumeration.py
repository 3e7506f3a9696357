"""The brake on trying values out: who tries more than a few different ones for somebody is given no finding of them.

Counted for each person who tries, whatever account they use, and each person and category that is tried, over thirty
days. What is true of the person is not counted, however
often it is met; what was tried before and is not, once. A trace that goes over it gives no finding of that category
for that person; the account is told nothing, the ledger and the auditors are. It is asked before anything of the
trace is kept, in a transaction of its own: a count without an answer is on the safe side. Another person may lift the
brake after a review: a new round of counting begins, whose sets have other labels than those of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.random import random_bytes
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, SubjectId
from registry.domain.principals import Principal
from registry.leaktrace.dossier import Finding, Matching
from registry.services.brakes import (
    CANDIDATE_DAYS,
    TAG_BYTES,
    BrakeLimits,
    Counted,
    TagSet,
    counted,
    day_of,
    label_of,
    store_sets,
    tag_of,
)
from registry.services.kernel import Caller, Kernel
from registry.services.match import Matched
from registry.services.notices import alarm_notices, queue
from registry.services.ports import Work
from registry.services.rerun import rerun_once

_Key = tuple[SubjectId, Category]


@dataclass(frozen=True, slots=True)
class _Sets:
    """The sets that one account's trace is counted in, and the one that says whether it is braked at all."""

    tried: dict[_Key, TagSet]
    own: BrakeOfOne


class BrakeOfOne:
    """Whether somebody is braked, and the round of counting that they are in; held by the transaction.

    All accounts of one person are one. What an account was braked for before it had an employee number stays. A
    round is named by a random tag, none for the first. It is kept as long as anything counted in it.
    """

    def __init__(self, kernel: Kernel, work: Work, who: Counted, now_ms: int) -> None:
        self._work = work
        self._day = day_of(now_ms)
        labels = [label_of(kernel, "braked", one) for one in dict.fromkeys((who.person, who.account))]
        rows = work.brakes.hold(labels, self._day)
        first_day = self._day - CANDIDATE_DAYS
        self.set, *rest = [TagSet(rows[label], first_day=first_day) for label in labels]
        self._mark, *marks = [tag_of(kernel, label, "braked") for label in labels]
        self._of_account = [one for one, mark in zip(rest, marks, strict=True) if mark in one]

    @property
    def is_braked(self) -> bool:
        """Whether they have tried values out."""
        return self._mark in self.set or bool(self._of_account)

    @property
    def round(self) -> str:
        """What the labels of this round's sets have in them."""
        return "".join(tag.hex() for tag in self.set.tags() - {self._mark})

    def counted(self) -> None:
        """Note that something was counted in this round."""
        for tag in self.set.tags() - {self._mark}:
            self.set.add(tag, self._day)

    def brake(self) -> None:
        """Note that they tried values out."""
        self.set.add(self._mark, self._day)

    def lift(self) -> None:
        """Begin a new round, and store it."""
        sets = (self.set, *self._of_account)
        for one in sets:
            one.put([random_bytes(TAG_BYTES)], self._day)
        store_sets(self._work, sets, self._day)


def braked_among(kernel: Kernel, work: Work, accounts: Iterable[Counted]) -> frozenset[PrincipalId]:
    """Return which accounts are braked now; nothing is held or counted."""
    labels = [(who.account, label_of(kernel, "braked", one)) for who in accounts for one in {who.person, who.account}]
    rows = work.brakes.look([label for _, label in labels])
    first_day = day_of(kernel.now_ms()) - CANDIDATE_DAYS
    return frozenset(
        account
        for account, label in labels
        if label in rows and tag_of(kernel, label, "braked") in TagSet(rows[label], first_day=first_day)
    )


class Enumeration:
    """Holds back findings from who tries values out."""

    def __init__(self, kernel: Kernel, limits: BrakeLimits, exempt_issuer: str) -> None:
        """Take the limits.

        Args:
            kernel: the registry.
            limits: the settings.
            exempt_issuer: whose accounts are never braked: at the keyboard of a development registry, where keys and
                database are to hand, a brake would only be in the way.
        """
        self._kernel = kernel
        self._limits = limits
        self._exempt = exempt_issuer

    def held_back(self, caller: Caller, matched: Matched) -> Matched:
        """Return a match without the findings that the brake holds back; counts what it tries."""
        found = {_key(finding) for finding in (*matched.matching.findings, *matched.matching.possible)}
        if not self._limits.candidates or caller.claims.issuer == self._exempt:
            return matched
        tried = {(one.subject, one.category): one.values for one in matched.tried()}
        over = self._count(caller, tried, found) if tried or found else set()
        if not over:
            return matched
        kept = Matching(_without(matched.matching.findings, over), _without(matched.matching.possible, over))
        return replace(matched, matching=kept)

    @rerun_once
    def _count(self, caller: Caller, tried: Mapping[_Key, frozenset[str]], found: set[_Key]) -> set[_Key]:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            day = day_of(self._kernel.now_ms())
            # Subjects are held before sets, sets before the ledger's head.
            work.subjects.lock(subject for subject, _ in {*tried, *found})
            sets = self._held(work, counted(principal), {*tried, *found})
            for key, values in tried.items():
                self._add(sets.tried[key], values, day)
            over = {key for key, one in sets.tried.items() if len(one) + (key in found) > self._limits.candidates}
            if any(len(one) >= self._limits.candidates for one in sets.tried.values()):
                sets.own.brake()
            if tried or over:
                sets.own.counted()
                store_sets(work, (*sets.tried.values(), sets.own.set), day)
                if over:
                    drafts = list(_drafts(principal, sorted(over)))
                    self._kernel.log.append(work.ledger, drafts)
                    queue(work, self._kernel, alarm_notices(drafts[-1:]))
                work.commit()
        return over

    def _held(self, work: Work, who: Counted, keys: Iterable[_Key]) -> _Sets:
        now_ms = self._kernel.now_ms()
        # Before the others: it says what they are called. Nobody else holds sets of this person.
        own = BrakeOfOne(self._kernel, work, who, now_ms)
        labels = {key: label_of(self._kernel, f"tried{own.round}", who.person, *key) for key in keys}
        rows = work.brakes.hold(labels.values(), day_of(now_ms))
        first = day_of(now_ms) - CANDIDATE_DAYS
        return _Sets({key: TagSet(rows[label], first_day=first) for key, label in labels.items()}, own)

    def _add(self, tried: TagSet, values: Iterable[str], day: int) -> None:
        for value in sorted(values):
            tag = tag_of(self._kernel, tried.label, value)
            # One more than may be says enough; the set does not grow with what a flood sends.
            if tag in tried or len(tried) <= self._limits.candidates:
                tried.add(tag, day)


def _drafts(principal: Principal, over: Sequence[_Key]) -> Iterable[EntryDraft]:
    for subject, category in over:
        told = said_by(principal) | {"request": category.value, "result": "no finding"}
        yield EntryDraft(Kind.ENUMERATION, told, (subject,))
    yield EntryDraft(Kind.ALARM, said_by(principal) | {"request": "enumeration", "result": "no finding"})


def _key(finding: Finding) -> _Key:
    return finding.subject, finding.category


def _without(findings: Iterable[Finding], over: set[_Key]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if _key(finding) not in over)
