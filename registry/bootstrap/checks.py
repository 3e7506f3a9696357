"""What must be so before a registry is opened or used."""

from __future__ import annotations

from pathlib import Path

from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.policy.engine import Policy
from registry.services.brakes import BrakeLimits
from registry.settings import Settings
from registry.storage.migrate import current_revision, newest_revision
from registry.storage.unit_of_work import SqlDatabase


def demand_migrated(settings: Settings) -> None:
    """Check that there is a registry, and that its tables are of this program.

    Raises:
        MisconfiguredHome: there is none, or they are not.
    """
    url = settings.database_url
    engine_file = url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists()
    if engine_file or not settings.keys.exists():
        raise MisconfiguredHome(f"no registry in {settings.home}; run: registry init")
    if current_revision(settings.database_url) != newest_revision():
        raise MisconfiguredHome("the database is of another revision than this program; run: registry migrate")


def demand_revision(database: SqlDatabase) -> None:
    """Check the database of an opened registry.

    Raises:
        AuditUnavailable: ``not_migrated``.
    """
    with database.read() as work:
        if work.meta.revision() != newest_revision():
            raise AuditUnavailable("not_migrated")


def demand_known_purposes(policy: Policy, limits: BrakeLimits) -> None:
    """Check that limits are set for purposes that there are.

    Raises:
        MisconfiguredHome: naming one that there is not.
    """
    if unknown := sorted(set(limits.by_purpose) - policy.codes):
        raise MisconfiguredHome(f"config.toml: brakes: purposes: there is no purpose {unknown[0]}")


def registry_of(database: SqlDatabase) -> str | None:
    """Return the registry's id, read from its database."""
    with database.read() as work:
        return work.meta.get("registry")
