"""The hand-written table of pages and roles, read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from registry.domain.principals import Role

_TABLE = Path(__file__).with_name("matrix.txt")
_WORD = re.compile(r"\{(\w+)\}")
_NAMED = {"index": "0", "sort": "dispute"}


class Line(NamedTuple):
    """One page, and what each role is answered; ``None`` is an account without a role."""

    method: str
    path: str
    answers: dict[Role | None, int]

    @property
    def address(self) -> str:
        return _WORD.sub(lambda found: _NAMED.get(found[1], "0" * 32), self.path)


def lines() -> Iterator[Line]:
    head, *rows = [line for line in _TABLE.read_text().splitlines() if line and not line.startswith("#")]
    names = head.partition("|")[2].split()
    roles = [None if name == "no_role" else Role(name) for name in names]
    for row in rows:
        page, _, answers = row.partition("|")
        method, path = page.split()
        yield Line(method, path, dict(zip(roles, map(int, answers.split()), strict=True)))
