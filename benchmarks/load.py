"""The load: clients that each send the next request as soon as the last one is answered, over kept-alive connections.

Where a rate is given they send at times of their own instead, and a request counts from when it was due.
``wrk`` plays it where it is installed. Else clients of our own do, which take more of the machine than wrk does and so
leave less of it to a fast server: the table says which it was.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("load.lua")
_TIMEOUT_SECONDS = 30
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class UnsoundRun(Exception):
    """Some answers were errors, or not as many as were recorded: there is no figure."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send.

    Attributes:
        port: on this machine.
        requests: whole HTTP requests, one of them is taken at random each time.
        clients: connections, each with one request on its way.
        seconds: for how long.
        rate: requests a second of all clients together; 0 for as many as are answered.
    """

    port: int
    requests: Sequence[bytes]
    clients: int
    seconds: float
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a load: answers, the seconds it took, median and 99th percentile in seconds."""

    count: int
    seconds: float
    p50: float
    p99: float


def generator() -> str:
    """Name what plays the load."""
    return "wrk, one thread" if shutil.which("wrk") else "asyncio clients in one process (wrk is not installed)"


def play(load: Load) -> Answered:
    """Play a load.

    Raises:
        UnsoundRun: there was an error among the answers.
    """
    is_unbound = not load.rate and shutil.which("wrk") is not None
    count, seconds, p50, p99, errors = _with_wrk(load) if is_unbound else asyncio.run(_with_asyncio(load))
    if errors or not count:
        raise UnsoundRun(f"{errors} errors in {count} answers")
    return Answered(count, seconds, p50, p99)


def http_request(method: str, path: str, headers: Sequence[str], body: bytes = b"") -> bytes:
    """Write one request to this machine."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _with_wrk(load: Load) -> tuple[int, float, float, float, int]:
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        file.write(b"".join(request + b"\0" for request in load.requests))
        file.flush()
        address = f"http://127.0.0.1:{load.port}"
        command = ["wrk", "-t1", f"-c{load.clients}", f"-d{load.seconds:.0f}s", f"--timeout={_TIMEOUT_SECONDS}s"]
        told = subprocess.run(
            [*command, "-s", str(_SCRIPT), address],
            env={**os.environ, "LOAD_REQUESTS": file.name},
            capture_output=True,
            text=True,
            check=False,
            timeout=load.seconds + 4 * _TIMEOUT_SECONDS,
        )
    found = re.search(r"^FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)$", told.stdout, re.MULTILINE)
    if found is None:
        raise UnsoundRun(f"wrk: {told.stdout[-500:]}{told.stderr[-500:]}")
    count, micros, p50, p99, errors = map(int, found.groups())
    return count, micros / 1e6, p50 / 1e6, p99 / 1e6, errors


async def _with_asyncio(load: Load) -> tuple[int, float, float, float, int]:
    times: list[float] = []
    started = time.monotonic()
    clients = [_client(load, number, started, times) for number in range(load.clients)]
    errors = sum(isinstance(ended, BaseException) for ended in await asyncio.gather(*clients, return_exceptions=True))
    seconds = time.monotonic() - started
    times.sort()
    if not times:
        return 0, seconds, 0.0, 0.0, errors
    return len(times), seconds, times[len(times) // 2], times[int(len(times) * 0.99)], errors


async def _client(load: Load, number: int, start: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    pause = load.clients / load.rate if load.rate else 0.0
    due, until = start + pause * number / load.clients, start + load.seconds
    try:
        while (started := max(due, time.monotonic()) if pause else time.monotonic()) < until:
            if pause:
                await asyncio.sleep(started - time.monotonic())
                started, due = due, due + pause
            writer.write(random.choice(load.requests))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _TIMEOUT_SECONDS)
            length = _LENGTH.search(head)
            if head[9:12] != b"200" or length is None:
                raise UnsoundRun(head[:200].decode("latin-1"))
            await reader.readexactly(int(length[1]))
            times.append(time.monotonic() - started)
    finally:
        writer.close()
