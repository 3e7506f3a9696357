"""A served registry sends by itself, and counts what it sends; the recipe for receivers does what it says."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.api.metrics import metrics_page
from registry.api.server import serving
from registry.notify.webhooks import key_of, sign
from registry.services.send_notices import SentCount
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_metrics import ASK, samples
from tests.functional.services.homes import Home, person
from tests.functional.services.receivers import SECRET, Receiver, hook, look_up, notifying, opened_again, receiving


def recipe() -> Callable[..., bool]:
    """Return the check that docs/operations.md gives to receivers."""
    text = Path("docs/operations.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(import base64.*?)```", text, re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)
    check: Callable[..., bool] = told["check"]
    return check


def test_a_server_sends_by_itself_and_counts(home: Home) -> None:
    with receiving() as receiver:
        sending = opened_again(home, hook(home, receiver.url))
        sending.enroll(person(NUMBER))
        with serving(sending.app) as url, plain_client(url) as client:
            site = Site(sending, url, client, contract=None)  # type: ignore[arg-type]  # nothing is described here
            for _ in range(3):
                assert site.disclose(ASK).status_code == 200
            found = _until_sent(site, receiver, 3)
            assert found['registry_notice_attempts_total{channel="webhook",outcome="sent"}'] == 3
            assert found["registry_notices_oldest_seconds"] == 0
            receiver.status = 500
            assert site.disclose(ASK).status_code == 200
            found = _until_sent(site, receiver, 4)
    assert found['registry_notices{channel="webhook",state="waiting"}'] == 1


def _until_sent(site: Site, receiver: Receiver, number: int) -> dict[str, float]:
    deadline = time.monotonic() + 15
    key = 'registry_notice_attempts_total{channel="webhook",outcome="%s"}'
    while True:
        found = samples(metrics_page(site.home.app))
        if sum(found.get(key % outcome, 0) for outcome in ("sent", "failed")) >= number:
            assert len(receiver.got) == number
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


@pytest.mark.parametrize(
    "changed", ["webhook-id", "webhook-timestamp", "webhook-signature", "body", "secret", "seen", "late"]
)
def test_the_recipe_for_receivers(home: Home, changed: str) -> None:
    with receiving() as receiver, notifying(home, hook(home, receiver.url)) as sending:
        look_up(sending)
        assert sending.app.notices.send_due() == SentCount(1, 0)
    ((headers, body),) = receiver.got
    headers = {name: text for name, text in headers.items() if name.startswith("webhook-")}
    changes: dict[str, dict[str, Any]] = {
        "webhook-id": {"headers": headers | {"webhook-id": f"msg_{'0' * 32}"}},
        "webhook-timestamp": {"headers": headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}},
        "webhook-signature": {"headers": headers | {"webhook-signature": "v1,AAAA"}},
        "body": {"body": body + b" "},
        "secret": {"secret": "whsec_" + "A" * 32},
        "seen": {"seen": {headers["webhook-id"]}},
        "late": {"headers": signed_at(headers, body, int(headers["webhook-timestamp"]) - 400)},
    }
    given: dict[str, Any] = {"secret": SECRET, "headers": headers, "body": body, "seen": set()}
    check = recipe()
    assert check(**given)
    assert not check(**given | changes[changed])


def signed_at(headers: dict[str, str], body: bytes, timestamp: int) -> dict[str, str]:
    signature = sign(key_of(SECRET), headers["webhook-id"], timestamp, body)
    return headers | {"webhook-timestamp": str(timestamp), "webhook-signature": signature}
