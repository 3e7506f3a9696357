"""``kill -9`` while notices are queued and sent: each arrives, at least once, and none without its entry."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from registry.bootstrap import open_application
from registry.notify.webhooks import key_of, verify
from registry.services.send_notices import _AT_ONCE, LEASE_MS
from tests.fakes.clock import TestClock
from tests.functional.services.receivers import SECRET, receiving
from tests.processes.conftest import City

KILLS = [
    pytest.param(4, marks=pytest.mark.timeout(240)),
    pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)]),
]
WORKERS = 2
CLIENTS = 12


@pytest.mark.parametrize("kills", KILLS)
def test_every_notice_arrives_and_none_is_made_up(city: City, rng: random.Random, kills: int) -> None:
    secret = city.home / "webhook.secret"
    secret.write_text(SECRET, "ascii")
    secret.chmod(0o600)
    with receiving() as receiver:
        settings = f'[notify.webhook]\nurl = "{receiver.url}"\nsecret_file = "webhook.secret"\n'
        (city.home / "config.toml").write_text(settings, "ascii")
        server = city.server(WORKERS)
        server.start()
        clients = city.clients(CLIENTS, server)
        with clients.asking():
            for _ in range(kills):
                clients.wait_for_more(rng.randrange(20, 60))
                before = len(receiver.got)
                deadline = time.monotonic() + 5
                while len(receiver.got) == before and time.monotonic() < deadline:
                    time.sleep(0.005)
                time.sleep(rng.random() / 20)
                for victim in server.worker_ids():
                    os.kill(victim, signal.SIGKILL)
        server.kill()
        # What a killed process had claimed is free when its claim is over; nobody waits for that here.
        clock = TestClock(datetime.now(UTC) + timedelta(milliseconds=LEASE_MS + 1_000))
        application = open_application(server.settings, clock)
        try:
            application.notices.send_due()
            assert application.notices.counts() == {}
            with application.database.reader() as reader:
                rows = list(reader.scan(0, reader.head().size))
            entries = [application.audit.read(row) for row in rows]
        finally:
            application.close()
    shown = {entry.index for entry in entries if entry.kind == "disclose"}
    key = key_of(SECRET)
    sent: Counter[str] = Counter()
    told: dict[str, tuple[int, ...]] = {}
    for headers, body in receiver.got:
        verify(key, headers, body, int(headers["webhook-timestamp"]))
        data, name = json.loads(body)["data"], headers["webhook-id"]
        entries_told = tuple(data.get("entries", [data["entry"]]))
        assert told.setdefault(name, entries_told) == entries_told  # sent again as it was
        sent[name] += 1
    assert sorted(index for entries in told.values() for index in entries) == sorted(shown)
    assert len(shown) >= kills * 20
    assert sum(sent.values()) - len(told) <= kills * WORKERS * _AT_ONCE
