"""The filters of the ledger's listing, as a query or as a form has them: nothing personal, ids and words alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.clock import unix_ms
from registry.domain.enrollment import FieldProblem
from registry.domain.ids import PrincipalId, SubjectId, is_id
from registry.domain.purposes import PurposeCode, is_purpose_code
from registry.services.entry_filter import EntryFilter
from registry.text.moments import read_moment

FILTERS = ("kind", "principal", "subject", "category", "purpose", "outcome", "from", "to")
_WORD = re.compile(r"[a-z][a-z_]{0,39}")


def filter_of(given: Mapping[str, str], problems: list[FieldProblem]) -> EntryFilter:
    """Read the filters that are given; note what is wrong with them."""

    def read(name: str, is_good: Callable[[str], bool], code: str, make: Callable[[str], Any]) -> Any:
        text = given.get(name)
        if text is None:
            return None
        if not is_good(text):
            problems.append(FieldProblem(f"/query/{name}", code))
            return None
        return make(text)

    def moment(name: str) -> int | None:
        at: datetime | None = read(name, lambda text: read_moment(text) is not None, "not_a_moment", read_moment)
        return None if at is None else unix_ms(at)

    return EntryFilter(
        kind=read("kind", frozenset(Kind).__contains__, "not_one_of", Kind),
        principal=read("principal", is_id, "not_an_id", PrincipalId),
        subject=read("subject", is_id, "not_an_id", SubjectId),
        category=read("category", frozenset(Category).__contains__, "not_one_of", Category),
        purpose=read("purpose", is_purpose_code, "not_one_of", PurposeCode),
        outcome=read("outcome", lambda text: _WORD.fullmatch(text) is not None, "not_a_word", str),
        since_ms=moment("from"),
        until_ms=moment("to"),
    )
