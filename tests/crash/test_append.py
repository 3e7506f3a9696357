"""Every way a commit can end, then reload and verify: nothing lost that was acknowledged, no receipt for the rest."""

from __future__ import annotations

import pytest

from registry.domain.errors import AuditUnavailable, NotDurable
from tests.unit.audit.ledgers import Ledger, disclosed, line


@pytest.mark.parametrize("persisted", [False, True], ids=["failed", "failed-but-kept"])
def test_an_unknown_outcome_is_a_failure_and_the_ledger_goes_on(*, persisted: bool) -> None:
    ledger = Ledger()
    subject = ledger.subject()
    ledger.append(disclosed(subject, line()))
    ledger.store.fail_next(persisted=persisted)
    with pytest.raises(AuditUnavailable):
        ledger.append(disclosed(subject, line()))
    (receipt,) = ledger.receipts(disclosed(subject, line()))
    assert receipt.index == (2 if persisted else 1)
    assert ledger.verify().size == receipt.size


def test_a_retry_of_the_same_event_cannot_stand_twice() -> None:
    ledger = Ledger()
    draft = disclosed(ledger.subject(), line())
    ledger.store.fail_next(persisted=True)
    with pytest.raises(AuditUnavailable):
        ledger.append(draft)
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        ledger.append(draft)


def test_no_receipt_survives_a_lost_commit() -> None:
    ledger = Ledger()
    pendings = ledger.log.append(ledger.store, [disclosed(ledger.subject(), line())])
    ledger.store.fail_next(persisted=False)
    with pytest.raises(AuditUnavailable):
        ledger.store.commit()
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, pendings)
