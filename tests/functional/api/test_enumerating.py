"""Telling what is there by status, headers, length, statements or time of a refusal."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_petitions import NOTE, OTHER, TEXT, correction, disputed, looked_up, phone_of
from tests.functional.services.homes import person

VOLATILE = {"date", "x-request-id", "content-length"}
_OWN_RECEIPT = re.compile(rb'"index":\d+,"size":\d+,"code":"[^"]+"|(?<=/e1) \d+ \d+$')
NOBODYS = "0" * 32
PAIRS = 24
# Further apart than this are two samples of one distribution once in a million runs.
Z = 5.0

Way = tuple[str, str, Role, Any]


def ways(site: Site) -> list[tuple[Way, Way]]:
    """Return asks for somebody else's thing, each beside the same one for a thing that is not there."""
    phone = phone_of(site.enroll(OTHER))
    entry, dispute = looked_up(site, OTHER), disputed(site, OTHER)
    asked = correction(site, phone, number=OTHER).json()["id"]
    trace = site.post("/v1/traces", {"text": "Call 816-555-0142"}, Role.INVESTIGATOR).json()["trace"]
    request = waiting(site)
    paired: list[tuple[Way, str]] = [
        (("POST", f"/v1/me/disputes/{dispute}/reveal", Role.SUBJECT, None), dispute),
        (("POST", f"/v1/me/corrections/{asked}/reveal", Role.SUBJECT, None), asked),
        # One sort's id in the other sort's place.
        (("POST", f"/v1/disputes/{asked}/reveal", Role.AUDITOR, None), asked),
        (("POST", f"/v1/disputes/{asked}/answer", Role.AUDITOR, {"finding": "upheld", "note": NOTE}), asked),
        (("POST", f"/v1/corrections/{dispute}/reveal", Role.ENROLLER, None), dispute),
        (("POST", f"/v1/corrections/{dispute}/accept", Role.ENROLLER, {"note": NOTE}), dispute),
        (("POST", f"/v1/corrections/{dispute}/refuse", Role.ENROLLER, {"note": NOTE}), dispute),
        (("GET", f"/v1/requests/{request}", Role.READER, None), request),
        (("GET", f"/v1/traces/{trace}", Role.INVESTIGATOR, None), trace),
        (("POST", f"/v1/traces/{trace}/reveal", Role.INVESTIGATOR, None), trace),
    ]
    found: list[tuple[Way, Way]] = []
    for (method, path, role, body), named in paired:
        found.append(((method, path, role, body), (method, path.replace(named, NOBODYS), role, body)))
    bodies: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("/v1/me/disputes", {"entry": entry, "text": TEXT}, {"entry": 10**9, "text": TEXT}),
        ("/v1/me/corrections", {"record": phone, "text": TEXT}, {"record": NOBODYS, "text": TEXT}),
        ("/v1/me/disclosures", {"records": [phone]}, {"records": [NOBODYS]}),
    ]
    for path, theirs, nobodys in bodies:
        found.append((("POST", path, Role.SUBJECT, theirs), ("POST", path, Role.SUBJECT, nobodys)))
    return found


def waiting(site: Site) -> str:
    """Have another reader ask for what needs approval."""
    body = person("T-0005")
    body["records"][1]["confidentiality"] = "restricted"
    site.post("/v1/subjects", body, Role.ENROLLER)
    ask = {"employee_number": "T-0005", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    return str(site.disclose(ask).json()["request"])


def asking(site: Site) -> Callable[[Way], httpx2.Response]:
    """Return how the same curious person of each role asks, whose things these are not."""
    own = {Role.SUBJECT: NUMBER}
    tokens = {role: site.token(f"curious {role}", role, number=own.get(role)) for role in Role}

    def ask(way: Way) -> httpx2.Response:
        method, path, role, body = way
        sent: dict[str, Any] = {} if body is None else {"json": body}
        return site.http.request(method, path, headers={"Authorization": f"Bearer {tokens[role]}"}, **sent)

    return ask


def seen(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    """Return what somebody can compare; each refusal has an entry of its own, and so a receipt of its own."""
    headers = {name: _OWN_RECEIPT.sub(b"", value.encode()).decode() for name, value in answer.headers.items()}
    told = {name: value for name, value in headers.items() if name not in VOLATILE}
    return answer.status_code, told, _OWN_RECEIPT.sub(b"", answer.content)


def ranks_apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how many standard deviations the ranks of two samples are apart (Mann and Whitney, without ties)."""
    order = sorted([(taken, True) for taken in one] + [(taken, False) for taken in other])
    ranks = sum(rank for rank, (_, is_one) in enumerate(order, start=1) if is_one)
    n, m = len(one), len(other)
    return abs(ranks - n * (n + m + 1) / 2) / (n * m * (n + m + 1) / 12) ** 0.5


def test_status_headers_length_and_statements_tell_nothing(site: Site) -> None:
    site.enroll()
    ask = asking(site)
    counted = [0]

    def count(_: str) -> None:
        counted[0] += 1

    def watch(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(count)

    event.listen(Pool, "checkout", watch)
    try:
        for theirs, nobodys in ways(site):
            answers, costs = [], []
            for way in (theirs, nobodys) * 3:
                before = counted[0]
                answers.append(seen(ask(way)))
                costs.append(counted[0] - before)
            assert answers[0][0] == 404, theirs
            assert all(answer == answers[0] for answer in answers), theirs
            # Threads of the server's own may come in between, and only add.
            assert min(costs[::2]) == min(costs[1::2]) > 0, theirs
    finally:
        event.remove(Pool, "checkout", watch)


def test_times_tell_nothing(site: Site) -> None:
    """Interleaved in an order by chance, so that the machine's moods fall on both alike."""
    site.enroll()
    ask, chance = asking(site), random.Random(20_261_126)
    for theirs, nobodys in ways(site)[::2]:
        taken: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(PAIRS):
            for is_theirs in chance.sample((True, False), 2):
                started = time.perf_counter()
                ask(theirs if is_theirs else nobodys)
                taken[is_theirs].append(time.perf_counter() - started)
        middle = statistics.median(taken[True]) - statistics.median(taken[False])
        assert ranks_apart(taken[True], taken[False]) < Z or abs(middle) < 0.0005, theirs


def test_the_ranks_would_tell_a_difference() -> None:
    chance = random.Random(7)
    one, other = ([chance.expovariate(300) for _ in range(PAIRS)] for _ in range(2))
    assert ranks_apart(one, other) < Z
    assert ranks_apart(one, [taken + 0.01 for taken in other]) > Z


@pytest.mark.parametrize("number", [NUMBER, "T-7777"])
def test_without_the_role_nobody_learns_who_is_enrolled(site: Site, number: str) -> None:
    site.enroll()
    asked = {"employee_number": number, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    answers = [site.post("/v1/disclosures", asked, role) for role in Role if role is not Role.READER]
    problems = [{**answer.json(), "receipt": None} for answer in answers]
    assert problems == [problems[0]] * len(problems)
    assert (answers[0].status_code, problems[0]["reason"]) == (403, "not_permitted")
