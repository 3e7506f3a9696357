"""How long traces take in a ledger of very many disclosures: of one post, and of a dump of thousands of people.

People are imported, and each is looked up by ten accounts, one person by a hundred; those are what the texts hold and
what traces judge. Between them the ledger is filled with entries that belong to nobody of them
(``benchmarks/synthetic.py`` says how), so that indexes and tree are as deep as those of a ledger of that size.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load import UnsoundRun
from benchmarks.people import document, number_of
from benchmarks.registries import PURPOSE, Registry, filled
from benchmarks.synthetic import grow
from benchmarks.table import markdown
from registry.api.server import settle_heap
from registry.bootstrap import Application, opened
from registry.domain.categories import Category
from registry.domain.principals import Claims, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.reports.as_pdf import render_pdf
from registry.services.disclose import Disclosed, DisclosureAsk
from registry.services.kernel import Caller
from registry.services.principals import Grant
from registry.services.trace_shapes import TraceAsk

PEOPLE, SIZES, POSTS = 10_000, (0, 1_000_000, 10_000_000), 40
_READERS, _COPIES = 100, 10
_CARD = {Category.HOME_ADDRESS: "line", Category.PHONE: "number", Category.EMAIL: "address"}
_SHARED = 200  # lookups a transaction
_MOST = 0.95
_FOREVER = 2**53

Times = tuple[float, float]  # elapsed, of the processor; seconds


def many(_: int, scale: float, __: Path | None) -> str:
    """Return the table of times by the size of the ledger.

    Args:
        scale: of the people, the sizes and the number of posts.
    """
    people = max(200, round(PEOPLE * scale))
    settle_heap()  # as the server does, which traces and prints
    with TemporaryDirectory(prefix="registry-bench-") as name:
        registry = filled(Path(name), people)
        with opened(registry.settings) as application:
            cards = _look_up(application, people)
        rows = [_row(registry, cards, round(size * scale), max(5, round(POSTS * scale))) for size in SIZES]
    columns = ("post, elapsed (ms)", "post, processor (ms)", f"dump of {people:,} rows (s)", "of it processor (s)")
    return markdown(("entries", *columns, "people found", "PDF of the dump (s)", "PDF of the post (s)"), rows)


def _readers(application: Application) -> list[Caller]:
    names = [f"reader-{number:03}" for number in range(_READERS)]
    for name in names:
        application.principals.ensure(Grant(DEVELOPMENT_ISSUER, name, frozenset({Role.READER})), operator="local:bench")
    return [Caller(Claims(DEVELOPMENT_ISSUER, name, None, name, "bench", _FOREVER, _FOREVER)) for name in names]


def _look_up(application: Application, people: int) -> dict[int, list[str]]:
    """Show everybody to ten accounts, the first person to all; returns the lines that the first account was shown."""
    readers, shown = _readers(application), dict[int, list[str]]()
    asked = ((number, readers[(number + place * 7) % _READERS]) for number in range(people) for place in range(_COPIES))
    everybody = ((0, reader) for reader in readers)
    for part in _parts([*asked, *everybody], _SHARED):
        asks = [(reader, _ask(application, number)) for number, reader in part]
        for (number, _), answer in zip(part, application.disclose.disclose_many(asks), strict=True):
            if not isinstance(answer, Disclosed):
                raise UnsoundRun(f"a lookup was not answered: {type(answer).__name__} {getattr(answer, 'reason', '')}")
            shown.setdefault(number, _lines(answer))
    return shown


def _parts(those: Sequence[tuple[int, Caller]], most: int) -> Iterator[Sequence[tuple[int, Caller]]]:
    return (those[first : first + most] for first in range(0, len(those), most))


def _ask(application: Application, number: int) -> DisclosureAsk:
    purpose = Purpose(PurposeCode(PURPOSE["code"]), PURPOSE["case"], PURPOSE["note"])
    return DisclosureAsk(None, application.kernel.number_tag(number_of(number)), frozenset(_CARD), frozenset(), purpose)


def _row(registry: Registry, cards: dict[int, list[str]], entries: int, posts: int) -> list[str]:
    if entries > registry.entries():
        grow(registry, 0, entries)
    with opened(registry.settings) as application:
        caller = application.local_caller()
        post, dump = _text(cards, [0]), _text(cards, cards)
        timed = [_traced(application, caller, post) for _ in range(posts)]
        whole, report, found = _traced(application, caller, dump)
    if found != len(cards):
        raise UnsoundRun(f"{found} people of {len(cards)} were found")
    wall, processor = (sorted(1e3 * one[which] for one, _, _ in timed) for which in (0, 1))
    told = [f"{_at(times, 0.5):.0f}, {_at(times, _MOST):.0f}" for times in (wall, processor)]
    printed = max(one for _, one, _ in timed)
    return [
        f"{registry.entries():,}",
        *told,
        f"{whole[0]:.1f}",
        f"{whole[1]:.1f}",
        f"{found:,}",
        f"{report:.2f}",
        f"{printed:.2f}",
    ]


def _traced(application: Application, caller: Caller, text: str) -> tuple[Times, float, int]:
    start = time.perf_counter(), time.process_time()
    report = application.trace.trace(caller, TraceAsk(text)).stored.report
    stop = time.perf_counter(), time.process_time()
    render_pdf(report)
    return (stop[0] - start[0], stop[1] - start[1]), time.process_time() - stop[1], len(report.people)


def _text(cards: dict[int, list[str]], numbers: Iterable[int]) -> str:
    """Write a table of people, with what stood on the screen."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("first", "last", "address", "phone", "email"))
    for number in numbers:
        person = document(number)
        writer.writerow((person["given_name"], person["family_name"], *cards[number]))
    return stream.getvalue()


def _lines(answer: Disclosed) -> list[str]:
    values = {field.category: field.expose() for field in answer.fields}
    return [str(values[category][name]) for category, name in _CARD.items()]


def _at(ordered: Sequence[float], part: float) -> float:
    return ordered[round(part * (len(ordered) - 1))]
