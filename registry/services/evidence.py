"""Cutting an evidence bundle from the ledger: leaves, proofs and chosen openings; everything else stays committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.audit.ports import EntryReader, EntryRow
from registry.services.kernel import Kernel
from registry.transparency.bundle import BundleEntry, EvidenceBundle, FieldOpening, open_fields, write_bundle
from registry.transparency.fields import COUNTER, EVENT, FORM, PREVIOUS, PURPOSE, RECORD_PREFIX, RESULT, RULES, SUBJECT
from registry.transparency.leaf import leaf_hash
from registry.transparency.note import VerifierKey
from registry.transparency.proofs import Tree

# Who it was stays committed: a person is named by the auditor who opens the entry, not by the bundle.
OPENED = frozenset({EVENT, SUBJECT, COUNTER, PREVIOUS, PURPOSE, RESULT, RULES, FORM})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The signed checkpoint that a bundle is cut under."""

    size: int
    checkpoint: str


class Evidence:
    """Cuts bundles."""

    def __init__(self, kernel: Kernel, verifier: VerifierKey) -> None:
        self._kernel = kernel
        self._verifier = verifier

    def cut(self, reader: EntryReader, snapshot: Snapshot, indexes: Sequence[int], extra: Mapping[str, bytes]) -> bytes:
        """Return the bundle's bytes.

        Args:
            reader: committed rows.
            snapshot: checkpoint; every index is below its size.
            indexes: the entries to include.
            extra: further files, named ``report.*``.
        """
        tree = Tree([leaf_hash(row.leaf) for row in reader.scan(0, snapshot.size)])
        rows = reader.entries(sorted(set(indexes)))
        bundle = EvidenceBundle(
            key=self._verifier,
            checkpoint=snapshot.checkpoint,
            entries=tuple(self._entry(row, tree) for row in rows),
            extras=dict(extra),
        )
        return write_bundle(bundle)

    def _entry(self, row: EntryRow, tree: Tree) -> BundleEntry:
        opening = self._kernel.log.opening(row)
        fields: Mapping[str, FieldOpening] = {}
        if opening is not None:
            values = {name: value.encode() for name, value in opening.values.items()}
            shown = [name for name in values if name in OPENED or name.startswith(RECORD_PREFIX)]
            fields = open_fields(opening.seed, values, shown)
        return BundleEntry(row.index, row.leaf, tree.inclusion_proof(row.index), fields)
