"""What must hold of a ledger after whatever happened to the processes that wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from registry.audit.kinds import Kind
from registry.audit.ports import EntryRow
from registry.bootstrap import Application, opened
from registry.cli.auditing import verify_ledger
from registry.settings import Settings
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.leaf import leaf_hash, parse_leaf
from registry.transparency.merkle import Edge
from tests.processes.clients import Clients


def check_all(settings: Settings, clients: Clients, checkpoints: Iterable[bytes] = ()) -> int:
    """Check every answer against the ledger, and the ledger itself; returns how many lookups got an entry unanswered.

    Args:
        settings: of the registry, which is not being served any more.
        clients: with what they were answered.
        checkpoints: signed checkpoints that were given out on the way: the ledger must have grown from each.
    """
    assert clients.unexpected == []
    with opened(settings) as application:
        verify_ledger(application, 1)
        with application.database.reader() as reader:
            rows = list(reader.scan(0, reader.head().size + 1))
        _check_tree(application, rows, checkpoints)
        _check_people(application, clients)
    kinds = [parse_leaf(row.leaf).kind for row in rows]
    for shown in clients.shown:
        assert (kinds[shown.index], rows[shown.index].event) == (Kind.DISCLOSE, shown.disclosure)
    assert {kinds[one.index] for one in clients.enrolled} <= {Kind.ENROLL}
    given = [one.index for one in (*clients.shown, *clients.enrolled)]
    assert len(set(given)) == len(given), "two answers have one entry"
    return Counter(kinds)[Kind.DISCLOSE] - len(clients.shown)


def _check_tree(application: Application, rows: list[EntryRow], checkpoints: Iterable[bytes]) -> None:
    assert [row.index for row in rows] == list(range(len(rows)))
    assert len({row.event for row in rows}) == len(rows)
    verifier = application.signing
    given = {
        found.size: found.root for note in checkpoints for found in [open_checkpoint(note, verifier, verifier.key.name)]
    }
    edge = Edge.empty()
    for row in rows:
        edge = edge.append(leaf_hash(row.leaf))
        if edge.size in given:
            assert given.pop(edge.size) == edge.root(), f"the ledger forked before entry {edge.size}"
    assert not given, "a checkpoint was given out over entries that are not there"


def _check_people(application: Application, clients: Clients) -> None:
    """Every enrollment that was begun is acknowledged in the end, and stands once, as the subject it was told."""
    told = {one.number: one.subject for one in clients.enrolled}
    assert set(told) == clients.tried
    assert len(clients.enrolled) == len(told)
    tags = {application.kernel.number_tag(number): number for number in told}
    with application.database.read() as work:
        found = work.subjects.by_number_tags(tags)
    assert {tags[tag]: row.id for tag, row in found.items()} == told
