"""What is to be traced: from a parsed JSON body to the ask."""

from __future__ import annotations

from datetime import date, datetime

from registry.api.bodies import loose, moment_problem, open_body
from registry.api.file_bodies import read_file
from registry.services.evidence_items import MOST_ITEMS, ItemAsk
from registry.services.trace import MAX_UNCERTAINTY_SECONDS, TraceAsk
from registry.text.moments import read_moment
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line, url_problem

MAX_TRACE_BYTES = 20 << 20
MAX_TRACE_BODY = MAX_TRACE_BYTES + (1 << 20)  # room for the other members and for escapes

_SEEN_KEYS = frozenset({"published_at", "source", "uncertainty_seconds"})
_TRACE_KEYS = _SEEN_KEYS | {"text", "file", "items"}
_ITEM_KEYS = _SEEN_KEYS | {"text", "file", "url"}
_SOURCE = one_line(300)


def read_trace(document: object, *, today: date) -> TraceAsk:
    """Read ``{"text"|"file", "published_at"?, "uncertainty_seconds"?, "source"?}``, or ``{"items"}``.

    Raises:
        InvalidInput: with all problems; ``exactly_one`` for none of the three or more.
    """
    body = open_body(document, _TRACE_KEYS, today)
    ways = [name for name in ("text", "file", "items") if body.has(name)]
    if len(ways) > 1:
        body.refuse("exactly_one")
    if "items" in ways:
        items = _items(body)
        body.reading.finish()
        return TraceAsk("", items=items)
    upload = read_file(body) if body.has("file") else None
    text = body.required("text", _pasted_problem) if upload is None else ""
    moment, uncertainty, source = _seen(body)
    body.reading.finish()
    return TraceAsk(text, moment, source, upload, uncertainty)


def read_item(document: object, *, today: date) -> ItemAsk:
    """Read one item, ``{"text"|"file"?, "url"?, "published_at", "uncertainty_seconds"?, "source"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _ITEM_KEYS, today)
    item = _item(body)
    body.reading.finish()
    return item


def _items(body: ObjectReader) -> tuple[ItemAsk, ...]:
    for name in sorted(_SEEN_KEYS):
        if body.has(name):
            body.refuse("exactly_one", name)  # each item has its own
    items = tuple(_item(one) for one in body.items("items", _ITEM_KEYS, MOST_ITEMS))
    if body.member("items") == []:
        body.refuse("empty", "items")
    elif items and not any(one.text or one.upload for one in items):
        body.refuse("missing", "items")  # addresses alone: nothing is fetched, so there is nothing to read
    return items


def _item(body: ObjectReader) -> ItemAsk:
    if body.has("text") and body.has("file"):
        body.refuse("exactly_one")
    upload = read_file(body) if body.has("file") else None
    is_page = upload is None and body.has("url") and not body.has("text")
    text = body.required("text", _pasted_problem) if upload is None and not is_page else ""
    if not body.has("published_at"):
        body.refuse("missing", "published_at")
    moment, uncertainty, source = _seen(body)
    return ItemAsk(text, moment, uncertainty, source, body.optional("url", url_problem), upload)


def _seen(body: ObjectReader) -> tuple[datetime | None, int, str]:
    """Read when and where a text was seen."""
    moment = body.optional("published_at", moment_problem)
    return read_moment(moment), _uncertainty(body), loose(body, "source", _SOURCE)


def _uncertainty(body: ObjectReader) -> int:
    """Read how many seconds earlier or later a text may have appeared; only beside a time."""
    if not body.has("uncertainty_seconds"):
        return 0
    seconds = body.member("uncertainty_seconds")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        body.refuse("wrong_type", "uncertainty_seconds")
    elif not 0 <= seconds <= MAX_UNCERTAINTY_SECONDS:
        body.refuse("out_of_range", "uncertainty_seconds")
    elif seconds and not body.has("published_at"):
        body.refuse("missing", "published_at")
    else:
        return seconds
    return 0


def _pasted_problem(text: str) -> str | None:
    # A pasted text may hold any character: refusing some of them would be a way around the tracer.
    return "too_long" if len(text.encode("utf-8", "surrogatepass")) > MAX_TRACE_BYTES else None
