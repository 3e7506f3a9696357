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

KILLS = [pytest.param(4, marks=pytest.mark.timeout(240)), pytest.param(200, marks=pytest.mark.slow)]
WORKERS = 2
CLIENTS = 12


@pytest.mark.parametrize("kills", KILLS)
def test_every_notice_arrives_and_none_is_made_up(city: City, rng: random.Random, kills: int) -> None:
    secret = city.home / "webhook.secret"
    secret.write_text(SECRET, "ascii")
    secret.chmod(0o600)
    with receiving() as receiver:
        told = f'[notify.webhook]\nurl = "{receiver.url}"\nsecret_file = "webhook.secret"\n'
        (city.home / "config.toml").write_text(told, "ascii")
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
    arrived: Counter[int] = Counter()
    by_id: dict[str, set[int]] = {}
    for headers, body in receiver.got:
        verify(key, headers, body, int(headers["webhook-timestamp"]))
        index = json.loads(body)["data"]["entry"]
        arrived[index] += 1
        by_id.setdefault(headers["webhook-id"], set()).add(index)
    assert set(arrived) == shown
    assert len(shown) >= kills * 20
    assert all(len(indexes) == 1 for indexes in by_id.values())
    assert len(by_id) == len(shown)  # sent again only under the id of before
    assert sum(arrived.values()) - len(shown) <= kills * WORKERS * _AT_ONCE
