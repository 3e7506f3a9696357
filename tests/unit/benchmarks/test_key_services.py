"""Reading OpenBao's audit log: which calls count, and how many were under way at a time."""

from __future__ import annotations

import json

from benchmarks.key_services import Storm, storm_of


def line(kind: str, path: str, keys: int) -> str:
    return json.dumps({"type": kind, "request": {"path": path, "data": {"batch_input": [{}] * keys}}})


def test_calls_under_way_are_those_without_a_response() -> None:
    mine, others = (
        "transit/decrypt/r1-data",
        ("transit/decrypt/r1-bodies", "transit/encrypt/r1-data", "auth/approle/login"),
    )
    lines = [
        line("request", mine, 3),
        line("request", others[0], 9),
        line("request", mine, 4),
        line("response", mine, 3),
    ]
    lines += [line(kind, path, 9) for path in others[1:] for kind in ("request", "response")]
    lines += [line("request", mine, 1), line("response", mine, 4), line("response", mine, 1)]
    assert storm_of(lines) == Storm(answered=0, calls=3, keys=8, at_a_time=2)
