"""What a path can hand to a service."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from registry.api.asking import Ask
from registry.domain.ids import SubjectId

NOBODY = "0" * 32


def ask(path_text: str) -> Ask:
    scope: dict[str, Any] = {"type": "http", "headers": [], "path_params": {"subject": path_text}}
    nothing: Any = None
    return Ask(nothing, nothing, nothing, Request(scope))


def test_an_identifier_is_taken() -> None:
    assert ask("0a" * 16).path_id("subject", SubjectId) == "0a" * 16


@pytest.mark.parametrize("text", ["", "\x00", "a" * 31, "a" * 33, "A" * 32, "a" * 32 + "\n", "../" * 9, "\u0661" * 32])
def test_anything_else_is_nobodys(text: str) -> None:
    # No text that only looks like an identifier, and no NUL, reaches a database.
    assert ask(text).path_id("subject", SubjectId) == NOBODY
