"""Leaving the registry open after the story: the console's address, and a sign-in for each role."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.cli.demo.desk import TOKEN_SECONDS, Account
from registry.cli.demo.folder import Folder
from registry.cli.demo.staff import ADMIN, INVESTIGATOR
from registry.cli.demo.steps import City, Served, grant_accounts
from registry.cli.demo.story import Story
from registry.cli.serving import SIGN_IN_PATH
from registry.console.sessions import LINK_SECONDS
from registry.domain.principals import Role


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way in: a role, who it is, a link that signs in once, and a bearer token for the API."""

    role: Role
    sub: str
    link: str = field(repr=False)
    token: str = field(repr=False)


def sign_ins(served: Served, city: City, number: str) -> tuple[SignIn, ...]:
    """Make a sign-in for each role.

    Args:
        served: the open registry.
        city: its people and staff.
        number: employee number of the person whose values were posted, who signs in as the subject.
    """
    known = {
        Role.READER: city.readers[0].account,
        Role.INVESTIGATOR: INVESTIGATOR,  # only who ran a trace may read it
        Role.SECURITY_ADMIN: ADMIN,
        Role.SUBJECT: Account("demo-subject", frozenset({Role.SUBJECT}), "", number),
    }
    accounts = [known.get(role, Account(f"demo-{role.value}", frozenset({role}))) for role in Role]
    grant_accounts(served.desk, city.application, [account for account in accounts if account.sub.startswith("demo-")])
    return tuple(_sign_in(served, account, role) for role, account in zip(Role, accounts, strict=True))


def _sign_in(served: Served, account: Account, role: Role) -> SignIn:
    token = served.desk.token(account)
    link = "" if served.links is None else f"{served.url}{served.links.issue(token)}"
    return SignIn(role, account.sub, link, token)


def tell_sign_ins(story: Story, folder: Folder, url: str, ways: Sequence[SignIn]) -> None:
    """Tell the address, links and tokens: on the terminal only, for they are worth a password."""
    story.tell(f"\nThe console is open at {url}{SIGN_IN_PATH} (this machine only). Stop it with Ctrl-C.")
    story.tell(f"\nSign in as (each link works once, within {LINK_SECONDS // 60} minutes):")
    for way in ways:
        story.tell(f"  {way.role.value:16} {way.link}")
    story.tell(f"\nThe same as bearer tokens, good for {TOKEN_SECONDS // 60} minutes:")
    for way in ways:
        story.tell(f"  {way.role.value}\n{way.token}")
    story.tell("\nAnother token, at any time:")
    story.tell(f"  registry token --home {folder.home} --sub {INVESTIGATOR.sub} --role investigator")


def stay_open(url: str) -> None:
    """Open the browser, where there is somebody to see it, and wait until stopped."""
    if sys.stdout.isatty():
        webbrowser.open(f"{url}{SIGN_IN_PATH}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
