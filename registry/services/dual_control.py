"""Dual control: somebody asks, another person approves, and then exactly that is done, once.

The first try makes a request and does nothing; it is on the list of approvers as those for guarded records are. The
same thing tried again, by the same account, uses the approval up in the transaction that does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action, State
from registry.domain.errors import ApprovalNeeded
from registry.domain.ids import RequestId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.policy.decide import APPROVAL_REQUIRED
from registry.services.facts_approvals import counted_of, standing
from registry.services.kernel import Caller, Kernel
from registry.services.notices import Notice, NoticeKind, ToRole, queue
from registry.services.ports import RequestRow, Work
from registry.services.rerun import rerun_once

_TOLD = re.compile(r"act ([a-z]+)((?: [0-9a-f]{32})*) request [0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody is about to do.

    Attributes:
        action: what kind of thing.
        content: all that makes it this one and no other; it goes into a keyed tag alone.
        told: what approvers are told of it, without a protected value.
        subjects: whom it is about; their rows are held.
        persons: accounts (ids) and people (keyed tags of employee numbers, in hexadecimal) that it is about: none of
            them approves it.
        note: why, in the words of who asks.
    """

    action: Action
    content: tuple[str, ...] = field(repr=False)
    told: str = field(repr=False)
    subjects: tuple[SubjectId, ...] = ()
    persons: tuple[str, ...] = ()
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ToldAct:
    """What the entry of a request says of the act that it is for."""

    action: Action
    told: str = field(repr=False)
    persons: frozenset[str]


def demand_approved(kernel: Kernel, work: Work, principal: Principal, act: Act) -> None:
    """Use up the approval of an act, in the transaction that does it and before anything of it is written.

    Raises:
        ApprovalNeeded: nobody has approved exactly this; it is requested now, and committed.
    """
    if not kernel.rules.demands(act.action):
        return
    tag = _tag(kernel, principal.id, act)
    found = work.requests.newest_of([tag]).get(tag)
    row = None if found is None else work.requests.lock(found.id)
    if row is None or row.state not in (State.PENDING, State.APPROVED) or row.until <= kernel.now_ms():
        _ask(kernel, work, principal, (act, tag))
    elif row.state == State.PENDING:
        _wait(kernel, work, principal, (act, row))
    elif counted_of(standing(kernel, work, principal, row.id)).approvals < row.needs:
        _ask(kernel, work, principal, (act, tag))
    else:
        work.requests.settle(replace(row, state=State.USED))
        kernel.log.append(work.ledger, [used_draft(principal, act, row)])


def ask_for(kernel: Kernel, work: Work, principal: Principal, act: Act) -> NoReturn:
    """Request an act that somebody else does, at the machine; a request that waits stays the one.

    Raises:
        ApprovalNeeded: always, with the request; committed.
    """
    row = found_for(kernel, work, act)
    if row is None or row.state != State.PENDING or row.until <= kernel.now_ms():
        _ask(kernel, work, principal, (act, _tag(kernel, "", act)))
    _wait(kernel, work, principal, (act, row))


def found_for(kernel: Kernel, work: Work, act: Act) -> RequestRow | None:
    """Return the newest request of an act that is done at the machine, held; it names nobody who does it."""
    tag = _tag(kernel, "", act)
    found = work.requests.newest_of([tag]).get(tag)
    return None if found is None else work.requests.lock(found.id)


def used_draft(principal: Principal, act: Act, row: RequestRow) -> EntryDraft:
    """Draft the entry by which an approval is used up."""
    return EntryDraft(Kind.USE, said_by(principal) | _values(act, row, State.USED), act.subjects)


def is_approved(kernel: Kernel, work: Work, principal: Principal, act: Act) -> bool:
    """Tell whether an act could be done now: nothing that belongs to it need be opened before."""
    if not kernel.rules.demands(act.action):
        return True
    tag = _tag(kernel, principal.id, act)
    row = work.requests.newest_of([tag]).get(tag)
    return row is not None and row.state == State.APPROVED and row.until > kernel.now_ms()


@rerun_once
def use_approval(kernel: Kernel, caller: Caller, roles: frozenset[Role], act: Act) -> None:
    """Use up the approval of an act that takes more than one transaction, before the first of them.

    Raises:
        AccessDenied: the caller has none of the roles; an entry.
        ApprovalNeeded: as ``demand_approved``.
    """
    if not kernel.rules.demands(act.action):
        return
    with kernel.database.write() as work:
        principal = kernel.principal(work, caller)
        if not principal.roles & roles:
            kernel.deny(work, principal, act.action)
        demand_approved(kernel, work, principal, act)
        work.commit()


def told_act(values: Mapping[str, str]) -> ToldAct | None:
    """Read what the entry of a request says of an act; None when it is a lookup that waits."""
    found = _TOLD.fullmatch(values.get("detail", ""))
    if found is None:
        return None
    return ToldAct(Action(found[1]), values.get("request", ""), frozenset(found[2].split()))


def _ask(kernel: Kernel, work: Work, principal: Principal, asked: tuple[Act, bytes]) -> NoReturn:
    act, tag = asked
    now = kernel.now_ms()
    row = RequestRow(
        id=RequestId(new_id()),
        principal=principal.id,
        ask_tag=tag,
        entry=-1,
        needs=1,
        needs_other_unit=False,
        state=State.PENDING,
        created_at=now,
        until=now + kernel.rules.decide_ms,
    )
    values = said_by(principal) | _values(act, row, State.PENDING)
    draft = EntryDraft(Kind.REQUEST, values, act.subjects)
    (pending,) = kernel.log.append(work.ledger, [draft])
    work.requests.insert([replace(row, entry=pending.index)])
    queue(work, kernel, [Notice(NoticeKind.APPROVAL_WANTED, ToRole(Role.APPROVER), None, draft.event)])
    work.commit()
    raise ApprovalNeeded(row.id, row.needs, row.until, kernel.mint_one(pending).index)


def _wait(kernel: Kernel, work: Work, principal: Principal, waiting: tuple[Act, RequestRow]) -> NoReturn:
    """Refuse what is asked again while its request waits: an entry like any other refusal."""
    act, row = waiting
    values = said_by(principal) | _values(act, row, f"denied {APPROVAL_REQUIRED}")
    (pending,) = kernel.log.append(work.ledger, [EntryDraft(Kind.DENY, values, act.subjects)])
    work.commit()
    raise ApprovalNeeded(row.id, row.needs, row.until, kernel.mint_one(pending).index)


def _values(act: Act, row: RequestRow, result: str) -> dict[str, str]:
    persons = "".join(f" {person}" for person in act.persons)
    said = {"request": act.told, "result": result, "detail": f"act {act.action}{persons} request {row.id}"}
    return said | {"note": act.note} if act.note else said


def _tag(kernel: Kernel, doer: str, act: Act) -> bytes:
    """Return the tag of an act; ``doer`` is the account that does it, empty for whoever is at the machine."""
    said = (doer, act.action.value, *act.content)
    # Lengths before the texts: no content reads like another one.
    text = "".join(f"{len(one)}:{one}" for one in said)
    return kernel.index.tag("controlled-act", text.encode("utf-8", "surrogatepass"))
