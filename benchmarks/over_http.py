"""``python -m benchmarks.over_http``: lookups over HTTP beside the plain service, in turns on the same machine.

Every figure is the median of interleaved rounds; ratios are against the plain service of the same run.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Load, run
from benchmarks.people import made_up
from registry.bootstrap import Application, initialise, opened
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.import_people import Existing
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, load_settings

PEOPLE = 1_000
ROUNDS = 3
SECONDS = 4.0
_BATCH = 200


@contextmanager
def served(command: list[str], port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(40)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def row(what: str, ours: str, baseline: str = "", ratio: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<44}{ours:>18}{baseline:>22}{ratio:>8}", flush=True)


def over_http(application: Application, home: Path, folder: Path) -> None:
    """Measure lookups over HTTP beside the plain service, in turns."""
    application.principals.ensure(Grant(DEVELOPMENT_ISSUER, "bench", frozenset({Role.READER})), operator="local:bench")
    issuer = application.development_issuer()
    token = issuer.issue("bench", [Role.READER], ttl_seconds=3600, now=SystemClock().now())
    key = json.dumps(issuer.public_key_set()["keys"][0])
    ours, plain = free_port(), free_port()
    with (
        served([sys.executable, "-m", "registry", "--home", str(home), "serve", "--port", str(ours)], ours),
        served([sys.executable, "-m", "benchmarks.plain_service", str(folder / "plain.db"), key, str(plain)], plain),
    ):
        for clients in (1, 16):
            figures: dict[int, list[tuple[float, float, float]]] = {ours: [], plain: []}
            for _ in range(ROUNDS):
                for port in (ours, plain):
                    figures[port].append(run(Load(port, token, clients, SECONDS, PEOPLE)))
            mine, theirs = (tuple(map(statistics.median, zip(*figures[port], strict=True))) for port in (ours, plain))
            row(
                f"lookup over HTTP, {clients} clients, requests/s",
                f"{mine[0]:,.0f}",
                f"plain {theirs[0]:,.0f}",
                f"{mine[0] / theirs[0]:.2f}x",
            )
            row(
                "  p50 / p99 ms",
                f"{mine[1]:.1f} / {mine[2]:.1f}",
                f"{theirs[1]:.1f} / {theirs[2]:.1f}",
                f"{mine[2] / theirs[2]:.2f}x",
            )


def main() -> None:
    """Print the table."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f} at the start")
    print("SQLite, WAL, synchronous=FULL; 1,000 people with 6 records; medians; the baseline is in the same run\n")
    row("what", "Registry", "baseline", "ratio")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = load_settings(folder / "home", {})
        initialise(settings, DEVELOPMENT)
        with opened(settings) as application:
            caller = application.local_caller()
            for first in range(0, PEOPLE, _BATCH):
                people = [made_up(number) for number in range(first, first + _BATCH)]
                application.import_people.run(caller, people, Existing.REJECT)
            over_http(application, folder / "home", folder)


if __name__ == "__main__":
    main()
