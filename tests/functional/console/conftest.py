"""One registry and one browser a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home, make_template, open_copy


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Home]:
    opened = open_copy(template, tmp_path / "home")
    yield opened
    opened.app.close()


@pytest.fixture
def browser(home: Home) -> Browser:
    return Browser(home)
