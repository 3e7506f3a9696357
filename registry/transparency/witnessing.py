"""What a witness answers (c2sp.org/tlog-witness), decided from bytes alone; storing and signing are the caller's.

The checks stand in the specification's order. Left open there and decided here: a checkpoint with extension lines or
another spelling is malformed (400) once its signature is good; a checkpoint of the cosigned size with another root is
kept as evidence whatever old size came with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint, parse_checkpoint
from registry.transparency.merkle import EMPTY_ROOT
from registry.transparency.note import OpenedNote, Verifier, open_note, split_note
from registry.transparency.proofs import verify_consistency
from registry.transparency.witness_wire import AddCheckpoint, parse_add_checkpoint

MALFORMED, FORBIDDEN, UNKNOWN, CONFLICT, INCONSISTENT, OK = 400, 403, 404, 409, 422, 200
_EMPTY = Checkpoint("", 0, EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a witness makes of a request.

    Attributes:
        status: 200 to be cosigned and stored; else the refusal's.
        checkpoint: what was submitted, when its signature verified.
        latest: what the witness had cosigned before; size 0 for nothing.
        is_evidence: the request shows that the ledger has two histories, and is worth keeping.
    """

    status: int
    checkpoint: Checkpoint | None = None
    latest: Checkpoint = _EMPTY
    is_evidence: bool = False


def origin_of(body: bytes) -> str | None:
    """Return the origin that a request is about, None for a malformed one; **nothing is verified**."""
    try:
        return _origin(parse_add_checkpoint(body).note)
    except ProofRejected:
        return None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was last cosigned of a ledger, and which of its keys had signed it: the number of the newest one."""

    checkpoint: Checkpoint
    newest: int = 0


def newest_of(keys: Sequence[Verifier], opened: OpenedNote) -> int:
    """Return the number of the newest key that signed a note; keys are in the order in which they took over."""
    signed = {(line.name, line.key_id) for line in opened.signed_by}
    return max(number for number, one in enumerate(keys) if (one.key.name, one.key.key_id) in signed)


def judge(body: bytes, logs: Mapping[str, Sequence[Verifier]], latest: Callable[[str], Seen | None]) -> Judgement:
    """Judge a request. The caller holds the origin's state from before ``latest`` until it stored what is cosigned.

    Args:
        body: as received.
        logs: the keys of each known ledger by origin, in the order in which they took over: once something was cosigned
            that a later one signed, what only an earlier one signed is forbidden.
        latest: gives what was last cosigned of an origin.
    """
    try:
        asked = parse_add_checkpoint(body)
    except ProofRejected:
        return Judgement(MALFORMED)
    origin = _origin(asked.note)
    if origin not in logs:
        return Judgement(UNKNOWN)
    try:
        opened = open_note(asked.note, logs[origin])
    except ProofRejected:
        return Judgement(FORBIDDEN)
    seen, text = latest(origin) or Seen(Checkpoint(origin, 0, EMPTY_ROOT)), opened.text
    if newest_of(logs[origin], opened) < seen.newest:
        return Judgement(FORBIDDEN)
    try:
        checkpoint = parse_checkpoint(text, origin)
    except ProofRejected:
        return Judgement(INCONSISTENT if text.split("\n")[1] == "0" and _is_empty(text) else MALFORMED)
    return _judge(asked, checkpoint, seen.checkpoint)


def _judge(asked: AddCheckpoint, checkpoint: Checkpoint, latest: Checkpoint) -> Judgement:
    if asked.old_size > checkpoint.size:
        return Judgement(MALFORMED, checkpoint, latest)
    is_split = checkpoint.size == latest.size and checkpoint.root != latest.root
    if asked.old_size != latest.size:
        return Judgement(CONFLICT, checkpoint, latest, is_split)
    try:
        verify_consistency(
            old_size=latest.size,
            new_size=checkpoint.size,
            old_root=latest.root,
            new_root=checkpoint.root,
            proof=asked.proof,
        )
    except ProofRejected:
        return Judgement(INCONSISTENT, checkpoint, latest, latest.size > 0)
    return Judgement(OK, checkpoint, latest)


def _origin(note: str) -> str:
    return split_note(note)[0].partition("\n")[0]


def _is_empty(text: str) -> bool:
    """Tell whether a text is a checkpoint of the empty tree but for its root."""
    lines = text.split("\n")
    try:
        parse_checkpoint(f"{lines[0]}\n1\n{lines[2]}\n", lines[0])
    except (ProofRejected, IndexError):
        return False
    return len(lines) == 4
