"""``/metrics`` on a port of its own, in the text format of Prometheus (version 0.0.4).

Written here and not taken from a client library: what is exposed is this page and nothing a default collector adds, and
labels can only be the fixed words that ``Meters`` lets through.
"""

from __future__ import annotations

import os
import resource
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import registry
from registry.api.server import base_url
from registry.audit.ports import HeadRow
from registry.bootstrap import Application
from registry.domain.clock import unix_ms
from registry.domain.errors import RegistryError
from registry.services.lane import CAPACITY
from registry.services.meters import Counted, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CLIENT_SECONDS = 5.0
_Sample = tuple[Mapping[str, object], float]


def metrics_page(application: Application) -> str:
    """Return everything that is counted and measured, as text."""
    counted = application.meters.read()
    lines = [
        *_counted(counted),
        *_commits(counted),
        *_lane(application, counted),
        *_keys(application),
        *_ledger(application),
        *_witnesses(application),
        *_emergencies(application),
        *_notices(application, counted),
        *_process(application),
    ]
    return "\n".join(lines) + "\n"


def metrics_url(listening: socket.socket) -> str:
    """Return the address of the page on a listening socket."""
    return f"{base_url(listening)}/metrics"


@contextmanager
def serving_metrics(application: Application, listening: socket.socket) -> Iterator[str]:
    """Serve the page of this process beside the API, one client at a time, and give its address.

    Args:
        application: what is counted.
        listening: from ``server.listen``; closed at the end.
    """
    server = HTTPServer(listening.getsockname()[:2], _handler(application), bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield metrics_url(listening)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(application: Application) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_SECONDS  # whoever connects and says nothing does not keep others out
        server_version = "registry"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path != "/metrics":
                self._answer(404, "text/plain; charset=utf-8", b"not found\n")
                return
            self._answer(200, CONTENT_TYPE, metrics_page(application).encode())

        def log_message(self, *_: Any) -> None:
            """Log nothing: the library's lines hold paths."""

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in (("Content-Type", content_type), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _counted(counted: Counted) -> Iterator[str]:
    yield from _family("registry_lookups_total", "counter", "Lookups by outcome.", _by("outcome", counted.lookups))
    yield from _family(
        "registry_http_answers_total",
        "counter",
        "HTTP answers by the template of their route.",
        (
            ({"route": route, "method": method, "status": status}, number)
            for (route, method, status), number in counted.answers.items()
        ),
    )
    refused = sum(number for (_, _, status), number in counted.answers.items() if status == 401)
    yield from _family(
        "registry_tokens_refused_total", "counter", "Requests with a token that was refused.", _one(refused)
    )
    yield from _family(
        "registry_unavailable_total", "counter", "Answers 503 by cause.", _by("cause", counted.unavailable)
    )
    yield from _histograms(
        "registry_http_seconds",
        "Time from request to answer.",
        ((({"route": route}), found) for route, found in counted.seconds.items()),
    )


def _commits(counted: Counted) -> Iterator[str]:
    yield from _histograms("registry_commit_seconds", "Time that a commit took.", [({}, counted.commits)])


def _lane(application: Application, counted: Counted) -> Iterator[str]:
    yield from _histograms(
        "registry_lane_batch_size", "Lookups that one transaction answered.", [({}, counted.batches)]
    )
    yield from _histograms(
        "registry_lane_wait_seconds", "Time that the first lookup of a batch had waited.", [({}, counted.waits)]
    )
    figures = application.lane.figures()
    yield from _family("registry_lane_waiting", "gauge", "Lookups that wait in the lane.", _one(figures.waiting))
    lag = _one(round(figures.lag, 6))
    yield from _family("registry_lane_lag_seconds", "gauge", "Time that the first of them has waited.", lag)
    yield from _family("registry_lane_capacity", "gauge", "Lookups that may wait in the lane.", _one(CAPACITY))


def _keys(application: Application) -> Iterator[str]:
    figures = application.kernel.vault.key_figures()
    yield from _family("registry_key_uses_total", "counter", "Data keys that were used.", _one(figures.uses))
    unwraps = _one(figures.unwraps)
    yield from _family("registry_key_unwraps_total", "counter", "Data keys that were unwrapped: not cached.", unwraps)
    yield from _family("registry_key_cache_keys", "gauge", "Data keys in the cache.", _one(figures.kept))
    age = _one(application.issuer_keys.age_seconds())
    yield from _family("registry_issuer_keys_age_seconds", "gauge", "Age of the oldest issuer's keys in use.", age)


def _ledger(application: Application) -> Iterator[str]:
    head = _head(application)
    readable = _one(0 if head is None else 1)
    yield from _family("registry_ledger_readable", "gauge", "1 when the ledger's head can be read.", readable)
    if head is not None:
        yield from _family(
            "registry_ledger_entries", "gauge", "Entries of the ledger, its tree's size.", _one(head.size)
        )
        age = _one(max(0, unix_ms(application.kernel.clock.now()) - head.last_ms) / 1000)
        yield from _family("registry_checkpoint_age_seconds", "gauge", "Time since the newest checkpoint.", age)
    every = _one(application.heartbeat.every_seconds)
    yield from _family("registry_heartbeat_seconds", "gauge", "Longest time without an entry; 0 for any.", every)
    keeper = application.high_water
    if keeper is not None:
        yield from _family(
            "registry_high_water_entries", "gauge", "Entries under the high-water mark.", _one(keeper.size)
        )
        behind = _one(int(keeper.is_behind))
        yield from _family("registry_high_water_failed", "gauge", "1 when the mark could not be raised.", behind)
    size = _database_bytes(application)
    if size is not None:
        yield from _family("registry_database_bytes", "gauge", "Size of the embedded database.", _one(size))


def _emergencies(application: Application) -> Iterator[str]:
    try:
        figures = application.break_glass.figures()
    except RegistryError:
        return  # a database that cannot be read says so above
    yield from _family(
        "registry_emergencies_unreviewed", "gauge", "Emergencies that wait for their review.", _one(figures.waiting)
    )
    yield from _family(
        "registry_emergencies_overdue", "gauge", "Of these, those whose review is late.", _one(figures.overdue)
    )


def _notices(application: Application, counted: Counted) -> Iterator[str]:
    attempts = (
        ({"channel": channel, "outcome": outcome}, number) for (channel, outcome), number in counted.notices.items()
    )
    yield from _family("registry_notice_attempts_total", "counter", "Notices by way out and outcome.", attempts)
    try:
        counts, oldest = application.notices.counts(), application.notices.oldest_ms()
    except RegistryError:
        return  # registry_ledger_readable says so
    told = (({"channel": channel, "state": state}, number) for (channel, state), number in sorted(counts.items()))
    yield from _family("registry_notices", "gauge", "Notices that wait to be sent (waiting) or were given up.", told)
    yield from _family("registry_notices_oldest_seconds", "gauge", "How long the oldest waits.", _one(oldest / 1000))


def _witnesses(application: Application) -> Iterator[str]:
    if application.witnesses is None:
        return
    try:
        standing = application.witnesses.standing(application.kernel.clock)
    except RegistryError:
        return  # the ledger's own figures tell
    figures = {
        "lag_entries": ("Entries that no quorum has seen.", standing.lag_entries),
        "lag_seconds": ("Time since the quorum had seen all entries.", standing.lag_ms / 1000),
        "alarm": ("1 when a witness has seen another ledger.", int(standing.alarm is not None)),
        "failing": ("Witnesses that did not cosign.", len(standing.failures)),
    }
    for name, (what, value) in figures.items():
        yield from _family(f"registry_witness_{name}", "gauge", what, _one(value))


def _process(application: Application) -> Iterator[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield from _family("registry_build_info", "gauge", "The program.", [({"version": registry.__version__}, 1)])
    yield from _family(
        "process_start_time_seconds", "gauge", "When the process began.", _one(application.meters.started_at)
    )
    cpu = round(used.ru_utime + used.ru_stime, 3)
    yield from _family("process_cpu_seconds_total", "counter", "Processor time used.", _one(cpu))
    yield from _family("process_threads", "gauge", "Threads of Python.", _one(threading.active_count()))
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number
    except (OSError, ValueError, IndexError):
        return  # another system than Linux
    resident = pages * resource.getpagesize()
    yield from _family("process_resident_memory_bytes", "gauge", "Memory in use.", _one(resident))
    yield from _family("process_open_fds", "gauge", "Open files and sockets.", _one(open_files))


def _head(application: Application) -> HeadRow | None:
    try:
        with application.database.reader() as reader:
            return reader.head()
    except RegistryError:
        return None


def _database_bytes(application: Application) -> int | None:
    if not application.settings.database_url.startswith("sqlite:///"):
        return None
    path = application.settings.database_url.removeprefix("sqlite:///")
    try:
        return sum(Path(name).stat().st_size for name in (path, f"{path}-wal") if Path(name).exists())
    except OSError:
        return None


def _family(name: str, kind: str, help_text: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield _line(name, labels, value)


def _histograms(name: str, help_text: str, found: Iterable[tuple[Mapping[str, object], Histogram]]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} histogram"
    for labels, histogram in found:
        below = 0
        for bound, count in zip((*histogram.bounds, "+Inf"), histogram.counts, strict=True):
            below += count
            yield _line(f"{name}_bucket", {**labels, "le": bound}, below)
        yield _line(f"{name}_sum", labels, histogram.total)
        yield _line(f"{name}_count", labels, below)


def _line(name: str, labels: Mapping[str, object], value: float) -> str:
    told = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _by(label: str, counts: Mapping[str, int]) -> Iterator[_Sample]:
    for word, number in sorted(counts.items()):
        yield {label: word}, number


def _one(value: float) -> list[_Sample]:
    return [({}, value)]
