"""What a check of a deployment is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

BACKUP_HOURS = 26  # one a day, and time to make it


class State(StrEnum):
    """What a check gave."""

    OK = "ok"
    FINDING = "finding"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: short and stable.
        state: what it gave.
        what: what was found, in words.
        mend: what to do; empty when there is nothing to do.
        serves: what was found is to be mended, and what rests on it works all the same.
    """

    name: str
    state: State
    what: str
    mend: str = ""
    serves: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look at.

    Attributes:
        host: the address that ``serve`` is given.
        entries: how many of the newest entries are checked one by one.
        backups: folder that holds the backups; None when they are not to be looked at.
        backup_hours: how old the newest backup may be.
    """

    host: str = "127.0.0.1"
    entries: int = 1_000
    backups: Path | None = None
    backup_hours: int = BACKUP_HOURS


class Finding(Exception):
    """Something is not as it should be: what, what to do about it, and whether what rests on it works all the same."""

    def __init__(self, what: str, mend: str, *, serves: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.serves = serves
