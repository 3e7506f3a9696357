"""What `registry serve` and the demonstration serve: the API, and in the development profile the console beside it.

The two rooms do not know each other; the paths under ``/console`` go to one, everything else to the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from registry.api.app import create_app
from registry.bootstrap import Application
from registry.console.app import create_console
from registry.console.sessions import SignInLinks
from registry.settings import DEVELOPMENT

SIGN_IN_PATH = "/console/sign-in"

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Site:
    """One registry as it is served.

    Attributes:
        app: the ASGI application; its lifespan is the API's, which closes the registry at the end.
        links: issues one-time sign-in links of the console; None where there is no console.
    """

    app: _App
    links: SignInLinks | None


def build_site(application: Application) -> Site:
    """Build what is served over an opened registry. In the production profile there is no console."""
    api: _App = create_app(application)
    if application.profile != DEVELOPMENT:
        return Site(api, None)
    links = SignInLinks(application.kernel.clock)
    console: _App = create_console(application, links)

    async def root(scope: _Message, receive: _Receive, send: _Send) -> None:
        await (console if _is_console(scope) else api)(scope, receive, send)

    return Site(root, links)


def _is_console(scope: _Message) -> bool:
    path = str(scope.get("path", ""))
    return scope["type"] == "http" and (path == "/console" or path.startswith("/console/"))
