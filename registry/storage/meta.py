"""What the registry is: its id, origin and profile, its ledger's first head and the keys of its openings."""

from __future__ import annotations

from collections.abc import Mapping

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from registry.audit.ports import HeadRow
from registry.keys.ports import WrappedKey
from registry.storage.tables import ledger_head, ledger_keys, registry_meta


class SqlMeta:
    """Facts of the registry on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> str | None:
        found: str | None = self._connection.execute(
            select(registry_meta.c.value).where(registry_meta.c.name == name)
        ).scalar_one_or_none()
        return found

    def revision(self) -> str | None:
        return MigrationContext.configure(self._connection).get_current_revision()

    def put(self, name: str, value: str) -> None:
        self._connection.execute(insert(registry_meta), {"name": name, "value": value})

    def create_head(self, head: HeadRow) -> None:
        values = {
            "k": 1,
            "epoch": head.epoch,
            "n": head.size,
            "edge": head.edge,
            "root": head.root,
            "checkpoint": head.checkpoint,
            "last_ms": head.last_ms,
        }
        self._connection.execute(insert(ledger_head), values)

    def body_keys(self) -> Mapping[int, WrappedKey]:
        return {
            row.key_epoch: WrappedKey(row.key_id, row.wrapped_key)
            for row in self._connection.execute(select(ledger_keys))
        }

    def put_body_key(self, key_epoch: int, key: WrappedKey) -> None:
        values = {"key_epoch": key_epoch, "key_id": key.key_id, "wrapped_key": key.blob}
        self._connection.execute(insert(ledger_keys), values)
