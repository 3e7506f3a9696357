"""Whether what is stored opens, whichever keys it is wrapped under."""

from __future__ import annotations

from registry.bootstrap import inspected
from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from tests.functional.services.homes import Home


def everything_opens(home: Home) -> bool:
    """Open it in a process that starts now, with an empty cache."""
    with inspected(home.app.settings, home.clock) as fresh:
        there = Home(fresh, home.clock)
        reader = there.caller("reader", Role.READER)
        for number in ("T-0001", "T-0002"):
            (hit,) = fresh.search.search(reader, fresh.search.by_number(number)).hits
            answer = there.disclose(reader, there.ask(hit.subject, Category.PHONE))
            assert isinstance(answer, Disclosed)
            assert len(answer.fields) == 1
    return True
