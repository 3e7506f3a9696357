"""A quota counts over all processes: many clients of one account at once see exactly as many people as it may."""

from __future__ import annotations

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from registry.audit.kinds import Kind
from registry.bootstrap import opened
from tests.fakes.clock import TestClock
from tests.fakes.plain_http import plain_client
from tests.functional.services.homes import Home
from tests.processes.conftest import City

LIMIT = 7
CLIENTS = 32
ASKS = 6  # of each client, of people that others ask for too


def test_thirty_two_clients_of_several_processes_see_exactly_as_many_people(city: City) -> None:
    with (city.home / "config.toml").open("a") as settings:
        settings.write(f"\n[brakes]\nsubjects_per_day = {LIMIT}\n")
    homes = [city.home]
    if city.database:  # another machine, which shares the database alone
        homes.append(shutil.copytree(city.home, city.home.with_name("another")))
    servers = [city.server(workers=2, home=home) for home in homes]
    if not city.database:  # and a process that nobody else started
        servers.append(city.server(home=city.home))
    for server in servers:
        server.start()

    def scrape(number: int) -> list[tuple[str, int]]:
        url = servers[number % len(servers)].ready["url"]
        headers = {"Authorization": f"Bearer {city.reader}"}
        said = []
        with plain_client(url, headers=headers, timeout=60) as client:
            for step in range(ASKS):
                subject = city.subjects[(number * 5 + step) % len(city.subjects)]
                body = {"subject": subject, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
                status = 503
                while status == 503:  # busy: nothing was answered, and it may be asked again
                    status = client.post("/v1/disclosures", json=body).status_code
                said.append((subject, status))
        return said

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [one for said in pool.map(scrape, range(CLIENTS)) for one in said]
    for server in servers:
        assert server.stop() == 0

    assert set(Counter(status for _, status in answers)) == {200, 429}
    assert len({subject for subject, status in answers if status == 200}) == LIMIT
    with opened(servers[0].settings) as application:
        shown = [one.values or {} for one in Home(application, TestClock()).entries() if one.kind == Kind.DISCLOSE]
    assert {said["subject"] for said in shown} == {subject for subject, status in answers if status == 200}
    assert len(shown) == sum(status == 200 for _, status in answers)
