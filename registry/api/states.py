"""What a connection is about, and what may come of that: the one place which says so."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a connection is about.

    Attributes:
        leads_to: what may come next, the usual first.
    """

    leads_to: tuple[State, ...]

    IDLE = "between requests"
    HEAD = "a head is awaited or coming"
    WORK = "a request is at work"
    LINGER = "answered for the last time: what still comes is thrown away"
    GONE = "closed, or about to be"


class IllegalMove(Exception):
    """A fault of this program: the connection cannot be used further."""


# Names of their own: to reach a member through its class is a call.
IDLE, HEAD, WORK, LINGER, GONE = State
IDLE.leads_to = (WORK, HEAD, LINGER, GONE)
HEAD.leads_to = (WORK, LINGER, GONE)
WORK.leads_to = (IDLE, LINGER, GONE)
LINGER.leads_to = (GONE,)
GONE.leads_to = (GONE,)  # what is closed is told of it later
