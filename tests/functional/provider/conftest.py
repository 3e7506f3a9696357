"""A real OpenID provider, installed once, and a registry to copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.provider.provider import NotInstalledError, Provider, install
from tests.functional.services.homes import make_template


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("provider")
    try:
        install(made)
    except NotInstalledError as why:
        pytest.skip(f"{why}: sign-in at a real provider NOT checked")
    return made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def provider(folder: Path) -> Iterator[Provider]:
    one = Provider(folder)
    one.start()
    yield one
    one.stop()
