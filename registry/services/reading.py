"""How found values are written in a text: read from the text and the values alone, and fixed before anything else.

Nothing in here can learn what was drawn for a copy. Its result goes into the ledger as one hash, and only then are the
draws of served copies compared with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.dossier import Dossier, DossierRecord, Finding
from registry.marks.canaries import number_in, read_digits
from registry.marks.copies import SlotReading, read_area_code, read_copy, read_order
from registry.marks.slots import added_slots

# What of the text beside a found place is read: a sign before it; for an address what follows the street.
_BEFORE, _AFTER, _AFTER_ADDRESS, _AFTER_SCHOOL = 4, 2, 80, 30
# Parts of one card stand near each other; further apart their order says nothing.
_CARD_LENGTH = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\d+")
_ORDERED = frozenset({Category.HOME_ADDRESS, Category.PHONE, Category.EMAIL})


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """How one found value is written.

    Attributes:
        subject: whose.
        records: the records that a copy must have shown for this to say something about it, the first of which is
            drawn for: one, or the address and what else stands in an order with it.
        versions: those of the first record whose value this is.
        category: of the first.
        slots: the readings.
        until: the latest moment at which it may first have been seen, where the text is several items; else None.
    """

    subject: SubjectId
    records: tuple[RecordId, ...]
    versions: tuple[int, ...]
    category: Category
    slots: tuple[SlotReading, ...]
    until: datetime | None = None


def read_writing(text: str, dossiers: Sequence[Dossier], findings: Iterable[Finding]) -> tuple[WrittenValue, ...]:
    """Read how found values are written.

    Args:
        text: as pasted.
        dossiers: the opened values of the subjects.
        findings: what was found; tails of numbers are left out, since they have no writing.

    Returns:
        In the order of subject and record, whatever order the findings have.
    """
    values: dict[RecordId, list[DossierRecord]] = {}
    for dossier in dossiers:
        for record in dossier.records:
            values.setdefault(record.record, []).append(record)
    whole = sorted(
        (one for one in findings if one.spans and not one.is_tail), key=lambda one: (one.subject, one.record)
    )
    read = [value for one in whole if (value := _read(text, one, values.get(one.record, ()))) is not None]
    known = {one.records[0]: one for one in read}
    people = [[*own] for _, own in groupby(whole, key=lambda one: one.subject)]
    cards = [value for own in people for value in (_order(own, known), _area_code(text, own, values, known))]
    parted = [part for one in read for part in _parted(one)]
    return (*parted, *(one for one in cards if one is not None))


def _parted(value: WrittenValue) -> Iterable[WrittenValue]:
    """Part what was added to the slots of a category from the rest: older copies speak by the rest alone."""
    added = added_slots(value.category)
    parts = ([one for one in value.slots if (one.slot in added) is is_added] for is_added in (False, True))
    return [replace(value, slots=tuple(slots)) for slots in parts if slots]


def document_of_writing(written: Sequence[WrittenValue], codes: Sequence[str] = ()) -> bytes:
    """Return readings in their one canonical form: what an entry fixes, and what an evidence bundle shows.

    ``codes`` are what stands in the text in the form of receipt codes.
    """
    told = [
        {
            "subject": value.subject,
            "records": list(value.records),
            "versions": list(value.versions),
            "category": value.category.value,
            "slots": [
                {"slot": one.slot, "forms": one.forms, "classes": list(one.classes), "read": one.read}
                for one in value.slots
            ],
        }
        | ({} if value.until is None else {"until_ms": (value.until - _EPOCH) // timedelta(milliseconds=1)})
        for value in written
    ]
    return canonical({"values": told} | ({"codes": list(codes)} if codes else {}))


def canonical(document: Mapping[str, object]) -> bytes:
    """Return a document as the bytes that its hash is taken of."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def hash_of_writing(written: Sequence[WrittenValue], codes: Sequence[str] = ()) -> str:
    """Return the SHA-256 of readings in their canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(document_of_writing(written, codes)).hexdigest()


def _read(text: str, finding: Finding, values: Sequence[DossierRecord]) -> WrittenValue | None:
    """Read a finding at the place where most is recognised, for the versions whose value stands there."""
    passages = [_passage(text, finding.category, span) for span in finding.spans]
    places = [(one, [value for value in values if _stands(value, one)]) for one in passages]
    if not any(there for _, there in places):
        # Digits that a text recogniser misread still are the found value's: then every version may be meant.
        places = [(one, list(values)) for one in passages]
    best: tuple[SlotReading, ...] = ()
    versions: tuple[int, ...] = ()
    for passage, there in places:
        found = next((read for value in there if (read := _slots(value, passage))), ())
        if found and (not best or _seen(found) > _seen(best)):
            best, versions = found, tuple(sorted(value.version for value in there))
    return WrittenValue(finding.subject, (finding.record,), versions, finding.category, best) if best else None


def _passage(text: str, category: Category, span: tuple[int, int]) -> str:
    start, end = span
    if category is Category.HOME_ADDRESS:
        # From its first character: what stands before it is no part of it.
        return text[start : end + _AFTER_ADDRESS]
    return text[max(0, start - _BEFORE) : end + (_AFTER_SCHOOL if category is Category.SCHOOL else _AFTER)]


def _slots(record: DossierRecord, passage: str) -> tuple[SlotReading, ...]:
    """Read how a value is written in a passage; of a canary's number the last digits, too."""
    read = read_copy(record.category, record.value, passage)
    return (*read, *read_digits(record.canary, passage)) if record.canary else read


def _stands(record: DossierRecord, passage: str) -> bool:
    """Tell whether it is this version's value that stands in a passage, as far as digits tell."""
    category, value = record.category, record.value
    if record.canary:
        return bool(number_in(record.canary, passage))
    if category in {Category.PHONE, Category.SSN}:
        whole = _digits(value["number"]).removeprefix("1")
        return whole in _digits(passage)
    if category is Category.HOME_ADDRESS:
        # Where its house number begins; another place may be the city's alone, with other addresses behind it.
        number = _NUMBER.match(value.get("line") or value.get("street", ""))
        return number is None or passage.lstrip().startswith(number[0])
    return True


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _seen(slots: Sequence[SlotReading]) -> int:
    return sum(one.read is not None for one in slots)


def _order(findings: Sequence[Finding], known: Mapping[RecordId, WrittenValue]) -> WrittenValue | None:
    """Read the order of a subject's card, where each part of it is found once and near the others."""
    own = [one for one in findings if one.category in _ORDERED and one.member is None]
    first = {one.category: one for one in own}
    address = first.get(Category.HOME_ADDRESS)
    places = {category: one.spans[0][0] for category, one in first.items()}
    if (
        address is None
        or address.record not in known
        or len(first) < len(own)
        or max(places.values()) - min(places.values()) > _CARD_LENGTH
    ):
        return None
    reading = read_order(places)
    if reading is None:
        return None
    others = sorted(one.record for category, one in first.items() if category is not Category.HOME_ADDRESS)
    records = (address.record, *others)
    return WrittenValue(address.subject, records, known[address.record].versions, Category.HOME_ADDRESS, (reading,))


def _area_code(
    text: str,
    own: Sequence[Finding],
    values: Mapping[RecordId, Sequence[DossierRecord]],
    known: Mapping[RecordId, WrittenValue],
) -> WrittenValue | None:
    """Read the area code of a subject's telephone number, which is drawn with the address of the card.

    Of several numbers one speaks: they show one and the same draw, and what a draw says may be counted once.
    """
    addresses = [one for one in own if one.category is Category.HOME_ADDRESS and one.record in known]
    if len(addresses) != 1 or addresses[0].member is not None:
        return None
    address = known[addresses[0].record]
    for one in own:
        written = known.get(one.record)
        if one.category is not Category.PHONE or written is None:
            continue
        number = next(value for value in values[one.record] if value.version in written.versions)
        for span in one.spans:
            reading = read_area_code(number.value, _passage(text, one.category, span))
            if reading is not None and reading.read is not None:
                records = (address.records[0], one.record)
                return WrittenValue(address.subject, records, address.versions, Category.HOME_ADDRESS, (reading,))
    return None
