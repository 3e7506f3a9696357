"""A bounded load from processes of their own, over kept-alive connections to this machine."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What to send: how many clients, for how long, with which token, about how many people."""

    port: int
    token: str
    clients: int
    seconds: float
    people: int


def run(load: Load) -> tuple[float, float, float]:
    """Return requests a second, and the median and 99th percentile in milliseconds."""
    processes = min(2, load.clients)
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        shares = [load.clients // processes + (number < load.clients % processes) for number in range(processes)]
        times = [
            one
            for part in pool.starmap(_clients, [(load, share, number) for number, share in enumerate(shares)])
            for one in part
        ]
    times.sort()
    return len(times) / load.seconds, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3


def _clients(load: Load, share: int, offset: int) -> list[float]:
    times: list[float] = []
    threads = [threading.Thread(target=_client, args=(load, offset * 1_000 + number, times)) for number in range(share)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _client(load: Load, number: int, times: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=30)
    headers = {"Authorization": f"Bearer {load.token}", "Content-Type": "application/json"}
    until = time.monotonic() + load.seconds
    while (started := time.monotonic()) < until:
        number += 1
        body = {
            "employee_number": f"B-{number % load.people:06}",
            "categories": ["home_address", "phone", "ssn", "date_of_birth", "email", "school"],
            "purpose": {"code": "safety", "case": "CASE-1", "note": "benchmark"},
        }
        connection.request("POST", "/v1/disclosures", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status}")
        times.append(time.monotonic() - started)
    connection.close()
