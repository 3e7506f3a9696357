"""Leaving the registry open after the story: its address, and a sign-in for each role."""

from __future__ import annotations

import sys
import threading
import webbrowser
from importlib.util import find_spec

from registry.cli.demo.desk import TOKEN_SECONDS, Account, Desk
from registry.cli.demo.folder import Folder
from registry.cli.demo.steps import City, grant_accounts
from registry.cli.demo.story import Story
from registry.domain.principals import Role

CONSOLE_PATH = "/console"


def sign_ins(desk: Desk, city: City) -> dict[str, str]:
    """Make one account for each role; returns role -> token. The subject is the first person of the file."""
    own = city.people[0].number
    accounts = tuple(
        Account(f"demo-{role.value}", frozenset({role}), "Demonstration", own if role is Role.SUBJECT else None)
        for role in Role
    )
    grant_accounts(desk, city.application, accounts)
    return {role.value: desk.token(account) for role, account in zip(Role, accounts, strict=True)}


def address_of(url: str) -> str:
    """Return what to open: the console where it is installed, else the API."""
    return url + CONSOLE_PATH if find_spec("registry.console") is not None else url


def tell_sign_ins(story: Story, folder: Folder, url: str, tokens: dict[str, str]) -> None:
    """Tell the address and the tokens; tokens are shown, never logged."""
    story.say(f"The registry is open at {address_of(url)} (this machine only). Stop it with Ctrl-C.", 0)
    for role, token in tokens.items():
        story.tell(f"\n{role}:\n{token}")
    story.tell(f"\nEach is good for {TOKEN_SECONDS // 60} minutes. For another, while this runs:")
    story.tell(f"registry token --home {folder.home} --sub NAME --role ROLE")


def stay_open(url: str) -> None:
    """Open the browser, where there is somebody to see it, and wait until stopped."""
    if sys.stdout.isatty() and address_of(url) != url:
        webbrowser.open(address_of(url))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
