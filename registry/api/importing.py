"""A request's body as a file, for a thread that reads it line by line: one chunk in memory, never the whole."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import anyio
from anyio import from_thread
from starlette.requests import Request

from registry.api import asking
from registry.api.problems import HttpRefusal, Problem
from registry.api.render import receipt_document
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import Busy, InvalidInput
from registry.services.import_file import Tally
from registry.services.import_people import Existing
from registry.text.csv_rows import UnreadRow, find_csv, find_ndjson

# Each holds a thread and takes the ledger's turn again and again: two leave room for lookups.
IMPORTS_AT_ONCE = 2
# Lookups of the same server wait while a batch is stored, and come in between two: short batches give way to them.
BATCH_LINES = 64
MAX_ERRORS_TOLD = 10_000

_CHARSET = r'[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?'
_FORMS: tuple[tuple[re.Pattern[str], Callable[[BinaryIO], Iterator[UnreadRow]]], ...] = (
    (re.compile(rf"application/x-ndjson{_CHARSET}", re.IGNORECASE), find_ndjson),
    (re.compile(rf"text/csv{_CHARSET}", re.IGNORECASE), find_csv),
)
_UPDATE = {"true": Existing.UPDATE, "false": Existing.REJECT}


class BodyFile(io.RawIOBase):
    """The body that is still coming in. Only for threads of the server's pool: each read waits on the event loop."""

    def __init__(self, request: Request, limit: int) -> None:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            asking.refuse_large()
        self._chunks = request.stream()
        self._left = limit
        self._chunk = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read what is there, waiting for the next chunk when nothing is.

        Raises:
            HttpRefusal: 413 beyond the limit, 408 when nothing comes.
            ClientDisconnect: the body ended before its end.
        """
        if not self._chunk:
            self._chunk = memoryview(from_thread.run(self._next))
            self._left -= len(self._chunk)
            if self._left < 0:
                asking.refuse_large()
        into = memoryview(buffer).cast("B")
        count = min(len(into), len(self._chunk))
        into[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    async def _next(self) -> bytes:
        try:
            with anyio.fail_after(asking.BODY_SECONDS):
                async for chunk in self._chunks:
                    if chunk:
                        return chunk
        except TimeoutError:
            asking.refuse_slow()
        return b""


class ImportTurns:
    """Bounds the imports of one server process."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(IMPORTS_AT_ONCE)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a turn inside the block.

        Raises:
            Busy: there is none free.
        """
        if not self._free.acquire(blocking=False):
            raise Busy
        try:
            yield
        finally:
            self._free.release()


def rows_of(request: Request, limit: int) -> Iterator[UnreadRow]:
    """Return the rows of a request's body, to be read as they come in.

    Raises:
        HttpRefusal: 415 for any other media type; 413 when its declared length is beyond the limit.
    """
    types = request.headers.getlist("content-type")
    for form, read in _FORMS:
        if len(types) == 1 and form.fullmatch(types[0]) is not None:
            return read(cast("BinaryIO", io.BufferedReader(BodyFile(request, limit))))
    raise HttpRefusal(Problem(415, "not_ndjson_or_csv"))


def existing_of(request: Request) -> Existing:
    """Read the query strictly: a misspelt ``update`` must not be taken for none.

    Raises:
        InvalidInput: anything but ``update=true`` or ``update=false``, once.
    """
    query = request.query_params.multi_items()
    if not query:
        return Existing.REJECT
    if len(query) > 1:
        raise InvalidInput([FieldProblem("/query", "repeated")])
    name, text = query[0]
    if name != "update":
        raise InvalidInput([FieldProblem("/query", "unknown_key")])
    if text not in _UPDATE:
        raise InvalidInput([FieldProblem("/query/update", "not_one_of")])
    return _UPDATE[text]


def imported_document(tally: Tally) -> dict[str, Any]:
    """Return what became of the lines so far."""
    receipt = None if tally.receipt is None else receipt_document(tally.receipt)
    return {**tally.document(), "errors_left_out": tally.errors_left_out, "receipt": receipt}
