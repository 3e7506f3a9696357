"""Entries for what was refused before any service was asked: tokens, and requests whose form was wrong.

Of each kind the first in a minute is an entry at once; the rest are counted and become one entry when the minute is
over. What comes beyond a bound shares one count. So a flood can neither fill the disk nor stop service, and one of
strangers hides nothing of what principals did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Principal
from registry.services.kernel import UNKNOWN_PRINCIPAL, Kernel
from registry.services.rerun import rerun_once
from registry.services.windows import Windows

# Entries a transaction: lookups wait for it, and a thousand at once would hold them up for a third of a second.
AT_ONCE = 16
# After the entry of a stranger, before the next one's: the database gives its turn to whoever comes first, and hundreds
# of strangers, one right after the other, come before lookups.
REST_SECONDS = 0.01
_OTHER_SOURCES = "other sources"
_OTHER_PRINCIPALS = f"{UNKNOWN_PRINCIPAL} other principals"


class Refusals:
    """Counts refused tokens and misread requests, and writes their entries."""

    def __init__(
        self, kernel: Kernel, monotonic: Callable[[], float], rest: Callable[[float], object] = time.sleep
    ) -> None:
        """Begin with nothing counted.

        Args:
            kernel: of the registry.
            monotonic: seconds.
            rest: lets so many seconds pass.
        """
        self._kernel = kernel
        self._rest = rest
        self._strangers = threading.Lock()
        self._tokens = Windows(monotonic, _OTHER_SOURCES)
        self._forms = Windows(monotonic, None)

    def record(self, source: str, reason: str) -> None:
        """Record one refused token.

        Args:
            source: network address, cut to 64 characters; never anything from the token.
            reason: short stable code.

        Raises:
            AuditUnavailable: the entry could not be written; the caller answers 503 instead of 401.
        """
        who, what = source[:64], reason[:40]
        if not self._tokens.is_first(who, what):
            return
        try:
            with self._strangers:
                self._write([_token_draft(who, what, 1)])
                self._rest(REST_SECONDS)
        except AuditUnavailable as failure:
            self._tokens.owe(who, what, failure.cause)
            raise

    def count(self, source: str, reason: str) -> None:
        """Count something that needs no entry at once, such as a request turned away unexamined. Never blocks long.

        Args:
            source: as for ``record``.
            reason: short stable code.
        """
        self._tokens.add(source[:64], reason[:40])

    def misread(self, principal: Principal, action: str, status: int) -> None:
        """Record a request of a known principal whose form was refused. What was sent is not part of it.

        Args:
            principal: who asked, the role being in order.
            action: what was wanted, in the words of a denial.
            status: 400, 408, 413, 415 or 422.

        Raises:
            AuditUnavailable: the entry could not be written; it is counted, and written later.
        """
        what = f"{status} {action}"
        if not self._forms.is_first(principal, what):
            return
        try:
            self._write([_form_draft(principal, what, 1)])
        except AuditUnavailable as failure:
            self._forms.owe(principal, what, failure.cause)
            raise

    def flush(self, pause: Callable[[], object] = lambda: None) -> None:
        """Write the counted rest of windows that are over; called once a minute.

        Args:
            pause: waits a moment between two transactions, so that lookups come between them.
        """
        self._flush(pause, only_over=True)

    def close(self) -> None:
        """Write all that is still only counted."""
        self._flush(lambda: None, only_over=False)

    def _flush(self, pause: Callable[[], object], *, only_over: bool) -> None:
        for windows, draft in ((self._tokens, _token_draft), (self._forms, _form_draft)):
            counted = [(key, count) for key, count in windows.take(only_over=only_over).items() if count.more]
            for first in range(0, len(counted), AT_ONCE):
                if first:
                    pause()
                try:
                    self._write([draft(*key, count.more) for key, count in counted[first : first + AT_ONCE]])
                except AuditUnavailable:
                    windows.put_back(dict(counted[first:]))
                    raise

    @rerun_once
    def _write(self, drafts: list[EntryDraft]) -> None:
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, drafts)
            work.commit()


def _token_draft(source: Hashable, reason: str, count: int) -> EntryDraft:
    values = {"network": str(source), "result": f"token refused {reason}", "detail": f"count {count}"}
    return EntryDraft(Kind.AUTH, values)


def _form_draft(who: Hashable, what: str, count: int) -> EntryDraft:
    status, _, action = what.partition(" ")
    said = said_by(who) if isinstance(who, Principal) else {"principal": _OTHER_PRINCIPALS}
    return EntryDraft(Kind.DENY, said | {"result": f"refused {status}", "detail": f"{action}; count {count}"})
