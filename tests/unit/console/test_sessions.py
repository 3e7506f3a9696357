from __future__ import annotations

from registry.console.sessions import (
    IDLE_SECONDS,
    LINK_PATH,
    LINK_SECONDS,
    MAX_LINKS,
    Sessions,
    SignInLinks,
)
from tests.fakes.clock import TestClock

HOUR = 3600


def ends(clock: TestClock, seconds: float = HOUR) -> float:
    return clock.now().timestamp() + seconds


def test_a_session_is_found_by_its_id_only() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    one, other = sessions.open("token-1", ends(clock)), sessions.open("token-2", ends(clock))
    assert len(one) >= 43
    first, second = sessions.find(one), sessions.find(other)
    assert first is not None
    assert second is not None
    assert (first.token, second.token) == ("token-1", "token-2")
    assert first.form_token != second.form_token
    assert sessions.find(one[:-1]) is None
    assert sessions.find("") is None


def test_a_session_ends_with_its_token_however_busy() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    identifier = sessions.open("token", ends(clock, 3 * IDLE_SECONDS))
    for _ in range(5):
        clock.step(IDLE_SECONDS / 2)
        assert sessions.find(identifier) is not None
    clock.step(IDLE_SECONDS / 2)
    assert sessions.find(identifier) is None
    assert len(sessions) == 0


def test_an_idle_session_ends() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    identifier = sessions.open("token", ends(clock))
    clock.step(IDLE_SECONDS - 1)
    assert sessions.find(identifier) is not None
    clock.step(IDLE_SECONDS)
    assert sessions.find(identifier) is None


def test_an_ended_session_is_gone_and_ending_twice_is_no_error() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    identifier = sessions.open("token", ends(clock))
    sessions.end(identifier)
    sessions.end(identifier)
    assert sessions.find(identifier) is None


def test_a_full_table_gives_up_what_is_over_and_then_what_was_unused_longest() -> None:
    clock = TestClock()
    sessions = Sessions(clock, capacity=2)
    short = sessions.open("short", ends(clock, 1))
    used = sessions.open("used", ends(clock))
    clock.step(2)
    unused = sessions.open("unused", ends(clock))
    assert sessions.find(short) is None
    clock.step(1)
    assert sessions.find(used) is not None
    newest = sessions.open("newest", ends(clock))
    assert sessions.find(unused) is None
    assert sessions.find(used) is not None
    assert sessions.find(newest) is not None


def test_a_notice_is_given_once() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    session = sessions.find(sessions.open("token", ends(clock)))
    assert session is not None
    session.notice = "Done."
    assert (session.take_notice(), session.take_notice()) == ("Done.", "")


def test_nothing_secret_is_in_a_repr() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    session = sessions.find(sessions.open("the-token", ends(clock)))
    assert session is not None
    assert "the-token" not in repr(session)
    assert session.form_token not in repr(session)


def code_of(path: str) -> str:
    assert path.startswith(LINK_PATH)
    return path.removeprefix(LINK_PATH)


def test_a_link_can_be_looked_at_often_and_used_once() -> None:
    links = SignInLinks(TestClock())
    code = code_of(links.issue("token"))
    assert len(code) >= 43
    assert links.is_good(code)
    assert links.is_good(code)
    assert links.take(code) == "token"
    assert links.take(code) is None
    assert not links.is_good(code)


def test_a_link_is_good_for_ten_minutes() -> None:
    clock = TestClock()
    links = SignInLinks(clock)
    one, other = code_of(links.issue("token-1")), code_of(links.issue("token-2"))
    clock.step(LINK_SECONDS - 1)
    assert links.take(one) == "token-1"
    clock.step(1)
    assert not links.is_good(other)
    assert links.take(other) is None


def test_a_code_that_was_never_issued_is_not_good() -> None:
    links = SignInLinks(TestClock())
    code = code_of(links.issue("token"))
    for wrong in ("", code[:-1], code + "A", "\udc80"):
        assert not links.is_good(wrong)
        assert links.take(wrong) is None
    assert links.take(code) == "token"


def test_only_so_many_links_are_kept() -> None:
    links = SignInLinks(TestClock())
    codes = [code_of(links.issue(f"token-{number}")) for number in range(MAX_LINKS + 1)]
    assert links.take(codes[0]) is None
    assert links.take(codes[1]) == "token-1"
    assert links.take(codes[-1]) == f"token-{MAX_LINKS}"
