"""Comparing accounts, requests, emergencies, reviews and the policies in force with what the ledger says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from registry.audit.kinds import (
    OF_EMERGENCIES,
    OF_ERASURES,
    OF_HOLDS,
    OF_KEYS,
    OF_PETITIONS,
    OF_POLICIES,
    OF_PRINCIPALS,
    OF_REVIEWS,
    Kind,
)
from registry.audit.removals import ERASED, parts_of
from registry.domain.approvals import State, Verdict
from registry.domain.break_glass import Finding
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import BreakGlassId, PrincipalId, RequestId
from registry.services.check_cases import StandingCases
from registry.services.check_holds import StandingHolds
from registry.services.check_petitions import MOST_APART_MS, Letters, StandingPetitions
from registry.services.check_revocations import StandingRevocations
from registry.services.check_units import StandingUnits
from registry.services.controls import AGREED, CONTROLS, controls_said, version_of
from registry.services.ledger_key import KeyChangeSaid
from registry.services.ports import RequestRow, Work
from registry.services.ports_policy import PolicyRow
from registry.services.rotate_marks import MarksSaid
from registry.transparency.leaf import Leaf

_ROLES = re.compile(r"^([0-9a-f]{32}) roles ([a-z_ ]*)(?:; .*)?$")
_REQUEST = re.compile(r"\brequest ([0-9a-f]{32})$")
_LOOKUP = re.compile(r"^lookup ([0-9]{1,15})$")
_GLASS = re.compile(r"^(?:break glass|review) ([0-9a-f]{32})(?: of entry \d+)?$")
_VERDICTS: Mapping[str, Verdict] = {Kind.APPROVE: Verdict.APPROVE, Kind.REFUSE: Verdict.REFUSE}


@dataclass(slots=True)
class _Account:
    """What the entries say of one account: roles and state, when it was made, and which one said it last."""

    made_ms: int
    roles: str
    state: str
    entry: int


@dataclass(slots=True)
class _Asked:
    """What the entries say of one request: who asks, where and when; how it stands, and who said what to it."""

    principal: str
    asked: int
    asked_ms: int
    state: str
    entry: int
    words: dict[str, Verdict] = field(default_factory=dict)


@dataclass(slots=True)
class _Emergency:
    """What the entries say of one emergency: who opened what, where and when; what its review found, and whose word."""

    principal: str
    categories: str
    opened: int
    opened_ms: int
    entry: int
    finding: str = ""
    reviewer: str | None = None


@dataclass(slots=True)
class Standing:
    """What the entries say of all that is compared here: accounts, requests, emergencies, policies and the rest."""

    accounts: dict[PrincipalId, _Account] = field(default_factory=dict)
    requests: dict[RequestId, _Asked] = field(default_factory=dict)
    emergencies: dict[BreakGlassId, _Emergency] = field(default_factory=dict)
    policies: PolicyRow | None = None
    petitions: StandingPetitions = field(default_factory=StandingPetitions)
    revocations: StandingRevocations = field(default_factory=StandingRevocations)
    units: StandingUnits = field(default_factory=StandingUnits)
    holds: StandingHolds = field(default_factory=StandingHolds)
    cases: StandingCases = field(default_factory=StandingCases)
    keys: list[KeyChangeSaid] = field(default_factory=list)
    exchanges: list[MarksSaid] = field(default_factory=list)  # of the secret of marks
    controls: PolicyRow | None = None
    agreed: PolicyRow | None = None
    erasures: dict[int, int] = field(default_factory=dict)  # entry -> its time
    reviews: dict[int, tuple[str, str, int]] = field(default_factory=dict)  # lookup -> finding, reviewer, entry

    def take(self, index: int, leaf: Leaf, values: Mapping[str, str]) -> None:
        """Add one entry."""
        if leaf.kind in OF_PRINCIPALS:
            self._take_account(index, leaf.unix_ms, values)
            self.revocations.take(index, leaf.unix_ms, values)
        elif leaf.kind in OF_POLICIES:
            self._take_policies(index, values)
        elif leaf.kind in OF_KEYS:
            self.keys.append(KeyChangeSaid(index, values["request"], values["detail"]))
        elif leaf.kind == Kind.KEYS:
            self.exchanges.append(MarksSaid(index, values["result"]))
        elif leaf.kind in OF_PETITIONS:
            self.petitions.take(index, leaf.kind, leaf.unix_ms, values)
        elif leaf.kind in _TAKEN_BY_ITS_OWN:
            _TAKEN_BY_ITS_OWN[leaf.kind](self).take(index, leaf.unix_ms, values)
        elif leaf.kind in OF_ERASURES:
            self._take_erasure(index, leaf.unix_ms, values)
        elif leaf.kind in OF_REVIEWS:
            self._take_review(index, values)
            self._take_emergency(index, leaf, values)
        elif leaf.kind in OF_EMERGENCIES:
            self._take_emergency(index, leaf, values)
        else:
            self._take_request(index, leaf, values)

    def _settle(self, request: RequestId, state: str, index: int) -> _Asked:
        # What was asked may have been erased with whom it was about; its row is not compared then.
        asked = self.requests.setdefault(request, _Asked("", -1, 0, "", index))
        asked.state, asked.entry = state, index
        return asked

    def _take_erasure(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        if values["result"].startswith(ERASED):
            self.erasures[index] = unix_ms
            self.petitions.erase(parts_of(values).get("petitions", "").split())

    def _take_policies(self, index: int, values: Mapping[str, str]) -> None:
        if values["request"] == AGREED:
            self.agreed = PolicyRow(values["result"], index)
            return
        said = controls_said(values)
        if said:
            self.controls = PolicyRow(version_of(said), index)
        # The first entry of a registry that was made before this was noted says nothing of policies.
        if values["request"] != CONTROLS:
            self.policies = PolicyRow(values["rules"], index) if values["rules"] else None

    def _take_account(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        told = _ROLES.match(values["detail"])
        if told is None:
            return
        account = self.accounts.setdefault(PrincipalId(told[1]), _Account(unix_ms, "", "", index))
        account.roles, account.state, account.entry = told[2], values["result"], index

    def _take_request(self, index: int, leaf: Leaf, values: Mapping[str, str]) -> None:
        told = _REQUEST.search(values["detail"]) if leaf.kind == Kind.REQUEST else None
        if told is not None:
            self.requests[RequestId(told[1])] = _Asked(_who(values), index, leaf.unix_ms, values["result"], index)
        elif leaf.kind == Kind.USE:
            self._settle(_named(values), values["result"], index)
        elif leaf.kind in _VERDICTS and values["request"]:  # else the word was not taken
            asked = self._settle(RequestId(values["request"]), values["result"], index)
            asked.words[_who(values)] = _VERDICTS[leaf.kind]

    def _take_review(self, index: int, values: Mapping[str, str]) -> None:
        told = _LOOKUP.match(values["request"])
        if told is not None:
            self.reviews[int(told[1])] = (values["result"], _who(values), index)

    def _take_emergency(self, index: int, leaf: Leaf, values: Mapping[str, str]) -> None:
        told = _GLASS.match(values["detail"])
        if told is None:
            return
        identifier = BreakGlassId(told[1])
        if leaf.kind == Kind.BREAKGLASS:
            opened = _Emergency(_who(values), values["request"], index, leaf.unix_ms, index)
            self.emergencies[identifier] = opened
        elif values["result"] in set(Finding):  # else the word was not taken
            reviewed = self.emergencies.get(identifier)
            if reviewed is None:  # it was erased with whom it was about
                return
            reviewed.finding, reviewed.reviewer, reviewed.entry = values["result"], _who(values), index

    def check(self, work: Work, letters: Letters) -> None:
        """Compare every account, request, emergency, review, petition, contact and hold, and the policies in force.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        self._check_accounts(work)
        self._check_requests(work)
        self._check_reviews(work)
        self._check_emergencies(work)
        self._check_erasures(work)
        self.petitions.check(letters, work)
        self.units.check(work)
        self.holds.check(work)
        self.cases.check(work)
        if self.policies is not None and work.policies.in_force() != self.policies:
            raise LedgerCorrupt("the policies in force are not those that it says", self.policies.entry)
        if self.controls is not None and work.policies.controls() != self.controls:
            raise LedgerCorrupt("the settings of control in force are not those that it says", self.controls.entry)
        if self.agreed is not None and work.policies.agreed() != self.agreed:
            raise LedgerCorrupt("what was agreed on to come into force is not what it says", self.agreed.entry)

    def _check_accounts(self, work: Work) -> None:
        left = dict(self.accounts)
        for row in work.principals.listing():
            said = left.pop(row.id, None)
            if said is None:
                raise LedgerCorrupt("a principal stands that no entry speaks of")
            if (said.roles, said.state) != (" ".join(sorted(row.roles)), row.state):
                raise LedgerCorrupt("a principal's roles are not as they were granted", said.entry)
            if abs(said.made_ms - row.created_at) > MOST_APART_MS:
                raise LedgerCorrupt("a principal is not as old as its entries say", said.entry)
        if left:
            raise LedgerCorrupt("the principal that it speaks of is missing", min(said.entry for said in left.values()))

    def _check_requests(self, work: Work) -> None:
        words: dict[RequestId, dict[str, str]] = {}
        for decision in work.requests.decisions():
            words.setdefault(decision.request, {})[decision.approver] = decision.verdict
        left = dict(self.requests)
        for row in work.requests.listing():
            said = left.pop(row.id, None)
            if said is None or said.asked < 0:
                if not _is_erased(work, row.entry):
                    raise LedgerCorrupt("a request stands that no entry speaks of")
                continue
            _compare(said, row, words.pop(row.id, {}))
        if left:
            raise LedgerCorrupt("the request that it speaks of is missing", min(said.entry for said in left.values()))

    def _check_reviews(self, work: Work) -> None:
        left = dict(self.reviews)
        for row in work.sample_reviews.listing():
            finding, reviewer, entry = left.pop(row.entry, ("", "", None))
            if entry is None and _is_erased(work, row.entry):
                continue
            if (finding, reviewer) != (row.finding, row.reviewer):
                raise LedgerCorrupt("the review of a lookup is not as it was entered", entry)
        if left:
            raise LedgerCorrupt("the review that it speaks of is missing", min(entry for _, _, entry in left.values()))

    def _check_erasures(self, work: Work) -> None:
        rows = {row.entry: row.erased_at for row in work.erasures.listing()}
        for entry, erased_ms in rows.items():
            if entry not in self.erasures:
                raise LedgerCorrupt("an erasure stands that no entry speaks of", entry)
            if abs(self.erasures[entry] - erased_ms) > MOST_APART_MS:
                raise LedgerCorrupt("an erasure was not when its entry says", entry)
        if missing := self.erasures.keys() - rows.keys():
            raise LedgerCorrupt("the erasure that it speaks of is missing", min(missing))

    def _check_emergencies(self, work: Work) -> None:
        left = dict(self.emergencies)
        for row in work.break_glass.listing():
            said = left.pop(row.id, None)
            if said is None and _is_erased(work, row.entry):
                continue
            if said is None:
                raise LedgerCorrupt("an emergency stands that no entry speaks of")
            is_opened = (said.principal, said.opened, said.categories) == (
                row.principal,
                row.entry,
                " ".join(sorted(row.categories)),
            )
            if not is_opened or abs(said.opened_ms - row.created_at) > MOST_APART_MS:
                raise LedgerCorrupt("an emergency is not as it was opened", said.opened)
            if (said.finding, said.reviewer) != (row.finding, row.reviewer):
                raise LedgerCorrupt("an emergency does not stand as its review left it", said.entry)
        if left:
            raise LedgerCorrupt("the emergency that it speaks of is missing", min(said.entry for said in left.values()))


def _is_erased(work: Work, index: int) -> bool:
    """Tell whether what an entry says was removed: that an entry says so is checked with the ledger itself."""
    entries = work.entries.entries([index])
    return bool(entries) and entries[0].sealed is None


def _compare(said: _Asked, row: RequestRow, words: Mapping[str, str]) -> None:
    is_asked = (said.principal, said.asked) == (row.principal, row.entry)
    if not is_asked or abs(said.asked_ms - row.created_at) > MOST_APART_MS:
        raise LedgerCorrupt("a request is not as it was asked", said.asked)
    if (said.state, dict(said.words)) != (State(row.state), dict(words)):
        raise LedgerCorrupt("a request does not stand as its approvers left it", said.entry)


def _named(values: Mapping[str, str]) -> RequestId:
    return RequestId(values["detail"].rpartition(" ")[2])


def _who(values: Mapping[str, str]) -> str:
    return values["principal"].partition(" ")[0]


_TAKEN_BY_ITS_OWN: Mapping[str, Callable[[Standing], StandingUnits | StandingHolds | StandingCases]] = {
    Kind.UPDATE: lambda standing: standing.units,
    Kind.TRACE: lambda standing: standing.cases,
    **dict.fromkeys(OF_HOLDS, lambda standing: standing.holds),
}
