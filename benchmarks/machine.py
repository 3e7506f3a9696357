"""What a measurement has to say of the machine: what it is, and who used it meanwhile."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_STEAL = 7  # its place among the numbers of /proc/stat


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of processor time over a stretch of time.

    Attributes:
        seconds: how long the stretch was.
        servers: used by the process trees under observation, children that ended included.
        others: share of all cores that neither they nor this measuring program used, 0 to 1.
    """

    seconds: float
    servers: float
    others: float


class Meter:
    """Counts processor time from its making on."""

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots = tuple(roots)
        self._start = self._reading()

    def used(self) -> Used:
        """Return what was used since."""
        wall, servers, busy, own = (now - then for now, then in zip(self._reading(), self._start, strict=True))
        cores = os.cpu_count() or 1
        return Used(wall, servers, max(0.0, busy - servers - own) / (cores * wall))

    def _reading(self) -> tuple[float, float, float, float]:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return time.monotonic(), _tree_seconds(self._roots), _busy_seconds(), own


def describe() -> str:
    """Name the machine in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


def moment() -> str:
    """Say when it is and how busy the machine is, in one line."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.1f}"


def resident_bytes(roots: Iterable[int]) -> int:
    """Return the memory that process trees hold, shared pages counted once a process."""
    return sum(_resident(process) for process in _tree(roots))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _busy_seconds() -> float:
    numbers = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system = numbers[:3]
    return (user + nice + system + numbers[_STEAL]) / _TICKS


def _tree_seconds(roots: Iterable[int]) -> float:
    return sum(sum(_fields(process)[11:15]) for process in _tree(roots)) / _TICKS


def _tree(roots: Iterable[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _fields(int(folder.name))):
            children.setdefault(fields[1], []).append(int(folder.name))
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        process = waiting.pop()
        if process not in found and _fields(process):
            found.append(process)
            waiting += children.get(process, [])
    return found


def _fields(process: int) -> list[int]:
    """Return the numbers of a process from its state on: [1] is its parent, [11:15] its ticks; none when it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    state, *numbers = text[text.rindex(")") + 2 :].split()
    return [ord(state[0]), *map(int, numbers)]


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
