"""Sources that are cut off, dropped by the kernel: what they send to the listening socket wakes nobody here.

To take a connection only to close it costs fifteen microseconds, and whoever has been closed comes again at once: one
machine kept a whole core busy with that. A packet filter on the listening socket ends it before there is a connection.
It is Linux's, and for IPv4; elsewhere connections are taken and closed as before.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection

# Of <asm-generic/socket.h>; the same on every common machine.
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
# Of <linux/filter.h>: load a word, jump if equal, return; and where the network header begins.
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NETWORK_HEADER, _SOURCE = 0xFFF00000, 12
_WHOLE, _NOTHING = 0xFFFFFFFF, 0
MOST = 256
_LOOK_SECONDS = 1.0
# Processes that share the socket put their lists in each other's place; so soon at the earliest.
_AGAIN_SECONDS = 0.1

Later = Callable[[float, Callable[[], None]], object]


def program(sources: Collection[str]) -> bytes:
    """Write the filter that drops what comes from these IPv4 addresses, as instructions of classic BPF."""
    steps = [struct.pack("=HBBI", _LOAD_WORD, 0, 0, _NETWORK_HEADER + _SOURCE)]
    for source in sources:
        (address,) = struct.unpack("!I", socket.inet_aton(source))
        steps.append(struct.pack("=HBBI", _JUMP_IF_EQUAL, 0, 1, address))
        steps.append(struct.pack("=HBBI", _RETURN, 0, 0, _NOTHING))
    steps.append(struct.pack("=HBBI", _RETURN, 0, 0, _WHOLE))
    return b"".join(steps)


class Dropping:
    """The sources that are dropped at one listening socket. For one event loop."""

    def __init__(self, listening: socket.socket, is_refused: Callable[[str], bool], later: Later) -> None:
        """Begin with none, whatever a process that had this socket before has left.

        Args:
            listening: the socket.
            is_refused: tells whether a source is still cut off.
            later: calls a function after so many seconds.
        """
        self._listening = listening
        self._is_refused = is_refused
        self._later = later
        self._is_able = sys.platform == "linux" and listening.family == socket.AF_INET
        self._is_looking = False
        self._set_at = 0.0
        self._sources: set[str] = set()
        self._set()

    def add(self, source: str) -> bool:
        """Drop what comes from a source until it is no longer cut off.

        Returns:
            Whether this is new.
        """
        if not self._is_able or (source not in self._sources and len(self._sources) >= MOST):
            return False
        is_new = source not in self._sources
        if is_new or time.monotonic() - self._set_at >= _AGAIN_SECONDS:
            self._sources.add(source)
            self._set()
        if not self._is_looking:
            self._is_looking = True
            self._later(_LOOK_SECONDS, self._look)
        return is_new

    def _look(self) -> None:
        """Let those in again whose time is over."""
        still = {source for source in self._sources if self._is_refused(source)}
        if still != self._sources:
            self._sources = still
            self._set()
        self._is_looking = bool(still)
        if still:
            self._later(_LOOK_SECONDS, self._look)

    def _set(self) -> None:
        if not self._is_able or self._listening.fileno() < 0:
            return
        self._set_at = time.monotonic()
        try:
            if self._sources:
                steps = program(self._sources)
                held = ctypes.create_string_buffer(steps, len(steps))
                where = struct.pack("@HP", len(steps) // 8, ctypes.addressof(held))
                self._listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, where)
            else:
                self._listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        except OSError:
            # Detaching where nothing is, or a machine that allows no filter: connections are taken and closed instead.
            if self._sources:
                self._is_able, self._sources = False, set()
