"""Dockerfile and compose file, read as text: no engine is needed, and none starts them here."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
IGNORE = (ROOT / ".dockerignore").read_text("utf-8")


def weaknesses(dockerfile: str, compose: str) -> list[str]:
    """Name what a hardened service must not lack."""
    last_stage = dockerfile.rsplit("\nFROM ", maxsplit=1)[-1]
    wanted = {
        "a numeric user that is not root": re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE),
        "a health check": "HEALTHCHECK" in last_stage and "/readyz" in last_stage,
        "hashed requirements": "--require-hashes --only-binary :all: -r requirements.txt" in dockerfile,
        "a read-only root file system": re.search(r"^\s+read_only: true$", compose, re.MULTILINE),
        "no capabilities": re.search(r"^\s+cap_drop: \[ALL\]$", compose, re.MULTILINE),
        "no new privileges": "no-new-privileges:true" in compose,
        "no core dumps": re.search(r"^\s+core: 0$", compose, re.MULTILINE),
        "a port on loopback only": re.search(r'^\s+- "127\.0\.0\.1:8000:8000"$', compose, re.MULTILINE),
    }
    return [what for what, found in wanted.items() if not found]


def test_the_container_is_hardened() -> None:
    assert weaknesses(DOCKERFILE, COMPOSE) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("USER 10001:10001", "USER root"),
        ("HEALTHCHECK", "LABEL"),
        ("--require-hashes ", ""),
        ("read_only: true", "read_only: false"),
        ("cap_drop: [ALL]", "cap_add: [ALL]"),
        ("no-new-privileges:true", ""),
        ("core: 0", "core: -1"),
        ("127.0.0.1:8000:8000", "8000:8000"),
    ],
)
def test_a_weakness_is_found(before: str, after: str) -> None:
    assert len(weaknesses(DOCKERFILE.replace(before, after), COMPOSE.replace(before, after))) == 1


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    seen = {line[1:] for line in IGNORE.splitlines() if line.startswith("!")}
    needed = {"registry", "migrations", "alembic.ini", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"}
    assert needed | {"THIRD_PARTY.md"} == seen
    assert IGNORE.startswith("*\n")
