"""The ledger's stolen key is replaced while each step fails in turn: the former or the next key, and then the next."""

from __future__ import annotations

import errno
import gc
from contextlib import suppress
from datetime import timedelta

import pytest

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.errors import RegistryError
from registry.services.compromises import Compromise
from registry.settings import load_settings
from registry.upkeep.compromise import Replaced, replace_key
from tests.fakes.faulty import STEPS, Died, Fault, infect
from tests.fakes.faulty_files import FileFaults, How, infect_files
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home

MAX_STEPS = 200


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> FileFaults:
    return infect_files(monkeypatch)


def key_of(home: Home) -> str:
    return home.app.verifier_key.key_id.hex()


def replace_in(home: Home, key: str) -> Replaced:
    return replace_key(home.app, Compromise(key, home.clock.now() - timedelta(hours=1), None, "a copy was found"))


def start_anew(home: Home) -> None:
    """As after a crash: nothing of the process is left but what lies on the disk and in the database."""
    url = home.app.settings.database_url
    with suppress(RegistryError, OSError):
        home.app.close()
    environment = {"REGISTRY_DATABASE_URL": url if url.startswith("postgresql") else ""}
    home.app = open_application(load_settings(home.app.settings.home, environment), home.clock)


def finished(home: Home, key: str, terms: int) -> None:
    """Whatever happened, one of two states is there, it serves, and run again it is done, once."""
    start_anew(home)
    was = len(home.app.signing.terms)
    assert was in (terms, terms + 1)
    assert (key_of(home) == key) is (was == terms)
    grow(home, len(home.rows()) + 1)
    assert (replace_in(home, key).trusted is None) is (was > terms)
    assert len(home.app.signing.terms) == terms + 1
    assert key_of(home) != key
    assert len(list(home.app.settings.keys.glob("ledger-*.key"))) == 1
    grow(home, len(home.rows()) + 1)


@pytest.mark.parametrize("how", [How.NOT_DONE, How.DONE])
def test_each_step_at_the_files_fails(sqlite_home: Home, faults: FileFaults, how: How) -> None:
    home, both = sqlite_home, set()
    for step in range(MAX_STEPS):
        key, terms = key_of(home), len(home.app.signing.terms)
        assert home.app.high_water is not None
        home.app.high_water.close()  # it writes on its own
        with faults.armed(how, errno.EIO, step), suppress(RegistryError, OSError):
            replace_in(home, key)
        is_over = len(faults.steps) <= step
        both.add(len(home.app.keyring.signing_keys().terms) > terms)
        finished(home, key, terms)
        if is_over:
            break
    assert step > 8
    assert both == {False, True}
    assert verify_ledger(home.app, 1).size == len(home.rows())


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(frozenset({"commit"}), id="commits"),
        pytest.param(STEPS | {"rollback"}, id="all", marks=pytest.mark.slow),
    ],
)
def test_a_death_at_each_step_of_the_database(home: Home, kinds: frozenset[str], is_late: bool) -> None:
    died = Fault("died", "", Died, kinds, is_late=is_late)
    for step in range(MAX_STEPS):
        key, terms = key_of(home), len(home.app.signing.terms)
        database = infect(home.app)
        database.arm(died, step)
        with suppress(Died, RegistryError):
            replace_in(home, key)
        database.disarm()
        gc.collect(0)
        is_over = database.fired is None
        finished(home, key, terms)
        if is_over:
            break
    assert step > (0 if kinds == {"commit"} else 5)
    assert verify_ledger(home.app, 1).size == len(home.rows())
