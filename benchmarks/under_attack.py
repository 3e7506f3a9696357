"""``python -m benchmarks.under_attack [NAME]``: legitimate lookups alone, then during each attack.

Sixteen readers on kept connections look somebody up ten times a second each; the attacker does what it can from a
process of the lowest priority. Each attack is measured in several rounds, each after a quiet one. Printed: medians of
the rounds' median and 99th percentile, and of the ratio to the quiet round just before with its least and most, what
the attacker got for an answer, and the entries that are no lookup's.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import platform
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.attackers import ATTACKS, Attack, Target, under
from benchmarks.people import number_of
from benchmarks.registries import fill
from registry.bootstrap import initialise, opened
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, load_settings

PEOPLE = 200
READERS = 16
PAUSE = 0.1
SECONDS = 3.0
# Of each reader's time, not measured: connections are new, and a crowd that was alone has its batch at work.
WARM_SECONDS = 0.5
ROUNDS = 3


@dataclass
class Felt:
    """What legitimate clients felt: durations in seconds, statuses, errors of the connection."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def quantile(self, part: float) -> float:
        """Return a quantile in milliseconds."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1e3 if ordered else float("nan")


def legitimate(port: int, tokens: list[str], seconds: float) -> Felt:
    """Look people up at a steady pace, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_readers, (port, tokens, seconds))


def _readers(port: int, tokens: list[str], seconds: float) -> Felt:
    felt = Felt()
    threads = [
        threading.Thread(target=_reader, args=(port, token, number, seconds, felt))
        for number, token in enumerate(tokens)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return felt


def _reader(port: int, token: str, number: int, seconds: float, felt: Felt) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    # Everybody keeps a time of their own: who asked when the last answer came would ask together with all others after
    # one stop. A request that an answer held up counts from when it was due.
    due = answered = time.monotonic() + PAUSE * number / READERS
    warm, until = due + WARM_SECONDS, due + WARM_SECONDS + seconds
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        started = due if answered > due else time.monotonic()
        number += 1
        body = {
            "employee_number": number_of(number % PEOPLE),
            "categories": ["home_address", "phone", "ssn", "date_of_birth", "email", "school"],
            "purpose": {"code": "safety", "case": "CASE-1"},
        }
        try:
            connection.request("POST", "/v1/disclosures", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            felt.statuses[str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            felt.statuses[type(error).__name__] += 1
            connection.close()
        answered = time.monotonic()
        if due >= warm:
            felt.times.append(answered - started)
        due += PAUSE
    connection.close()


@contextmanager
def server(home: Path) -> Iterator[tuple[int, int]]:
    """Serve a registry from a process of its own; gives its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "registry", "--home", str(home), "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(40)


def prepared(home: Path) -> list[str]:
    """Make a registry with people and readers; gives the readers' tokens, the last one for the attacker."""
    settings = load_settings(home, {})
    initialise(settings, DEVELOPMENT)
    fill(settings, {}, PEOPLE)
    with opened(settings) as application:
        issuer = application.development_issuer()
        tokens = []
        for number in range(READERS + 1):
            grant = Grant(DEVELOPMENT_ISSUER, f"reader-{number}", frozenset({Role.READER}))
            application.principals.ensure(grant, operator="local:bench")
            tokens.append(issuer.issue(grant.sub, [Role.READER], ttl_seconds=3600, now=SystemClock().now()))
    return tokens


def entries(home: Path) -> int:
    """Return how many entries there are."""
    with sqlite3.connect(home / "registry.db") as database:
        return int(database.execute("SELECT count(*) FROM ledger_leaf").fetchone()[0])


def resident(process: int) -> int:
    """Return a process's resident memory in MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) >> 10
    return 0


def main() -> None:
    """Print the table."""
    wanted = [attack for attack in ATTACKS if not sys.argv[1:] or any(word in attack.name for word in sys.argv[1:])]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f} at the start; SQLite; {READERS} readers, {READERS / PAUSE:.0f}/s")
    print(f"{'during':<36}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>21}{'not 200':>9}{'entries':>9}  server; attacker saw")
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        *readers, insider = prepared(home)
        with server(home) as (port, process):
            legitimate(port, readers, 2.0)
            quiet = [_attack(home, Target(port, insider), readers, attack, process) for attack in wanted]
            alone = statistics.median(p99 for rounds in quiet for p99 in rounds)
            print(f"\nalone: p99 {alone:.1f} ms (median of {len(wanted) * ROUNDS} rounds)")


def _attack(home: Path, target: Target, readers: list[str], attack: Attack, process: int) -> list[float]:
    """Print the line of one attack; return the 99th percentiles of the quiet rounds."""
    quiet, during, told, saw = [], [], 0, Counter[str]()
    for _ in range(ROUNDS):
        quiet.append(legitimate(target.port, readers, SECONDS).quantile(0.99))
        before = entries(home)
        with under(attack, target, SECONDS + WARM_SECONDS + 3.0) as seen:
            time.sleep(1.5)
            during.append(legitimate(target.port, readers, SECONDS))
        told += entries(home) - before - during[-1].statuses["200"] - attack.looks_up * seen["200"]
        saw += seen
    ratios = [one.quantile(0.99) / alone for one, alone in zip(during, quiet, strict=True)]
    p50, p99 = (statistics.median(one.quantile(part) for one in during) for part in (0.5, 0.99))
    failed = sum(sum(one.statuses.values()) - one.statuses["200"] for one in during)
    span = f"{statistics.median(ratios):.1f}x ({min(ratios):.1f} to {max(ratios):.1f})"
    answers = ", ".join(f"{count} {what}" for what, count in saw.most_common(4))
    said = f"{resident(process)} MB; {answers}"
    print(f"{attack.name:<36}{p50:>8.1f}{p99:>8.1f}{span:>21}{failed:>9}{told:>9}  {said}", flush=True)
    return quiet


if __name__ == "__main__":
    main()
