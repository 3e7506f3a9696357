"""Registries whose keys a real OpenBao server holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import openbao_program
from tests.fakes.openbao import OpenBaoServer
from tests.functional.keys.baos import Bao, bao_of


@pytest.fixture
def bao(openbao: OpenBaoServer, tmp_path: Path) -> Iterator[Bao]:
    made = bao_of(openbao, tmp_path)
    yield made
    made.session.close()


@pytest.fixture(scope="module")
def shamir() -> Iterator[OpenBaoServer]:
    """A server that can be sealed, and need not be."""
    server = OpenBaoServer(openbao_program(), seal="shamir")
    try:
        server.start()
        yield server
    finally:
        server.remove()
