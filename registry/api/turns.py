"""Turns at work: so many requests at a time, shared fairly among those who ask.

Whoever asks alone may have all of them. When others are about, nobody has more than a share, and what comes beyond it
waits in a line of its own: a hundred connections of one client cost others no more than a few would.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from registry.domain.errors import Busy

AT_WORK = 128
# The least share is an eighth: more would leave a flood too much beside a few clients, less would make batches small.
MOST_SHARES = 8
# Of lookups: what somebody gets at a time who asks for more than others who are about, and how far apart. Turns cost
# the processor, which others wait for too: without the pause one crowd takes all that they leave.
LITTLE = 4
PAUSE_SECONDS = 0.01
# Of lookups: the part of all turns that a crowd may have while nobody else is about: whoever comes waits for them.
CROWD_SHARES = 8
STRANGERS = ""
STRANGERS_AT_WORK = 16
PATIENCE_SECONDS = 2.0
LINE = 1_024
_ABOUT_SECONDS = 1.0


class Turns:
    """Gives turns. For one event loop."""

    def __init__(self, monotonic: Callable[[], float], at_work: int = AT_WORK, little: int | None = None) -> None:
        """Begin with all turns free.

        Args:
            monotonic: seconds.
            at_work: how many turns there are.
            little: what whoever asks for many at a time gets while somebody is about who does not; None for a share.
        """
        self._monotonic = monotonic
        self._at_work = at_work
        self._little = at_work if little is None else little
        self._used = 0
        self._held: dict[str, int] = {}
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        self._waiting = 0
        self._next: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._about: set[str] = set()
        self._about_before = 0
        self._about_since = monotonic()

    def try_take(self, key: str) -> bool:
        """Take a turn if one is free for this key: a principal's name, or ``STRANGERS``."""
        self._note(key)
        # Not past those who wait in line.
        if key in self._lines or self._used >= self._at_work or self._held.get(key, 0) >= self._share(key):
            return False
        self.take_anyway(key)
        return True

    def take_anyway(self, key: str) -> None:
        """Take a turn beyond every bound: for work that was put aside and goes on."""
        self._used += 1
        self._held[key] = self._held.get(key, 0) + 1

    async def wait(self, key: str) -> None:
        """Wait in line for a turn, after ``try_take`` gave none.

        Raises:
            Busy: the lines are too long, or it takes too long.
        """
        if self._waiting >= LINE:
            raise Busy
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(key, deque())
        line.append(granted)
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await granted
        except TimeoutError:
            self._leave(key, granted)
            raise Busy from None
        except BaseException:
            self._leave(key, granted)
            raise

    def give(self, key: str) -> None:
        """Give a turn back, and to whoever waits for it."""
        self._used -= 1
        held = self._held[key] - 1
        if held:
            self._held[key] = held
        else:
            del self._held[key]
        if self._lines:
            self._grant()

    @property
    def waiting(self) -> int:
        """How many wait in line."""
        return self._waiting

    def _leave(self, key: str, granted: asyncio.Future[None]) -> None:
        line = self._lines.get(key, ())
        if granted in line:
            self._lines[key].remove(granted)
            self._forget(key)
        elif granted.done() and not granted.cancelled():
            self.give(key)  # it came at the very moment of giving up

    def _forget(self, key: str) -> None:
        self._waiting -= 1
        if not self._lines[key]:
            del self._lines[key]

    def _grant(self) -> None:
        now = self._monotonic()
        for key in list(self._lines):
            if self._used >= self._at_work:
                return
            if self._held.get(key, 0) >= self._share(key) or self._pauses(key, now):
                continue
            granted = self._lines[key].popleft()
            self._forget(key)
            if key in self._lines:
                self._lines[key] = self._lines.pop(key)  # to the end: the next turn is another's
            if not granted.done():  # else its patience ended at this very moment
                self.take_anyway(key)
                self._next[key] = now + PAUSE_SECONDS
                granted.set_result(None)

    def _pauses(self, key: str, now: float) -> bool:
        """Tell whether a crowd's next turn comes later, while somebody is about who waits in no line."""
        left = self._next.get(key, now) - now
        if self._little == self._at_work or left <= 0 or len(self._lines) >= self._all_about():
            return False
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(left, self._grant_later)
        return True

    def _grant_later(self) -> None:
        self._timer = None
        self._grant()

    def _all_about(self) -> int:
        return max(1, len(self._about), self._about_before)

    def _share(self, key: str) -> int:
        if key == STRANGERS:
            return STRANGERS_AT_WORK
        about = self._all_about()
        share = max(1, self._at_work // min(MOST_SHARES, about))
        if about == 1 and self._little < self._at_work:
            return max(self._little, share // CROWD_SHARES)
        if about == 1 or share <= self._little or self._held.get(key, 0) < self._little:
            return share
        # All turns are answered in one batch: what one asks for at a time, everybody waits for.
        crowds = sum(held >= self._little for held in self._held.values())
        return self._little if crowds < about else share

    def _note(self, key: str) -> None:
        now = self._monotonic()
        if now - self._about_since >= _ABOUT_SECONDS:
            is_recent = now - self._about_since < 2 * _ABOUT_SECONDS
            self._about_before = len(self._about) if is_recent else 0
            self._about, self._about_since = set(), now
            self._next = {one: at for one, at in self._next.items() if at > now}
        if key != STRANGERS:
            self._about.add(key)
