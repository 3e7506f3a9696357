"""``registry trace-name`` and ``trace-draws``: two people, nobody below strong, the same here and over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from registry.api.server import serving
from registry.domain.approvals import Verdict
from registry.domain.ids import RequestId, TraceId
from registry.domain.principals import Role
from registry.services.approvals import Word
from tests.functional.cli.conftest import Line
from tests.functional.services.homes import Home, make_template, open_copy
from tests.functional.services.test_naming import REASON, investigated, strong

WHY = ("--reason", REASON)


class Far(NamedTuple):
    """A served registry with a trace that calls an account strong, and a command line of whoever ran it."""

    home: Home
    line: Line
    trace: str
    account: str


@pytest.fixture
def far(quiet: None, tmp_path: Path) -> Iterator[Far]:
    home = open_copy(make_template(tmp_path / "template"), tmp_path / "home")
    _, _, traced = investigated(home)
    token = home.app.development_issuer().issue(
        "investigator", (Role.INVESTIGATOR,), ttl_seconds=600, now=home.clock.now()
    )
    nowhere = tmp_path / "nowhere"
    with serving(home.app) as url:
        line = Line(nowhere, {"REGISTRY_HOME": str(nowhere), "REGISTRY_URL": url, "REGISTRY_TOKEN": token})
        yield Far(home, line, traced.trace, strong(traced))
    assert not nowhere.exists()
    home.app.close()


def test_a_name_takes_another_person(far: Far) -> None:
    order = ("trace-name", far.trace, far.account, *WHY)
    waiting = far.line(*order, exits=3)
    found = re.search(r"request ([0-9a-f]{32})", waiting.stderr)
    assert found is not None, waiting.stderr
    assert "the reader" not in waiting.output
    approver = far.home.caller("approver", Role.APPROVER)
    far.home.app.approvals.decide(approver, Word(RequestId(found[1]), Verdict.APPROVE))
    named = far.line.json(*order)
    assert named["name"].endswith("the reader")
    assert (named["trace"], named["account"]) == (far.trace, far.account)
    assert named["receipt"]["index"] > 0
    far.line(*order, exits=3)  # an approval is used once


def test_nobody_is_named_below_strong(far: Far) -> None:
    other = "Account 1" if far.account != "Account 1" else "Account 2"
    assert "conflict: below_strong" in far.line("trace-name", far.trace, other, *WHY, exits=2).stderr
    unknown = far.line("trace-name", "0" * 32, far.account, *WHY, exits=2).stderr
    assert "not found, or not yours" in unknown
    assert "employee" not in unknown


def test_draws_are_opened_once(far: Far) -> None:
    told = far.line("trace-draws", far.trace, *WHY).stdout
    assert "the evidence bundle has the keys now" in told
    assert "conflict: exists" in far.line("trace-draws", far.trace, *WHY, exits=2).stderr


def test_a_trace_of_this_machine(used: Line) -> None:
    trace = used.json("trace", "-", stdin="nothing of anybody")["trace"]
    assert "conflict: below_strong" in used("trace-name", trace, "Account 1", *WHY, exits=2).stderr
    assert "conflict: nothing_drawn" in used("trace-draws", trace, *WHY, exits=2).stderr
    assert "32 hexadecimal digits" in used("trace-draws", "x", *WHY, exits=2).stderr
    wrong = used("trace-name", trace, "the reader", "--reason", "short", exits=2).stderr
    assert "ACCOUNT unknown_value" in wrong
    assert "--reason too_short" in wrong


def test_a_case_is_kept_from_the_command_line(far: Far, tmp_path: Path) -> None:
    note = far.line.json("case", "note", far.trace, "asked the forum for its log")
    assert (note["trace"], note["state"]) == (far.trace, "open")
    told = far.line.json(
        "case", "reply", far.trace, "It was for a call.", "--by", "account_holder", "--account", far.account
    )
    assert told["state"] == "answered"
    far.line.json("case", "reply", far.trace, "I was told nothing.", "--by", "subject")
    replies = far.home.app.trace.get(
        far.home.caller("investigator", Role.INVESTIGATOR), TraceId(far.trace)
    ).report.replies
    assert [(one.by.value, one.account) for one in replies] == [("account_holder", far.account), ("subject", "")]
    seen = tmp_path / "seen.txt"
    seen.write_text("nobody is in here", encoding="utf-8")
    later = far.line.json(
        "case", "add", far.trace, str(seen), "--published-at", "2026-03-02", "--url", "https://b.example/1"
    )
    assert (later["new_values"], later["continued_by"]) == (0, None)
    assert far.line.json("case", "state", far.trace, "closed", *WHY)["state"] == "closed"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (("case", "reply", "TRACE", "Said.", "--by", "boss"), "--by"),
        (("case", "reply", "TRACE", "Said.", "--by", "account_holder"), "--account goes with"),
        (("case", "reply", "TRACE", "Said.", "--by", "unit", "--account", "Account 1"), "--account goes with"),
        (("case", "state", "TRACE", "gone", *WHY), "gone"),
        (("case", "note", "no id", "Said."), "TRACE"),
    ],
)
def test_a_wrong_case_command_is_told(far: Far, order: tuple[str, ...], words: str) -> None:
    told = far.line(*[far.trace if one == "TRACE" else one for one in order], exits=2)
    assert words in told.stderr
