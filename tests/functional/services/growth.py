"""Making a ledger long, quickly."""

from __future__ import annotations

from pathlib import Path

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import open_application
from registry.settings import load_settings
from tests.fakes.clock import TestClock
from tests.functional.services.homes import Home

AT_ONCE = 250


def grow(home: Home, size: int) -> None:
    """Append entries that say nothing until the ledger has so many."""
    kernel = home.app.kernel
    with kernel.database.reader() as reader:
        missing = size - reader.head().size
    assert missing >= 0
    if missing:
        with kernel.database.write() as work:
            kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME) for _ in range(missing)])
            work.commit()


def append_beside(folder: Path, entries: int) -> list[int]:
    """Append entries in a process of its own, batch by batch; return the index that each batch began with."""
    app = open_application(load_settings(folder, {}), TestClock())
    began: list[int] = []
    try:
        for _ in range(entries // AT_ONCE):
            with app.database.write() as work:
                pendings = app.kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME) for _ in range(AT_ONCE)])
                work.commit()
            began.append(pendings[0].index)
    finally:
        app.close()
    return began
