"""What an expert outside computes a report's figures on marks anew from: the files that an evidence bundle takes.

The reading, the weights and the rates go in as the very bytes whose hashes entries fixed. What was drawn is opened only
for copies of accounts that the report calls more than a lead: whoever holds an opened draw can write like that copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.audit.kinds import RELEASES
from registry.audit.ports import EntryRow
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId
from registry.leaktrace.marked_copies import LabelledEvidence
from registry.leaktrace.report_shapes import TierLabel, TraceReport
from registry.marks.slots import TABLE_VERSION
from registry.policy.decide import Form
from registry.services.copies import nonce_of
from registry.services.kernel import MARK_EPOCH, Kernel
from registry.services.reading import canonical
from registry.transparency.fields import RECORD_PREFIX, RecordLine
from registry.transparency.leaf import parse_leaf

_OPENED_TIERS = frozenset({TierLabel.STRONG, TierLabel.ATTRIBUTED})


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """What a trace was judged by, as fixed in the ledger.

    Attributes:
        entry: index of the entry that fixed weights and rates.
        reading, weights, model: the documents that entries fixed, as their hashes were taken.
    """

    entry: int
    reading: str = field(repr=False)
    weights: str = field(repr=False)
    model: str = field(repr=False)


def marks_of(kernel: Kernel, report: TraceReport, judged: JudgedBy) -> Mapping[str, bytes]:
    """Return a bundle's files about marks; none where the report says nothing of marks."""
    if report.marks is None:
        return {}
    copies = _copies_by_label(report, json.loads(judged.weights)["accounts"])
    opened = [one for one in report.marks.copies if one.evidence.tier in _OPENED_TIERS]
    records = {value["records"][0] for value in json.loads(judged.reading)["values"]}
    with kernel.database.reader() as reader:
        rows = reader.entries(sorted({entry for one in opened for entry in copies[one.label]}))
    openings = [opening for row in rows for opening in _opening(kernel, row, records)]
    claims = {
        "reading_entry": report.marks.entry,
        "weights_entry": judged.entry,
        "seed": report.marks.seed,
        "accounts": [_claim(one, copies[one.label]) for one in report.marks.copies],
    }
    return {
        "marks/reading.json": judged.reading.encode(),
        "marks/weights.json": judged.weights.encode(),
        "marks/model.json": judged.model.encode(),
        "marks/openings.json": canonical({"copies": openings, "keys": []}),
        "marks/claims.json": canonical(claims),
    }


def _copies_by_label(report: TraceReport, accounts: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    of_entry = {entry: list(one["copies"]) for one in accounts for entry in one["copies"]}
    return {one.label: of_entry[one.copies[0].entry] for one in report.accounts if one.copies[0].entry in of_entry}


def _opening(kernel: Kernel, row: EntryRow, records: set[str]) -> Iterator[dict[str, Any]]:
    """Open what was drawn for one copy, of the records that were read."""
    said = kernel.log.opening(row)
    if said is None or parse_leaf(row.leaf).kind not in RELEASES or said.values["form"] != Form.MARKED:
        return
    account = PrincipalId(said.values["principal"].split(" ", 1)[0])
    lines = [RecordLine.parse(value.encode()) for name, value in said.values.items() if name.startswith(RECORD_PREFIX)]
    yield {
        "entry": row.index,
        "nonce": nonce_of(said.values).hex(),
        "records": [
            {
                "record": line.record,
                "table": TABLE_VERSION,
                "epoch": MARK_EPOCH,
                "vector": _vector(kernel, line, account).hex(),
            }
            for line in lines
            if line.record in records
        ],
    }


def _vector(kernel: Kernel, line: RecordLine, account: PrincipalId) -> bytes:
    marks = kernel.marks.of_record(RecordId(line.record), line.version)
    return marks.vector(account, Category(line.category))


def _claim(one: LabelledEvidence, copies: Sequence[int]) -> dict[str, Any]:
    told = one.evidence
    return {
        "label": one.label,
        "copies": sorted(copies),
        "tier": told.tier,
        **{name: getattr(told, name) for name in ("e", "p", "weight", "bound", "draws", "slots", "agreeing")},
    }
