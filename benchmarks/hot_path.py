"""Where the time of a lookup goes: processor time in process, by room, when 1, 16 or 64 lookups share a commit."""

from __future__ import annotations

import cProfile
import pstats
import re
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.registries import filled, look_up_in_process
from benchmarks.serving import Plan
from benchmarks.table import markdown, number
from registry.bootstrap import Application, opened

_BATCHES = (1, 16, 64)
_LOOKUPS = 1_280
_ROOM = re.compile(r"/registry/(\w+)[/.]")
# Built-in functions have no file: they are told by their names.
_BUILT_IN = (
    ("database driver", re.compile(r"sqlite3|psycopg")),
    ("hashing and ciphers", re.compile(r"_hashlib|openssl|sha256|hmac|AESGCM|Ed25519|_aead|rust|urandom")),
    ("JSON", re.compile(r"orjson|_json|json")),
)


def hot_path(plan: Plan) -> str:
    """Measure processor time a lookup and its parts."""
    with TemporaryDirectory(prefix="registry-bench-") as name:
        registry = filled(Path(name), min(plan.people, _BATCHES[-1] * 4))
        with opened(registry.settings) as application:
            columns = {batch: _parts(application, registry.people, batch) for batch in _BATCHES}
    rooms = sorted({room for parts in columns.values() for room in parts}, key=lambda room: -columns[1][room])
    rows = [[room, *(number(columns[batch][room] * 1e6) for batch in _BATCHES)] for room in rooms]
    rows.append(["all", *(number(sum(columns[batch].values()) * 1e6) for batch in _BATCHES)])
    told = "Processor microseconds a lookup of 6 records, SQLite, in process (no HTTP); shares are the profiler's."
    return f"{told}\n\n{markdown(['in', *(f'{batch} a commit' for batch in _BATCHES)], rows)}"


def _parts(application: Application, people: int, batch: int) -> Counter[str]:
    def look_up() -> None:
        for first in range(0, _LOOKUPS, batch):
            look_up_in_process(application, [(first + step) % people for step in range(batch)])

    look_up()
    started = time.process_time()
    look_up()
    seconds = (time.process_time() - started) / _LOOKUPS
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(look_up)
    spent: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]  # documented, and not in the stubs
        spent[_room(file, function)] += own
    whole = sum(spent.values())
    return Counter({room: seconds * own / whole for room, own in spent.items()})


def _room(file: str, function: str) -> str:
    found = _ROOM.search(file)
    if found is not None and "/site-packages/" not in file:
        return f"`{found[1]}`"
    if "sqlalchemy" in file:
        return "SQLAlchemy"
    for name, told in _BUILT_IN:
        if told.search(function if file == "~" else file):
            return name
    return "the rest of Python"
