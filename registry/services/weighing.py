"""How the allowed error of a trace is shared out, and by which rates it judges: fixed before any draw is compared.

What is in here rests on who was served what and when, never on what was drawn. Its hash is an entry, so that nobody can
choose weights, rates or slots after having seen which of them point where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from registry.attribution.channel import PUBLIC_HABIT
from registry.attribution.evalue import USUAL
from registry.attribution.pairs import model_of_pairs
from registry.attribution.weights import Holding, weights
from registry.domain.ids import PrincipalId, RecordId
from registry.leaktrace.copies import ServedCopy
from registry.leaktrace.receipt_codes import CodeSeen
from registry.marks.slots import TABLE, TABLE_VERSION, is_digit, slots_of, slots_of_canary
from registry.policy.decide import Form
from registry.services.opened_draws import OpenedDraws, Version, is_void
from registry.services.reading import WrittenValue, canonical, document_of_writing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400
_SHORTEST_WINDOW = 30.0


@dataclass(frozen=True, slots=True)
class Fixed:
    """A reading and the entry that fixed it.

    Attributes:
        written: how the found values are written.
        digest: SHA-256 of its document, hexadecimal.
        entry: index of the entry.
        codes: what stands in the text in the form of receipt codes.
    """

    written: Sequence[WrittenValue]
    digest: str
    entry: int
    codes: Sequence[CodeSeen] = ()

    @property
    def document(self) -> bytes:
        """The reading as its hash was taken."""
        return document_of_writing(self.written, [one.code for one in self.codes])


class Counting:
    """Copies by the records that they showed: a dump has a hundred thousand, and each value speaks for few.

    Attributes:
        entries: of each account's copies.
    """

    def __init__(self, before: Sequence[ServedCopy], opened: Sequence[OpenedDraws]) -> None:
        showing: dict[RecordId, list[ServedCopy]] = {}
        entries: dict[PrincipalId, set[int]] = {}
        for copy in before:
            entries.setdefault(copy.account, set()).add(copy.entry)
            for record in dict.fromkeys(record for record, _, _ in copy.records):
                showing.setdefault(record, []).append(copy)
        self._showing, self._opened = showing, opened
        self.entries = {account: frozenset(those) for account, those in entries.items()}

    def of(self, value: WrittenValue) -> Sequence[ServedCopy]:
        """Return marked copies that showed all of a value, and whose draws nobody was given; oldest first."""
        return [
            copy
            for copy in self._showing.get(value.records[0], ())
            if _holds(copy, value)
            and not is_void(version_in(copy, value), copy.entry, self.entries[copy.account], self._opened)
        ]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a trace judges by.

    Attributes:
        fixed: the reading.
        before: copies of found values that were served not later than the publication, oldest first.
        weights: of each account that held something of the text, marked copies or not.
        reading, weights_document, model: the documents that entries fix.
        counted: which of those copies speak for which value.
        opened: which draws were opened before.
        statement: what the entry says that fixes the last two.
    """

    fixed: Fixed
    before: Sequence[ServedCopy]
    weights: Mapping[PrincipalId, float] = field(repr=False)
    reading: bytes = field(repr=False)
    weights_document: bytes = field(repr=False)
    model: bytes = field(repr=False)
    counted: Counting = field(repr=False)
    opened: Sequence[OpenedDraws] = ()

    def counting(self, value: WrittenValue) -> Sequence[ServedCopy]:
        """Return the copies that the writing of a value can speak for, oldest first."""
        return self.counted.of(value)

    @property
    def statement(self) -> str:
        """Return what the entry says."""
        told = {"weights": self.weights_document, "model": self.model}
        return " ".join(f"{name} {hashlib.sha256(text).hexdigest()}" for name, text in told.items())


def weigh(
    fixed: Fixed, copies: Sequence[ServedCopy], published_at: datetime | None, opened: Sequence[OpenedDraws] = ()
) -> Weighed | None:
    """Share the allowed error out over all accounts that held something of a text.

    Args:
        fixed: the reading.
        copies: every served copy of a found value.
        published_at: first publication, as told, at the latest; copies served later are left out.
        opened: which draws were opened before.

    Returns:
        None where nothing was read, or nobody was served a marked copy of it that still counts.
    """
    ordered = sorted(copies, key=lambda one: one.entry)
    before = [one for one in ordered if published_at is None or one.served_at <= published_at]
    counted = Counting(before, opened)
    if not any(map(counted.of, fixed.written)):
        return None
    shares = _shares(before, fixed.written, published_at)
    accounts = [{"copies": sorted(counted.entries[account]), "weight": share} for account, share in shares.items()]
    document = {
        "reading": fixed.digest,
        "entry": fixed.entry,
        "published_ms": None if published_at is None else (published_at - _EPOCH) // timedelta(milliseconds=1),
        "accounts": sorted(accounts, key=str),
    }
    return Weighed(
        fixed,
        before,
        shares,
        fixed.document,
        canonical(document),
        canonical(model_document(with_canaries=any(map(_has_digits, fixed.written)))),
        counted,
        opened,
    )


def version_in(copy: ServedCopy, value: WrittenValue) -> Version:
    """Return the record version of a copy that a value's draw is of."""
    record = value.records[0]
    return record, next(version for shown, version, _ in copy.records if shown == record)


def _holds(copy: ServedCopy, value: WrittenValue) -> bool:
    versions = {record: version for record, version, _ in copy.records}
    is_whole = set(value.records) <= set(versions)
    return copy.form == Form.MARKED and is_whole and versions[value.records[0]] in value.versions


def _has_digits(value: WrittenValue) -> bool:
    return any(is_digit(one.slot) for one in value.slots)


def model_document(*, with_canaries: bool = False) -> dict[str, object]:
    """Return everything that steers how much evidence a place in the writing gives.

    The digits of canaries are in it where some were read: verifiers of before there were any take the others' slots to
    be all that is drawn.
    """
    slots_in = slots_of_canary if with_canaries else slots_of
    return {
        "table": TABLE_VERSION,
        "slots": {
            category.value: [[slot.name, slot.forms, list(slot.kept), slot.has_public] for slot in slots_in(category)]
            for category in TABLE
        },
        "behaviours": list(USUAL.behaviours),
        "elsewhere": [list(one) for one in USUAL.elsewhere],
        "public_habit": PUBLIC_HABIT,
        "pairs": model_of_pairs(),
    }


def _shares(
    copies: Sequence[ServedCopy], written: Sequence[WrittenValue], published_at: datetime | None
) -> dict[PrincipalId, float]:
    wanted = {one.records[0] for one in written}
    found = sorted(wanted)
    last: dict[str, dict[str, ServedCopy]] = {}
    for copy in copies:
        for record, _, _ in copy.records:
            if record in wanted:
                last.setdefault(copy.account, {})[record] = copy
    earliest = min((copy.served_at for copy in copies), default=None)
    window = _SHORTEST_WINDOW
    if published_at is not None and earliest is not None:
        window = max(window, (published_at - earliest).total_seconds() / _DAY_SECONDS)
    holdings = {
        account: Holding(
            held=frozenset(shown),
            size=1,  # how much an account looked up in all is not counted here: overlap alone ranks by what is held
            days={record: _days(copy, published_at) for record, copy in shown.items()},
            explained={record: copy.case_given for record, copy in shown.items()},
        )
        for account, shown in last.items()
    }
    shares = weights(holdings, found, dict.fromkeys(found, 1.0), window)
    return {PrincipalId(account): share for account, share in shares.items()}


def _days(copy: ServedCopy, published_at: datetime | None) -> float | None:
    return None if published_at is None else (published_at - copy.served_at).total_seconds() / _DAY_SECONDS
