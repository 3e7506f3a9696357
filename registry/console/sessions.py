"""Sessions of the console: kept in this process, named by a random id, ended by time. Nothing of them is on disk."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from registry.domain.clock import Clock

IDLE_SECONDS = 30 * 60
CAPACITY = 1_000
LINK_SECONDS = 10 * 60
MAX_LINKS = 100
LINK_PATH = "/console/sign-in/"
_RANDOM_BYTES = 32
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Session:
    """One signed-in browser.

    Attributes:
        token: the bearer token it was opened with; verified again on every request.
        ends_at: Unix seconds of the token's ``exp``.
        form_token: what every form of this session must carry.
        seen_at: Unix seconds of the last request.
        notice: one sentence to show on the next page, without any value.
        waiver: the fields of a release check that waits for another person's word: ids, reason and purpose.
    """

    token: str = field(repr=False)
    ends_at: float
    form_token: str = field(repr=False)
    seen_at: float
    notice: str = ""
    waiver: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def take_notice(self) -> str:
        """Return the notice, once."""
        notice, self.notice = self.notice, ""
        return notice


class Sessions:
    """Opens, finds and ends sessions. Keeps SHA-256 of an id, so that what is kept opens no session by itself."""

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._sessions: dict[bytes, Session] = {}
        self._lock = Lock()

    def open(self, token: str, ends_at: float, notice: str = "") -> str:
        """Open a session for a verified token and return its new id; its first page says the notice."""
        identifier = secrets.token_urlsafe(_RANDOM_BYTES)
        session = Session(token, ends_at, secrets.token_urlsafe(_RANDOM_BYTES), self._now(), notice)
        with self._lock:
            self._make_room()
            self._sessions[_digest(identifier)] = session
        return identifier

    def find(self, identifier: str) -> Session | None:
        """Return a session that is still good, and count this as its last use."""
        now = self._now()
        with self._lock:
            session = self._sessions.get(_digest(identifier))
            if session is None:
                return None
            if _is_over(session, now):
                del self._sessions[_digest(identifier)]
                return None
            session.seen_at = now
            return session

    def end(self, identifier: str) -> None:
        """End a session; an unknown id is no error."""
        self.end_named(name_of(identifier))

    def end_named(self, name: str) -> None:
        """End the session of a name that ``name_of`` gave; an unknown one is no error."""
        with self._lock:
            self._sessions.pop(bytes.fromhex(name) if _NAME.fullmatch(name) else b"", None)

    def __len__(self) -> int:
        return len(self._sessions)

    def _make_room(self) -> None:
        now = self._now()
        for key in [key for key, session in self._sessions.items() if _is_over(session, now)]:
            del self._sessions[key]
        while len(self._sessions) >= self._capacity:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].seen_at)]

    def _now(self) -> float:
        return self._clock.now().timestamp()


class SignInLinks:
    """Links that sign in once. Whoever starts the server gives them out; a link is worth its token for ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[bytes, tuple[float, str]] = {}
        self._lock = Lock()

    def issue(self, token: str) -> str:
        """Return the path of a new link: ``/console/sign-in/<code>``.

        Args:
            token: the token to sign in with; it is verified when the link is used.
        """
        code = secrets.token_urlsafe(_RANDOM_BYTES)
        ends_at = self._clock.now().timestamp() + LINK_SECONDS
        with self._lock:
            while len(self._tokens) >= MAX_LINKS:
                del self._tokens[next(iter(self._tokens))]  # the oldest: they stand in the order they came
            self._tokens[_digest(code)] = (ends_at, token)
        return f"{LINK_PATH}{code}"

    def is_good(self, code: str) -> bool:
        """Tell whether a link can still be used, without using it."""
        return self._look(code, self._tokens.get) is not None

    def take(self, code: str) -> str | None:
        """Use a link up and return its token; None when it is unknown, used or too old."""
        with self._lock:
            return self._look(code, lambda key: self._tokens.pop(key, None))

    def _look(self, code: str, find: Callable[[bytes], tuple[float, str] | None]) -> str | None:
        found = find(_digest(code))
        if found is None:
            return None
        ends_at, token = found
        return token if self._clock.now().timestamp() < ends_at else None


def _is_over(session: Session, now: float) -> bool:
    return now >= session.ends_at or now - session.seen_at >= IDLE_SECONDS


def name_of(identifier: str) -> str:
    """Return what a session may be called where its id, which opens it, must not stand: 64 characters."""
    return _digest(identifier).hex()


def _digest(identifier: str) -> bytes:
    return sha256(identifier.encode("utf-8", "surrogatepass")).digest()
