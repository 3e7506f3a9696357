"""Clients of a connection: over a real one, or through a transport that notes what happens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from uvicorn.server import ServerState

from registry.api.connections import Connections, GuardedProtocol, Serving
from registry.api.door import CONNECTION

Client = Callable[[socket.socket, Connections], Awaitable[None]]


class Gone:
    """A transport of a client that has reset its connection."""

    is_aborted = False

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        raise OSError

    def abort(self) -> None:
        self.is_aborted = True


class Piped:
    """A transport that notes what is sent, and whether it is read."""

    is_read = True
    is_aborted = False

    def __init__(self) -> None:
        self.sent = b""

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        """End."""

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def write_eof(self) -> None:
        """Send no more."""

    def abort(self) -> None:
        self.is_aborted = True


async def settled() -> None:
    """Let everything go on that can: no time has to pass for it."""
    for _ in range(100):
        await asyncio.sleep(0)


@asynccontextmanager
async def asked(app: Any, raw: bytes) -> AsyncIterator[tuple[socket.socket, Connections, Serving]]:
    """Serve an application, and send this to it over a real connection that takes little at a time."""
    loop = asyncio.get_running_loop()
    all_of_them, serving = Connections(None, 4), Serving(app, ServerState(), {})
    server = await loop.create_server(lambda: GuardedProtocol(all_of_them, serving, loop), "127.0.0.1", 0)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        await loop.sock_connect(connection, server.sockets[0].getsockname())
        await loop.sock_sendall(connection, raw)
        yield connection, all_of_them, serving
    server.close()


async def says_ok(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok" * 50_000})


async def answered_to(client: Client, parts: int, size: int, more: bytes = b"") -> set[str]:
    """Serve an answer in pieces to a client over a real connection; gives what became of it."""
    became: set[str] = set()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for left in range(parts, 0, -1):
            await send({"type": "http.response.body", "body": bytes(size), "more_body": left > 1})
        became.add("lost" if scope[CONNECTION].is_at_work(scope) else "sent")

    async with asked(app, b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % more) as (connection, all_of_them, _):
        await client(connection, all_of_them)
        became.add(f"{len(all_of_them)} open")
    return became
