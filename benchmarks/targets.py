"""What is measured: servers that run for a while, and what to ask them."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import UnsoundRun

_START_SECONDS = 300  # a busy machine takes its time; a process that ends is told at once
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A running server with its load.

    Attributes:
        name: as the table shows it.
        port: where it answers.
        roots: process ids; all of their trees count as the server.
        requests: what to send; one of them at random each time.
        expected: what every answer must hold.
        entries: counts the entries of its ledger, where it has one.
        each: subjects that one request looks up.
        metrics: gives the addresses of the metrics of its processes, where it has any.
    """

    name: str
    port: int
    roots: tuple[int, ...]
    requests: Sequence[bytes] = field(repr=False)
    expected: Sequence[bytes]
    entries: Callable[[], int] | None = None
    each: int = 1
    metrics: Callable[[], Sequence[str]] | None = None


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends.

    Raises:
        UnsoundRun: it did not start.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
        )
        try:
            _await_port(process, port, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def try_one(target: Target) -> None:
    """Ask once, and look at the answer.

    Raises:
        UnsoundRun: it is not what it must be.
    """
    with socket.create_connection(("127.0.0.1", target.port), timeout=_START_SECONDS) as connection:
        connection.sendall(target.requests[0])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    if answer.status != http.HTTPStatus.OK or not all(part in body for part in target.expected):
        raise UnsoundRun(f"{target.name} answered {answer.status}: {body[:300]!r}")


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise UnsoundRun(f"{' '.join(process.args)} did not start: {log.read_text()[-1000:]}")  # type: ignore[arg-type]  # we gave a list of texts
