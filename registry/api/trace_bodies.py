"""What follows from a trace, by two people: from a parsed JSON body to the ask, and to the answer."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from registry.api.bodies import open_body
from registry.domain.case_states import CaseState, ReplyBy, state_after
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import TraceId
from registry.services.case_parts import Added
from registry.services.later_items import LaterItem
from registry.services.naming import NameAsk, Named
from registry.services.open_draws import OpenedKeys
from registry.services.trace import Revealed
from registry.text.rules.texts import one_of, paragraphs, reason_problem

_NOTE_KEYS = frozenset({"text", "account", "by"})
_STATE_KEYS = frozenset({"state", "reason"})
_BY = one_of(frozenset(ReplyBy))
_STATE = one_of(frozenset(CaseState))
_NOTE = paragraphs(4_000)
_NAME_KEYS = frozenset({"account", "reason"})
_LABEL = re.compile(r"Account [1-9][0-9]{0,5}")


def read_name(document: object, *, today: date) -> NameAsk:
    """Read ``{"account", "reason"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _NAME_KEYS, today)
    label, reason = body.required("account", label_problem), body.required("reason", reason_problem)
    body.reading.finish()
    return NameAsk(label, reason)


def read_note(document: object, *, today: date) -> tuple[tuple[ReplyBy, str] | None, str]:
    """Read ``{"text", "by"?, "account"?}``: a note, or with one of the two a reply and who gave it.

    An account's holder replies with the account's label, and nobody else does.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _NOTE_KEYS, today)
    account, by = body.optional("account", label_problem), body.optional("by", _BY)
    text = body.required("text", note_problem)
    if by == ReplyBy.ACCOUNT_HOLDER and not body.has("account"):
        body.refuse("missing", "account")
    elif by and by != ReplyBy.ACCOUNT_HOLDER and body.has("account"):
        body.refuse("exactly_one", "account")
    body.reading.finish()
    if not by and not account:
        return None, text
    return (ReplyBy(by) if by else ReplyBy.ACCOUNT_HOLDER, account), text


def read_state(document: object, *, today: date) -> tuple[CaseState, str]:
    """Read ``{"state", "reason"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _STATE_KEYS, today)
    state, reason = body.required("state", _STATE), body.required("reason", reason_problem)
    body.reading.finish()
    return CaseState(state), reason


def note_problem(text: str) -> str | None:
    """Tell whether a text is a note, or a reply: at most 4,000 characters that can be seen."""
    return _NOTE(text)


def added_document(trace: TraceId, added: Added) -> dict[str, Any]:
    """Return what was added to a case; the receipt goes with it."""
    return {"trace": trace, "part": added.part, "state": added.state.value}


def added_item_document(trace: TraceId, later: LaterItem) -> dict[str, Any]:
    """Return what followed from an item that was added; the receipt goes with it."""
    seen = {"new_values": later.seen.fresh, "seen_again": later.seen.again, "said": later.seen.said}
    return added_document(trace, later.added) | seen | {"continued_by": later.seen.continued_by or None}


def revealed_document(revealed: Revealed) -> dict[str, Any]:
    """Return the pasted text, how the case stands, and what was added to it."""
    parts = [
        {"part": one.part, "kind": one.kind.value, "at": iso(from_unix_ms(one.at)), "account": one.account or None}
        | {"by": one.by, "text": one.text, "content": one.content or None}
        for one in revealed.parts
    ]
    return {"text": revealed.text, "state": state_after(one.kind for one in revealed.parts).value, "parts": parts}


def label_problem(text: str) -> str | None:
    """Tell whether a text is the label of an account in a report."""
    return None if _LABEL.fullmatch(text) else "unknown_value"


def named_document(trace: TraceId, named: Named) -> dict[str, Any]:
    """Return whose account a label stands for; the receipt goes with it."""
    return {
        "trace": trace,
        "account": named.label,
        "principal": named.account,
        "name": named.name,
        "reply_until": iso(from_unix_ms(named.reply_until)),
    }


def opened_document(trace: TraceId, opened: OpenedKeys) -> dict[str, Any]:
    """Return of how many record versions the keys are open; the receipt goes with it."""
    return {"trace": trace, "record_versions": opened.versions}
