"""Once a text is matched, nothing that was worked out of opened names and values is kept."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from registry.leaktrace.decide import decide
from registry.services import match
from registry.services.few_collections import RARELY
from registry.services.trace import TraceAsk
from registry.text.remembering import count_remembered, forget
from tests.functional.services.homes import Home
from tests.functional.services.test_erase import LEAK, inspector


def test_nothing_of_whom_a_text_was_compared_with_is_kept(sqlite_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home, kept = sqlite_home, list[int]()
    home.enroll()
    forget()

    def counted(*arguments: Any) -> Any:
        decided = decide(*arguments)
        kept.append(count_remembered())
        return decided

    monkeypatch.setattr(match, "decide", counted)
    matched = home.app.matcher.match(inspector(home), LEAK, detail="test")
    assert matched.matching.findings
    assert all(kept)
    assert count_remembered() == 0
    matched.written(matched.matching.findings)
    assert count_remembered() == 0
    matched.tried()
    assert count_remembered() == 0
    home.app.trace.trace(inspector(home), TraceAsk(LEAK))
    assert count_remembered() == 0


def test_nothing_is_kept_of_a_text_whose_matching_failed(sqlite_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home = sqlite_home
    home.enroll()

    def failing(*arguments: Any) -> Any:
        decide(*arguments)
        assert count_remembered()
        raise MemoryError

    monkeypatch.setattr(match, "decide", failing)
    with pytest.raises(MemoryError):
        home.app.matcher.match(inspector(home), LEAK, detail="test")
    assert count_remembered() == 0


def test_the_collector_is_asked_rarely_while_a_text_is_matched(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, seen, before = sqlite_home, list[object](), gc.get_threshold()
    home.enroll()

    def looked(*arguments: Any) -> Any:
        seen.append(gc.get_threshold())
        return decide(*arguments)

    monkeypatch.setattr(match, "decide", looked)
    home.app.trace.trace(inspector(home), TraceAsk(LEAK))
    assert set(seen) == {RARELY}
    assert gc.get_threshold() == before
