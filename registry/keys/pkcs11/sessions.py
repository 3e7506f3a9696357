"""A session with a token that is logged in, used by one thread at a time.

PKCS#11 leaves it to a library whether several threads may call it at once, and the binding does not ask it to: with
SoftHSM, 16 threads end the process. So calls of this process take turns; each is of a whole batch. When a call fails,
the session is given up and the next one logs in anew: after a token was unplugged, its service restarted, or another
part of the process logged out, handles of before mean nothing. A process that was forked starts with none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

import pkcs11
from pkcs11 import exceptions as given

from registry.domain.errors import KeyUnavailable
from registry.keys.causes import DISABLED, FORBIDDEN, LOCKED, UNREACHABLE, WRONG_KEY
from registry.keys.pause import Pause
from registry.keys.pkcs11.errors import REFUSED_PIN, meaning
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.secret_file import read_secret

_T = TypeVar("_T")
# Answers to one question, not signs that the session is over.
ANSWERS = (given.NoSuchKey, given.MultipleObjectsReturned, given.EncryptedDataInvalid, given.EncryptedDataLenRange)
_ONE_AT_A_TIME = Lock()


class Sessions:
    """One registry's way to a token. Safe to share between threads, and with processes that are forked."""

    def __init__(self, settings: TokenSettings, pause: Pause) -> None:
        """Prepare; the library is loaded by the first use."""
        self.settings = settings
        self._pause = pause
        self._session: Any = None
        self._process = os.getpid()
        self._refused = b""

    def use(self, work: Callable[[Any], _T]) -> _T:
        """Have something done in a session; once more in a new one when it fails there.

        Raises:
            KeyUnavailable: it cannot be done now.
            PKCS11Error: of ``ANSWERS``: what the token says to the question itself.
        """
        self._pause.refuse()
        try:
            with _ONE_AT_A_TIME:
                found = self._done(work)
        except ANSWERS:
            self._pause.worked()
            raise
        except given.PKCS11Error as error:
            told = meaning(error, self.settings.token_label)
            self._pause.failed(told)
            raise told from None
        except KeyUnavailable as error:
            if error.code in (WRONG_KEY, DISABLED):  # of one key
                self._pause.worked()
            else:
                self._pause.failed(error)
            raise
        self._pause.worked()
        return found

    def close(self) -> None:
        """Log out and close the session."""
        with _ONE_AT_A_TIME:
            self._give_up()

    def _done(self, work: Callable[[Any], _T]) -> _T:
        try:
            return work(self._current())
        except given.NoSuchKey:
            # A library whose token was pulled out may go on with an empty one, and never look again.
            self._give_up()
            self._restart()
        except ANSWERS:
            raise
        except given.PKCS11Error:
            self._give_up()
        try:
            return work(self._current())
        except ANSWERS:
            raise
        except given.PKCS11Error:
            self._give_up()
            raise

    def _current(self) -> Any:
        if self._process != os.getpid():
            self._process, self._session = os.getpid(), None
            self._library().reinitialize()  # handles of the parent mean nothing here
        if self._session is None:
            self._session = self._logged_in()
        return self._session

    def _give_up(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._process == os.getpid():
            with suppress(given.PKCS11Error):
                session.close()

    def _logged_in(self) -> Any:
        pin = read_secret(self.settings.pin_file, "PIN")
        digest = hashlib.sha256(pin.encode()).digest()
        label = self.settings.token_label
        if digest == self._refused:
            why = f"token {label} has refused this PIN; it is not tried again until {self.settings.pin_file} changes"
            raise KeyUnavailable(why, FORBIDDEN)
        token = self._token()
        try:
            return token.open(user_pin=pin, rw=True)
        except given.UserAlreadyLoggedIn:  # by another part of this process
            return token.open(rw=True)
        except REFUSED_PIN as error:
            told = meaning(error, label)
            if told.code != LOCKED:  # once it is unlocked, the old one may be right
                self._refused = digest
            raise told from None

    def _token(self) -> Any:
        """Find the token. One that came back may be seen only by a library that starts anew."""
        library, label = self._library(), self.settings.token_label
        try:
            return library.get_token(token_label=label)
        except given.PKCS11Error:
            self._restart()
            return library.get_token(token_label=label)

    def _restart(self) -> None:
        library = self._library()
        with suppress(given.PKCS11Error):  # it is not at work when it could not start last time
            library.finalize()
        try:
            library.initialize()
        except given.PKCS11Error as error:
            why = f"{self.settings.library} does not start: {type(error).__name__}"
            raise KeyUnavailable(why, UNREACHABLE) from None

    def _library(self) -> Any:
        path = self.settings.library
        try:
            return pkcs11.lib(str(path))
        except (given.PKCS11Error, OSError, RuntimeError):
            raise KeyUnavailable(f"{path} cannot be loaded as a PKCS#11 library", UNREACHABLE) from None
