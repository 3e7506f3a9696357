"""Asks an ASGI application in this process, without sockets: fit for thousands of requests a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

R = TypeVar("R")
_JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class AsgiClient:
    """One event loop and an application."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.__exit__(kind, error, trace)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Ask; a body that is no bytes is sent as JSON."""
        return self._runner.run(self.asked(method, path, body, headers))

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run something on the loop."""
        return self._runner.run(work)

    async def asked(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        sent: list[Any] | None = None,
    ) -> Answer:
        """Ask, on the loop that is running; ``sent`` is filled while the answer is sent."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        route, _, query = path.partition("?")
        named = {"content-type": _JSON, "host": "registry.example"} | (headers or {})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": route,
            "raw_path": route.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        messages: list[Any] = [] if sent is None else sent
        received = iter([{"type": "http.request", "body": content, "more_body": False}])
        gone = asyncio.Event()

        async def receive() -> Any:
            message = next(received, None)
            if message is None:
                await gone.wait()
                return {"type": "http.disconnect"}
            return message

        async def send(message: Any) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        return answer_of(messages)


def answer_of(sent: list[Any]) -> Answer:
    """Put together what was sent."""
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )
