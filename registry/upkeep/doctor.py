"""Checking a deployment: each thing that service rests on, and what to do about what is not as it should be.

Looks and writes nothing. One cause is told once: a check that rests on another one that failed is left out, and says
which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from registry.bootstrap import Application, inspected
from registry.domain.errors import AuditUnavailable, RegistryError
from registry.settings import Settings
from registry.upkeep import checks_home, checks_registry
from registry.upkeep.checks import Check, Finding, Plan, State

_OPENS = "opens"
# Name, the check, and which checks it rests on.
_BEFORE: tuple[tuple[str, Callable[[Settings], str], tuple[str, ...]], ...] = (
    ("installed", checks_home.installed, ()),
    ("home", checks_home.home, ("installed",)),
    ("key_service", checks_home.key_service, ()),
    ("keys", checks_home.keys, ("installed", "key_service")),
    ("database", checks_home.database, ("installed",)),
    ("disk", checks_home.disk, ("installed",)),
    ("leftovers", checks_home.leftovers, ("installed",)),
    ("process", checks_home.process, ()),
)
_TO_OPEN = ("keys", "database")
_ON_REGISTRY: Mapping[str, Callable[[Application, Plan], str]] = {
    "profile": checks_registry.profile,
    "transport": checks_registry.transport,
    "issuers": checks_registry.issuers,
    "security_contact": checks_registry.contact,
    "user": checks_registry.user,
    "account": checks_registry.account,
    "clock": checks_registry.clock,
    "head": checks_registry.head,
    "entries": checks_registry.entries,
    "index_terms": checks_registry.index_terms,
    "policies": checks_registry.policies,
    "reviews": checks_registry.reviews,
    "high_water": checks_registry.high_water,
    "witnesses": checks_registry.witnesses,
    "anchors": checks_registry.anchors,
    "backups": checks_registry.backups,
    "notices": checks_registry.notices,
}


def examine(settings: Settings, plan: Plan) -> tuple[Check, ...]:
    """Run every check that does not rest on one that failed."""
    done: dict[str, Check] = {}
    for name, check, needs in _BEFORE:
        done[name] = _left_out(name, needs, done) or _run(name, partial(check, settings))
    return (*done.values(), *_on_the_registry(settings, plan, done))


def _on_the_registry(settings: Settings, plan: Plan, done: Mapping[str, Check]) -> Iterator[Check]:
    opening = _left_out(_OPENS, _TO_OPEN, done)
    if opening is None:
        try:
            with inspected(settings) as application:
                yield Check(_OPENS, State.OK, f"registry of the {application.profile} profile")
                for name, check in _ON_REGISTRY.items():
                    yield _run(name, partial(check, application, plan))
                return
        except RegistryError as error:
            opening = _failed(_OPENS, error)
    yield opening
    for name in _ON_REGISTRY:
        yield Check(name, State.NOT_CHECKED, f"rests on {_OPENS}")


def _left_out(name: str, needs: tuple[str, ...], done: Mapping[str, Check]) -> Check | None:
    """Return what is said instead of a check that rests on one that did not hold; None when it can be run."""
    missing = [need for need in needs if _hides(done[need])]
    return Check(name, State.NOT_CHECKED, f"rests on {', '.join(missing)}") if missing else None


def _hides(check: Check) -> bool:
    # A policy that is too wide is to be mended, and serves all the same.
    return check.state is not State.OK and not check.serves


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, State.OK, check())
    except Finding as finding:
        return Check(name, State.FINDING, finding.what, finding.mend, serves=finding.serves)
    except RegistryError as error:
        return _failed(name, error)
    except OSError as error:
        return Check(name, State.FINDING, f"cannot be read: {error.strerror}", "mend owner and mode for this user")


def _failed(name: str, error: RegistryError) -> Check:
    unavailable = isinstance(error, AuditUnavailable)
    what = f"the database is not available ({error})" if unavailable else str(error) or type(error).__name__
    return Check(name, State.FINDING, what, "see docs/operations.md, When something is refused")
