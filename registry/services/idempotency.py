"""Idempotency keys: a repeated write answers as the first did, without storing anything personal.

Kept are a keyed tag of the key, a keyed tag of the canonical document, and ids; for seven days.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.crypto.tags import equal, keyed_tag
from registry.domain.errors import Conflict
from registry.domain.principals import Principal
from registry.services.kernel import Kernel
from registry.services.ports import IdempotencyRow, Work

# Longer than any client repeats a request of its own accord, a long weekend included.
KEPT_MS = 7 * 24 * 3600 * 1000
# Every write that remembers a key deletes a few that are over, so the table does not outgrow a week of writes.
SWEPT_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a write was asked and did: the canonical document (kept as a keyed tag only), and ids and indexes."""

    document: bytes = field(repr=False)
    outcome: Mapping[str, Any]


class Idempotency:
    """Remembers and recalls outcomes inside the write's own transaction."""

    def __init__(self, kernel: Kernel, secret: bytes) -> None:
        self._kernel = kernel
        self._secret = secret

    def recall(self, work: Work, principal: Principal, key: str | None, document: bytes) -> Mapping[str, Any] | None:
        """Return the outcome of an earlier write with this key.

        Raises:
            Conflict: ``key_reused``: the key came with another document before.
        """
        if key is None:
            return None
        row = work.idempotency.get(principal.id, self._key_tag(key))
        if row is None:
            return None
        if row.created_at < self._kept_since():
            work.idempotency.forget(row)  # the key is free again
            return None
        if not equal(row.body_tag, self._body_tag(document, row.outcome)):
            raise Conflict("key_reused")
        outcome: Mapping[str, Any] = json.loads(row.outcome)
        return outcome

    def remember(self, work: Work, principal: Principal, key: str | None, done: Remembered) -> None:
        """Store what this write did."""
        if key is None:
            return
        work.idempotency.forget_before(self._kept_since(), SWEPT_AT_ONCE)
        outcome = json.dumps(done.outcome)
        row = IdempotencyRow(
            principal=principal.id,
            key_tag=self._key_tag(key),
            body_tag=self._body_tag(done.document, outcome),
            outcome=outcome,
            created_at=self._kernel.now_ms(),
        )
        work.idempotency.put(row)

    def _kept_since(self) -> int:
        return self._kernel.now_ms() - KEPT_MS

    def _key_tag(self, key: str) -> bytes:
        return keyed_tag(self._secret, "key", key.encode())

    def _body_tag(self, document: bytes, outcome: str) -> bytes:
        # Over the outcome too: it stands in the clear, and an edited one would be answered as ours.
        return keyed_tag(self._secret, "body", len(document).to_bytes(8, "big") + document + outcome.encode())
