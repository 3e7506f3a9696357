"""The command line and its registries, as the tests of the command line have them."""

from __future__ import annotations

from tests.functional.cli.conftest import empty_home, line, used, used_home

__all__ = ["empty_home", "line", "used", "used_home"]
