"""The shell blocks of the runbooks, taken out of the pages and run as they stand there.

A line is expanded by ``sh`` (comments, quotes, ``$(date)``, redirections); ``registry`` is then called in this process,
everything else is run. What a page leaves open (a path, a key's id, a share's name) is put in by ``given``.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.functional.cli.conftest import Line

DOCS = Path(__file__).parents[3] / "docs"
CEREMONY, OPERATIONS = "key-ceremony", "operations"
PAGES = (CEREMONY, OPERATIONS)
_SHELL = ("", "sh")  # settings, units and programs say what they are
_WORDS = 'registry() { printf "%s\\0" "$@" >> .words; }\n'
_SAYS = "registry() { cat .said; }\n"


class Place(NamedTuple):
    """Where a block stands: page, heading, and how its first line begins."""

    page: str
    heading: str
    first: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page."""

    page: str
    heading: str
    lines: tuple[str, ...]

    def is_at(self, place: Place) -> bool:
        return (self.page, self.heading) == place[:2] and self.lines[0].startswith(place.first)


def blocks() -> Iterator[Block]:
    """Yield the shell blocks of both pages, in their order."""
    for page in PAGES:
        heading, language, lines = "", None, list[str]()
        for line in (DOCS / f"{page}.md").read_text("utf-8").splitlines():
            if line.startswith("```"):
                if language in _SHELL and lines:
                    yield Block(page, heading, tuple(lines))
                language, lines = (line[3:], []) if language is None else (None, [])
            elif language is not None:
                lines.append(line)
            elif line.startswith("#"):
                heading = line.lstrip("# ")


def block(place: Place) -> tuple[str, ...]:
    """Return the lines of the one block that stands at a place."""
    (found,) = (one for one in blocks() if one.is_at(place))
    return found.lines


def sentence(page: str, heading: str, start: str) -> str:
    """Return the one command in the text of a section that begins so."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / f"{page}.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    commands = {" ".join(one.split()) for one in re.findall(r"`([^`]+)`", section)}
    (found,) = (one for one in commands if one.startswith(start))
    return found


@dataclass
class Shell:
    """Somebody at the machine, with the page open.

    Attributes:
        line: the command line of the registry.
        folder: where they are.
        given: what they put in for what the page leaves open.
    """

    line: Line
    folder: Path
    given: dict[str, str] = field(default_factory=dict)

    def run(self, *commands: str, typed: Mapping[str, str] | None = None) -> list[str]:
        """Run commands, each of which has to end with 0; returns what each said.

        Args:
            commands: as they stand on the page.
            typed: what is typed at a prompt, by how the command begins.
        """
        return [self._run(one, typed or {}) for one in commands]

    def refused(self, command: str) -> str:
        """Run one command that has to fail; returns what it said."""
        with chdir(self.folder):
            result = self.line(*self._words(self._filled(command)), exits=None)
        assert result.exit_code != 0, result.output
        return result.output

    def _run(self, command: str, typed: Mapping[str, str]) -> str:
        filled = self._filled(command)
        words = self._words(filled)
        if not words:
            return self._sh(filled)
        stdin = next((text for start, text in typed.items() if command.startswith(start)), "")
        with chdir(self.folder):
            result = self.line(*words, stdin=stdin)
        (self.folder / ".said").write_text(result.stdout)
        self._sh(_SAYS + filled)
        return result.output

    def _filled(self, command: str) -> str:
        for open_, put in self.given.items():
            command = command.replace(open_, put)
        return command

    def _words(self, command: str) -> list[str]:
        """Return what ``registry`` is called with; nothing for a line that does not call it."""
        if not command.startswith("registry "):
            return []
        told = self.folder / ".words"
        told.write_text("")
        self._sh(_WORDS + command)
        return told.read_text().split("\0")[:-1]

    def _sh(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (script, done.stderr)
        return done.stdout
