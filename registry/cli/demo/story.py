"""Telling what happens: numbered steps for the reader, and the same lines in the log."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was begun: whether it held, and how long it took."""

    title: str
    held: bool
    seconds: float


@dataclass(slots=True)
class Story:
    """Prints steps and keeps their outcome.

    Attributes:
        tell: prints one line.
        log: gets the same lines, except what is shown but not kept.
        steps: what became of each step so far.
    """

    tell: Callable[[str], object]
    log: TextIO
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell a step's title and note whether the block ended well."""
        self._line(f"\n{len(self.steps) + 1}. {title}")
        started, held = time.perf_counter(), False
        try:
            yield
            held = True
        finally:
            self.steps.append(Step(title, held, round(time.perf_counter() - started, 2)))

    def say(self, text: str, indent: int = 3) -> None:
        """Tell one paragraph; later lines of it stand a little further in."""
        lines = textwrap.wrap(
            text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
        )
        for line in lines:
            self._line(line)

    def show(self, text: str) -> None:
        """Show lines as they are, on the terminal only: they hold values, which belong into no log."""
        for line in text.splitlines():
            self.tell(f"   | {line}")
        self.log.write("   | (shown on the terminal only)\n")

    def end(self) -> None:
        """Tell that everything held, and how long it took."""
        seconds = sum(step.seconds for step in self.steps)
        self._line(f"\nAll {len(self.steps)} steps held, in {seconds:.0f} seconds.")

    @property
    def held(self) -> bool:
        """Whether every step held."""
        return bool(self.steps) and all(step.held for step in self.steps)

    def _line(self, line: str) -> None:
        self.tell(line)
        self.log.write(f"{line}\n")
