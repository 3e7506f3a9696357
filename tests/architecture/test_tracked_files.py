"""What may not stand in a file that git keeps: machine paths, package indexes' hosts, words about how it was made."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, tracked_files

# Written in pieces, so that this file does not hold what it looks for.
_HOSTS = r"pypi[.]o" r"rg|pythonhoste" r"d[.]org|registry[.]npmj" r"s|deb[.]debia" r"n[.]org|npmjs[.]" r"com"
_PATHS = r"(?:^|[^A-Za-z0-9._-])/(?:wo" r"rk|fa" r"rm)/|/ro" r"ot/|shared/(?:prac" r"tice|des" r"ign)|[.][.]/sha" r"red"
_MAKING = r"\b(?:clau" r"de|anthro" r"pic|chat" r"gpt|open" r"ai|co" r"pilot|large language mo" r"del|LL" r"M)\b"
_TRACKER = r"\b(?:issue|ticket) #?[0-9]+\b(?! of)"
FORBIDDEN = {
    "a package index's host": re.compile(_HOSTS),
    "a path of one machine": re.compile(_PATHS),
    "how the project was made": re.compile(_MAKING, re.IGNORECASE),
    "a number of the tracker": re.compile(_TRACKER, re.IGNORECASE),
}
_BINARY = {".png", ".woff2", ".pdf", ".zip", ".ico"}


def broken_lines(name: str, text: str) -> list[str]:
    return [
        f"{name}:{number}: {what}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def test_no_tracked_file_holds_a_forbidden_text() -> None:
    found = [
        line
        for path in tracked_files()
        if path.suffix not in _BINARY
        for line in broken_lines(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "index-url = https://pypi.o" + "rg/simple",
        "wget https://files.pythonhoste" + "d.org/x",
        "cd /wo" + "rk/main",
        "HOME=/ro" + "ot/x",
        "see ../sha" + "red",
        "written by Clau" + "de",
        "closes iss" + "ue 12",
    ],
)
def test_a_planted_text_is_found(planted: str) -> None:
    assert broken_lines("x", f"first\n{planted}\n")


@pytest.mark.parametrize("fine", ["https://example.org/simple", "/workplace", "an issue of trust", "framework/x"])
def test_an_innocent_text_is_not(fine: str) -> None:
    assert broken_lines("x", fine) == []


def test_what_every_reader_expects_is_there() -> None:
    expected = "README.md Makefile .ci/run pyproject.toml alembic.ini docker-compose.yml Dockerfile LICENSE SECURITY.md"
    expected += " CHANGELOG.md CONTRIBUTING.md THIRD_PARTY.md requirements.txt requirements-dev.txt registry/py.typed"
    assert [name for name in expected.split() if not (ROOT / name).is_file()] == []


def test_the_two_commands_are_shown_and_run() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    assert "make test" in (ROOT / ".ci/run").read_text("utf-8")


def test_every_target_of_the_makefile_is_explained() -> None:
    targets = re.findall(r"^([a-z-]+):(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [name for name, rest in targets if "## " not in rest] == []
    assert {"help", "setup", "demo", "test", "check", "deep", "bench", "lock", "migrate", "serve", "clean"} <= {
        name for name, _ in targets
    }
