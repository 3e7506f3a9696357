"""Keys under dual control: nothing is exchanged or destroyed at the machine before two persons agreed to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from registry.bootstrap import key_life, ledger_key, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, State, Verdict
from registry.domain.errors import AccessDenied, ApprovalNeeded, Conflict, KeyUnavailable, MisconfiguredHome
from registry.domain.ids import RequestId
from registry.domain.principals import Role
from registry.services.approvals import Word
from registry.services.compromises import Compromise
from registry.services.kernel import Caller
from registry.services.key_changes import command_of, is_change
from registry.services.principals import LEAVE
from registry.storage.roles import APPLICATION, RETENTION
from registry.upkeep.compromise import Replaced, replace_key
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import ISSUER, Home, person

WHO = "local:somebody"
KEEPER = "registry_rewrapper"
REASON = "yearly exchange, ticket OPS-118"
HOUR = 3_600


@pytest.fixture
def controlled(request: pytest.FixtureRequest, home: Home) -> Home:
    """The same registry, opened by who may exchange keys, with keys, policies and settings under dual control."""
    home.app.close()
    settings, url = home.app.settings, home.app.settings.database_url
    if url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres")
        server.create_login(KEEPER, f"{APPLICATION}, {RETENTION}")
        settings = replace(settings, database_url=url.replace("registry_server", KEEPER))
    approvals = {"dual_control": frozenset({Action.KEYS, Action.POLICY})}
    home.app = open_application(replace(settings, approvals=approvals), home.clock)
    return home


def needed(home: Home, change: str, by: Caller | None = None) -> RequestId:
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.key_changes.ask(by or home.caller("admin", Role.SECURITY_ADMIN, number="T-0090"), change, REASON)
    return waiting.value.request


def approve(home: Home, request: RequestId, name: str = "approver", number: str | None = None) -> State:
    approver = home.caller(name, Role.APPROVER, number=number)
    return State(home.app.approvals.decide(approver, Word(request, Verdict.APPROVE, "seen"))[0].state)


def agreed(home: Home, change: str) -> RequestId:
    request = needed(home, change)
    assert approve(home, request) is State.APPROVED
    return request


def current(home: Home, purpose: str = "data") -> str:
    facts = home.app.keyring.key_facts()
    return next(one.key_id for one in facts if one.purpose == purpose and one.retired is None)


def rotate(home: Home) -> object:
    return key_life(home.app).rotate("data", operator=WHO)


def state(home: Home, request: RequestId) -> str:
    return home.app.approvals.get(home.caller("admin", Role.SECURITY_ADMIN, number="T-0090"), request).view.state


def last(home: Home) -> tuple[str, str, str]:
    entry = home.entries()[-1]
    values = entry.values or {}
    return entry.kind, values["request"], values["result"]


def refused(home: Home, call: Callable[[], object]) -> None:
    before = home.app.keyring.key_facts()
    with pytest.raises(KeyUnavailable) as error:
        call()
    assert error.value.code == "approval_required"
    assert home.app.keyring.key_facts() == before
    assert last(home)[2] == "refused approval_required"


def test_a_key_is_exchanged_once_by_two_persons(controlled: Home) -> None:
    home, before = controlled, current(controlled)
    refused(home, lambda: rotate(home))
    request = needed(home, "rotate data")
    refused(home, lambda: rotate(home))
    detail = home.app.approvals.get(home.caller("approver", Role.APPROVER), request)
    assert (detail.view.action, detail.told, detail.note) == (Action.KEYS, "rotate data", REASON)
    assert approve(home, request) is State.APPROVED
    with pytest.raises(Conflict, match="approved"):
        needed(home, "rotate data")
    assert rotate(home) == current(home) != before
    assert state(home, request) == State.USED
    refused(home, lambda: rotate(home))
    assert needed(home, "rotate data") != request
    verify_ledger(home.app, 1)
    home.app.row_check.check()


@pytest.mark.parametrize("other", ["rotate bodies", "rewrap", "rekey-index", "rotate ledger", "shred data-1"])
def test_what_was_approved_is_for_this_change_alone(controlled: Home, other: str) -> None:
    agreed(controlled, other)
    refused(controlled, lambda: rotate(controlled))


def test_stored_keys_are_wrapped_anew_by_two_persons(controlled: Home) -> None:
    home = controlled
    home.enroll(person())
    refused(home, lambda: key_life(home.app).rewrap(operator=WHO))
    agreed(home, "rotate data")
    rotate(home)
    request = agreed(home, "rewrap")
    assert key_life(home.app).rewrap(operator=WHO).failed == 0
    assert state(home, request) == State.USED
    refused(home, lambda: key_life(home.app).rewrap(operator=WHO))
    home.app.row_check.check()


def test_a_round_that_was_stopped_goes_on_with_the_same_approval(
    controlled: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = controlled
    home.enroll(person())
    agreed(home, "rotate data")
    rotate(home)
    request = agreed(home, "rewrap")

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        key_life(home.app).rewrap(operator=WHO, progress=stop)
    assert state(home, request) == State.APPROVED
    key_life(home.app).rewrap(operator=WHO)
    assert state(home, request) == State.USED


def test_an_earlier_key_is_destroyed_by_two_persons_and_a_refusal_uses_nothing_up(controlled: Home) -> None:
    home, former = controlled, current(controlled)
    agreed(home, "rotate data")
    rotate(home)
    refused(home, lambda: key_life(home.app).discard(former, operator=WHO))
    request = agreed(home, f"shred {former}")
    with pytest.raises(KeyUnavailable, match="exchanged less than"):
        key_life(home.app).discard(former, operator=WHO)
    assert state(home, request) == State.APPROVED
    home.clock.step(HOUR)
    key_life(home.app).discard(former, operator=WHO)
    assert state(home, request) == State.USED
    assert former not in {one.key_id for one in home.app.keyring.key_facts()}


def test_the_ledgers_key_is_exchanged_by_two_persons(controlled: Home) -> None:
    home = controlled
    pair = home.app.signing.pair
    refused(home, lambda: ledger_key(home.app).exchange(operator=WHO))
    assert home.app.signing.pair == pair
    assert home.app.signing.following is None
    request = agreed(home, "rotate ledger")
    done = ledger_key(home.app).exchange(operator=WHO)
    assert home.app.signing.pair == done.current != pair
    assert state(home, request) == State.USED
    verify_ledger(home.app, 1)
    home.app.row_check.check()
    refused(home, lambda: ledger_key(home.app).exchange(operator=WHO))


def test_a_compromised_key_is_replaced_by_two_persons(controlled: Home) -> None:
    home, pair = controlled, controlled.app.signing.pair
    key_id, since = pair.key.key_id.hex(), home.clock.now()
    asked = f"compromise {key_id}"

    def replaced() -> Replaced:
        return replace_key(home.app, Compromise(key_id, since, None, REASON))

    refused(home, replaced)
    assert (home.app.signing.pair, home.app.signing.following) == (pair, None)
    request = needed(home, asked)
    refused(home, replaced)
    with pytest.raises(AccessDenied):  # who asked, under another account
        approve(home, request, "twin", "T-0090")
    refused(home, replaced)
    agreed(home, "compromise 00000000")
    agreed(home, "rotate ledger")
    refused(home, replaced)
    assert approve(home, request) is State.APPROVED
    done = replaced()
    assert home.app.signing.pair == done.keys != pair
    assert state(home, request) == State.USED
    used, stated = home.entries()[done.entry - 1 : done.entry + 1]
    assert ((used.values or {})["request"], request in (used.values or {})["detail"]) == (asked, True)
    assert ((stated.values or {})["request"], (stated.values or {})["note"]) == (pair.words(), REASON)
    assert replaced().trusted is None  # nothing is left to be done, and nobody's word is needed for that
    verify_ledger(home.app, 1)
    home.app.row_check.check()


def test_an_approval_runs_out(controlled: Home) -> None:
    agreed(controlled, "rotate data")
    controlled.clock.step(25 * HOUR)
    refused(controlled, lambda: rotate(controlled))


def test_nobody_agrees_alone_nor_under_another_role(controlled: Home) -> None:
    home = controlled
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        with pytest.raises(AccessDenied):
            home.app.key_changes.ask(home.caller(f"the {role}", role), "rotate data", REASON)
    request = needed(home, "rotate data")
    with pytest.raises(AccessDenied):
        approve(home, request, "twin", "T-0090")
    refused(home, lambda: rotate(home))


@pytest.mark.parametrize("who", ["admin", "approver"])
def test_the_word_of_who_has_left_counts_no_more(controlled: Home, who: str) -> None:
    home = controlled
    agreed(home, "rotate data")
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, who)
    assert row is not None
    home.app.principals.change(row.id, LEAVE, operator=WHO)
    refused(home, lambda: rotate(home))


def test_whoever_may_write_the_file_does_not_free_themselves(controlled: Home) -> None:
    """What is under dual control is what the ledger says: settings without it do not start, nor would they free."""
    home = controlled
    freed = replace(home.app.settings, approvals={"dual_control": frozenset[Action]()})
    with pytest.raises(MisconfiguredHome):
        open_application(freed, home.clock)
    rules = replace(home.app.kernel.rules, dual_control=frozenset())
    object.__setattr__(home.app.kernel, "rules", rules)
    refused(home, lambda: rotate(home))


def test_without_dual_control_it_is_an_entry_alone(home: Home) -> None:
    home.app.key_changes.ask(home.caller("admin", Role.SECURITY_ADMIN), "rotate data", REASON)
    assert last(home) == ("keys", "rotate data", "asked")
    before = current(home)
    assert rotate(home) == current(home) != before


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("rotate data", True),
        ("rotate ledger", True),
        ("rewrap", True),
        ("shred data-1", True),
        ("compromise 0a1b2c3d", True),
        ("compromise ledger", False),
        ("compromise", False),
        ("rotate index", False),
        ("rotate", False),
        ("shred", False),
        ("shred a b", False),
        ("rewrap\n", False),
        ("announce ledger", False),
    ],
)
def test_what_a_change_is(text: str, is_one: bool) -> None:
    assert is_change(text) is is_one


def test_how_a_change_is_made_at_the_machine() -> None:
    assert command_of("rotate data") == "registry keys rotate data"
    assert command_of("compromise 0a1b2c3d") == "registry audit compromise 0a1b2c3d"
