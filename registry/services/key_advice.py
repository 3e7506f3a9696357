"""What to do next about a key, and why, in words for whoever is at the keyboard: each ends with the exact command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.keys.ports import LEDGER_PURPOSE, KeyBeneath, KeyFacts, ServiceKey

# A round of rewrapping is over within it: the key folder's files are sealed anew when the round begins.
_ROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """By what a key's age is judged: the time now, how long it may be in use, and how long a backup is kept."""

    now: datetime
    exchange_after: timedelta
    backups_kept: timedelta


def age_of(facts: KeyFacts, limits: Limits) -> str:
    """Say that a key of the ring is older than it may be; empty when it is not, or its age is not known."""
    age = _age(_made(facts), limits)
    if not age:
        return ""
    announce = " --announce" if facts.purpose == LEDGER_PURPOSE else ""
    return f"{age}; run: registry keys rotate {facts.purpose}{announce}"


def of_service(service: ServiceKey, stored: Mapping[int, int], created: datetime | None, limits: Limits) -> str:
    """Say what is next of a key that a service keeps in versions.

    Args:
        service: the key there, as the registry sees it.
        stored: how many stored keys each version wrapped.
        created: when the key folder was made, and so the first version at the latest.
        limits: by what age is judged.
    """
    later = sum(count for version, count in stored.items() if version > service.newest)
    if later:
        return f"{later} stored keys need a later version than {service.newest}: put the key service's newer state back"
    older = {version: count for version, count in sorted(stored.items()) if version < service.newest}
    if older or service.sealed < service.newest:
        kept = min([*older, service.sealed])
        what = [f"{count} stored keys under version {version}" for version, count in older.items()]
        what += [f"its file in the key folder under version {service.sealed}"] * (service.sealed < service.newest)
        return f"{', '.join(what)}: keep version {kept} until it is done; run: registry keys rewrap"
    since = created if service.newest == 1 else service.sealed_at
    if age := _age(since, limits):
        return f"{age}; run at the key service: {service.rotate}; then: registry keys rewrap"
    return _give_up(service, limits) if service.newest > 1 else ""


def of_beneath(beneath: KeyBeneath, purpose: str, *, wraps: bool) -> str:
    """Say that a key of the ring rests on another key of the service than a new one would; empty when it does not.

    Args:
        beneath: what it rests on.
        purpose: of the ring's key.
        wraps: whether it is a key that wraps, which takes another one in its place; else its file is sealed anew.
    """
    if beneath.name == beneath.now:
        return ""
    run = f"registry keys rotate {purpose}" if wraps else "registry keys rewrap"
    return f"rests on {beneath.name}, and {beneath.asked_as} is {beneath.now} now; run: {run}"


def _give_up(service: ServiceKey, limits: Limits) -> str:
    """Say how versions go that wrap nothing which is stored."""
    until = service.sealed_at + _ROUND + limits.backups_kept
    below = f"versions below {service.newest} wrap nothing that is stored"
    if limits.now < until:
        return f"{below}; backups made before the last rewrap need them: keep them until {until:%Y-%m-%d}"
    return f"{below}, and no backup that is kept needs them; unless it is done, run there: {'; '.join(service.give_up)}"


def _age(since: datetime | None, limits: Limits) -> str:
    if since is None or limits.now - since < limits.exchange_after:
        return ""
    days, most = (limits.now - since) // timedelta(days=1), limits.exchange_after // timedelta(days=1)
    return f"in use for {days} days, and keys are exchanged after {most}"


def _made(facts: KeyFacts) -> datetime | None:
    try:
        return datetime.fromisoformat(facts.created)
    except ValueError:
        return None
