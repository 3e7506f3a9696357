"""What an expert outside computes a report's figures on marks anew from: the files that an evidence bundle takes.

The reading, the weights and the rates go in as the very bytes whose hashes entries fixed. What was drawn is opened only
for copies of accounts that the report calls more than a lead: whoever holds an opened draw can write like that copy.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.audit.kinds import RELEASES
from registry.audit.ports import EntryRow
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId
from registry.leaktrace.marked_copies import LabelledEvidence
from registry.leaktrace.report_shapes import TierLabel, TraceReport
from registry.marks.draw import FIRST_EPOCH, openings_of
from registry.marks.slots import TABLE_VERSION
from registry.policy.decide import Form
from registry.services.committed import committed_vector
from registry.services.copies import nonce_of
from registry.services.kernel import Kernel
from registry.services.mark_secrets import Draws
from registry.services.opened_draws import OpenedDraws, Version, openings_before
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


@dataclass(frozen=True, slots=True)
class Proof:
    """A bundle's files about marks.

    Attributes:
        files: by name; none where the report says nothing of marks.
        copies: entries of the copies that they open without the keys of their versions.
        versions: the record versions whose draws are opened so.
    """

    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    copies: tuple[int, ...] = ()
    versions: tuple[Version, ...] = ()


def prove(kernel: Kernel, report: TraceReport, judged: JudgedBy, opened: Sequence[OpenedDraws]) -> Proof:
    """Make a bundle's files about marks.

    Args:
        kernel: the running registry.
        report: of the trace.
        judged: what it was judged by.
        opened: everything that was opened of these people's copies until now.
    """
    if report.marks is None:
        return Proof()
    keys = [one for one in opened if one.is_of_keys and one.trace == report.question.trace]
    copies = _copies_by_label(report, json.loads(judged.weights)["accounts"])
    told = [one.label for one in report.marks.copies if keys or one.evidence.tier in _OPENED_TIERS]
    records = {value["records"][0] for value in json.loads(judged.reading)["values"]}
    with kernel.database.read() as work:
        draws = Draws(kernel.marks, work.mark_generations.stored(), opened)
    opener = _Opener(kernel, records, draws, with_accounts=bool(keys))
    with kernel.database.reader() as reader:
        rows = reader.entries(sorted({entry for label in told for entry in copies[label]}))
    openings = [opening for row in rows if (opening := opener.copy(row)) is not None]
    claims = {
        "reading_entry": report.marks.entry,
        "weights_entry": judged.entry,
        "seed": report.marks.seed,
        "accounts": [_claim(one, copies[one.label]) for one in report.marks.copies],
    }
    files = {
        "marks/reading.json": judged.reading.encode(),
        "marks/weights.json": judged.weights.encode(),
        "marks/model.json": judged.model.encode(),
        "marks/openings.json": canonical(
            {"copies": openings, "keys": [key for one in keys for key in opener.keys(one)]}
        ),
        "marks/claims.json": canonical(claims),
    }
    if keys:
        return Proof(files)
    return Proof(files, tuple(one["entry"] for one in openings), tuple(sorted(opener.versions)))


def _copies_by_label(report: TraceReport, accounts: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    of_entry = {entry: list(one["copies"]) for one in accounts for entry in one["copies"]}
    return {one.label: of_entry[one.copies[0].entry] for one in report.accounts if one.copies[0].entry in of_entry}


class _Opener:
    """Opens what was drawn for copies, of the records that were read."""

    def __init__(self, kernel: Kernel, records: Collection[str], draws: Draws, *, with_accounts: bool) -> None:
        self._kernel = kernel
        self._records = records
        self._draws = draws
        self._epochs: dict[Version, set[int]] = {}
        self._with_accounts = with_accounts
        self.versions: set[Version] = set()

    def copy(self, row: EntryRow) -> dict[str, Any] | None:
        """Open one copy; None where the entry is of none that is marked."""
        said = self._kernel.log.opening(row)
        if said is None or parse_leaf(row.leaf).kind not in RELEASES or said.values["form"] != Form.MARKED:
            return None
        account = PrincipalId(said.values["principal"].split(" ", 1)[0])
        texts = [value for name, value in said.values.items() if name.startswith(RECORD_PREFIX)]
        lines = [line for text in texts if (line := RecordLine.parse(text.encode())).record in self._records]
        told = {"account": account} if self._with_accounts else {}
        nonce = nonce_of(said.values)
        drawn = [self._drawn(line, account, row.index, nonce) for line in lines]
        return {"entry": row.index, "nonce": nonce.hex(), "records": drawn, **told}

    def keys(self, opening: OpenedDraws) -> Iterator[dict[str, Any]]:
        """Return the keys that an opening gave to a defence."""
        for record, version in sorted(opening.versions):
            openings = openings_before((record, version), opening.entry, self._draws.opened)
            drawn = self._epochs.get((record, version), set()) or {FIRST_EPOCH + openings}
            for epoch in sorted(one for one in drawn if openings_of(one - FIRST_EPOCH) == openings):
                key = self._kernel.marks.at(epoch).record_key(record, version)
                yield {"record": record, "version": version, "epoch": epoch, "key": key.hex()}

    def _drawn(self, line: RecordLine, account: PrincipalId, copy: int, nonce: bytes) -> dict[str, Any]:
        version = line.record, line.version
        self.versions.add(version)
        category, vector = Category(line.category), None
        for key in self._draws.keys(version, copy):
            of_version, epoch = key.of_record(*version), key.epoch
            vector = committed_vector(of_version, (account, category, epoch), nonce, line.variant_commitment)
            if vector is not None:
                break
        # Where none is committed to, a bundle shows that: its verifier refuses what it is given here.
        vector = of_version.vector(account, category) if vector is None else vector
        self._epochs.setdefault(version, set()).add(epoch)
        return {"record": line.record, "table": TABLE_VERSION, "epoch": epoch, "vector": vector.hex()}


def _claim(one: LabelledEvidence, copies: Sequence[int]) -> dict[str, Any]:
    told = one.evidence
    return {
        "label": one.label,
        "copies": sorted(copies),
        "tier": told.tier,
        **{name: getattr(told, name) for name in ("e", "p", "weight", "bound", "draws", "slots", "agreeing")},
    }
