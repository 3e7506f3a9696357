"""The single lookup, and the short way to it: it does no I/O of its own, it waits for its turn in the lane.

FastAPI's routing, dependencies and middleware cost a request three times what the rest of a lookup's HTTP costs. So
``Api`` hands this one route its requests directly, inside the same frame as all others. The ordinary route stands in
the router too: for the OpenAPI document, and it calls the same function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.api.asking import Ask, lookup_body
from registry.api.bodies import read_disclosure
from registry.api.disclosing import READERS, disclosure_ask, shown
from registry.api.errors import failure_response
from registry.api.problems import HttpRefusal
from registry.domain.errors import RegistryError
from registry.services.disclose import Answer, DisclosureAsk

LOOKUP_PATH = "/v1/disclosures"
# As many as the lane takes at once; turns of their own, since a lookup must not wait for whatever else is at work.
LOOKUPS_AT_WORK = 256

# Read on the event loop, so it is small: 200 ids, a case and a note have 25 KB when every character is escaped.
LOOKUP_BODY = 64 << 10

_admitted = lookup_body(READERS, "disclose", LOOKUP_BODY)


class LoopReplies:
    """Hands a batch's answers over to the event loop that waits for them, waking it once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def deliver(self, outcomes: Sequence[tuple[LoopReply, Answer | BaseException]]) -> None:
        """See ``lane.Replies``."""
        try:
            self.loop.call_soon_threadsafe(_settle, outcomes)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more


class LoopReply:
    """One lookup that an event loop waits for."""

    __slots__ = ("future",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[Answer] = loop.create_future()

    def claim(self) -> bool:
        """See ``lane.Reply``."""
        return not self.future.done()


def _settle(outcomes: Sequence[tuple[LoopReply, Answer | BaseException]]) -> None:
    for reply, outcome in outcomes:
        if reply.future.done():
            continue  # cancelled meanwhile; the entry says that it was looked up
        if isinstance(outcome, BaseException):
            reply.future.set_exception(outcome)
        else:
            reply.future.set_result(outcome)


class Api(FastAPI):
    """FastAPI with a short way to the lookup."""

    def shorten(self, route: BaseRoute, short_way: ASGIApp) -> None:
        """Take lookups past the router.

        Args:
            route: what logs and figures call them by.
            short_way: answers them; ``answer_lookup`` within everything that other routes are within.
        """
        self._lookup_route = route
        self._short_way = short_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == LOOKUP_PATH and scope["method"] == "POST":
            scope["app"] = self
            scope["route"] = self._lookup_route
            await self._short_way(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def look_up(request: Request) -> Response:
    """Answer one lookup.

    Raises:
        HttpRefusal, RegistryError: it is refused before it comes to the lane, or the lane's batch failed.
    """
    ask = await _admitted(request)
    card, purpose = read_disclosure(ask.document(), today=ask.today)
    wanted = disclosure_ask(ask.application.kernel, card, purpose, "single")
    return shown(ask, await _in_lane(ask, wanted, _replies(request.app.state)))


async def _in_lane(ask: Ask, wanted: DisclosureAsk, replies: LoopReplies) -> Answer:
    reply = LoopReply(replies.loop)
    ask.application.lane.put(ask.caller, wanted, reply, replies)
    return await reply.future


def _replies(state: Any) -> LoopReplies:
    loop = asyncio.get_running_loop()
    replies: LoopReplies | None = getattr(state, "replies", None)
    if replies is None or replies.loop is not loop:
        replies = state.replies = LoopReplies(loop)
    return replies


async def answer_lookup(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one lookup, refusals included."""
    request = Request(scope, receive)
    try:
        response = await look_up(request)
    except HttpRefusal as refusal:
        response = refusal.problem.response()
    except RegistryError as error:
        response = failure_response(request.app.state.application, error)
    await response(scope, receive, send)
