"""Runs migrations on the connection that registry/storage/migrate.py hands over, or on ``-x url=...``."""

from __future__ import annotations

from alembic import context

from registry.storage.engine import open_engine
from registry.storage.tables import metadata


def _run(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]  # always a SQLAlchemy connection
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    engine = open_engine(context.get_x_argument(as_dictionary=True)["url"]).execution_options(write=True)
    with engine.connect() as own:
        _run(own)
        own.commit()
    engine.dispose()
