"""``python -m benchmarks.finding.hostile [COUNT [SEED]]``: texts that mean to break or to stall the matcher.

Each is made from a seed: pieces of values, of signs that folding treats apart, of tables, markup and numbers, torn and
repeated. All of it runs in one process without a registry: reading, choosing whose values to open, deciding. Printed
are how many failed, the slowest one, and for each family of patterns the time at twice the length.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from random import Random

from benchmarks.finding.matcher import Registry, people_of
from benchmarks.finding.world import make_world
from benchmarks.machine import describe, moment
from benchmarks.table import markdown, number

# Processor seconds for one text of at most so many characters; a stall takes minutes.
MOST_SECONDS = 2.0
MOST_CHARACTERS = 2_000
# Twice the length takes at most so many times as long; four would be its square.
MOST_GROWTH = 3.0
LENGTH = 20_000
_PEOPLE = 50
_TOLD = 50_000  # texts after which it is told how far it is: a run that is stopped has said something

_PIECES = (
    *("816-555-0142", "734-12-3456", "4111 1111 1111 1111", "1207 Larkspur Ave", "person7@example.org", "Feb 29 1984"),
    *("eight one six", "dot", "dash", "(at)", "[.]", "0x41", "%31%32", "&#49;", "&amp;#x31;", "\\u0031", "1\u20e3"),
    *(
        "\u200b",
        "\u202e",
        "\ufeff",
        "\u0301",
        "\u0130",
        "\u1e9e",
        "\ufb03",
        "\U0001d7d9",
        "\uff11",
        "\ud800",
        "\x00",
        "\x1b[0m",
    ),
    *("Apt", "#", "St", "Saint", "O'Neil", "O\u2019Neil", "\u0661\u0662", "II", "N.", "PO Box 12", "Elementary School"),
    *(
        ",",
        ";",
        "|",
        "\t",
        "\n",
        "\r\n",
        '"',
        "'",
        "<td>",
        "</tr>",
        "{",
        "}",
        "[",
        "]",
        ":",
        "=",
        "INSERT INTO t VALUES (",
        ")",
    ),
    *("a", "1", " ", "-", ".", "/", "\\", "@", "$", "*", "_", "~", "x" * 40, "9" * 40, "1 " * 20, "a." * 20, "-- "),
)

FAMILIES: Mapping[str, Callable[[int], str]] = {
    "digits": lambda n: "1" * n,
    "digits and blanks": lambda n: "1 " * (n // 2),
    "digits and dashes": lambda n: "1-" * (n // 2),
    "letters and blanks": lambda n: "a " * (n // 2),
    "one word": lambda n: "a" * n,
    "dots": lambda n: "a." * (n // 2),
    "at signs": lambda n: "a@" * (n // 2),
    "mail in mail": lambda n: "a@a.a" * (n // 5),
    "quotes": lambda n: '"' * n,
    "separators": lambda n: "," * n,
    "lines": lambda n: "a,b\n" * (n // 4),
    "rows of numbers": lambda n: "816-555-0142,734-12-3456,1984-02-29\n" * (n // 37),
    "street after street": lambda n: "1207 Larkspur Ave Apt 3 " * (n // 24),
    "numbers in words": lambda n: "eight one six five " * (n // 19),
    "marks on a letter": lambda n: "a" + "\u0301" * n,
    "no width": lambda n: "1\u200b" * (n // 2),
    "percent codes": lambda n: "%31" * (n // 3),
    "entities": lambda n: "&#49;" * (n // 5),
    "tags": lambda n: "<td>1" * (n // 5),
    "names": lambda n: "Dana Brightwater " * (n // 17),
    "schools": lambda n: "Larch Hill Elementary School " * (n // 29),
    "dates": lambda n: "29.02.1984 " * (n // 11),
    "braces": lambda n: '{"a":' * (n // 5),
    "labels": lambda n: "name: Dana\n" * (n // 11),
    "bars": lambda n: "1|" * (n // 2),
    "few bars": lambda n: "a|736-79-0120|b" + "1 " * (n // 2),
    "stars": lambda n: "abc*abc" * (n // 7),
    "titles": lambda n: '<b title="1">1</b>' * (n // 18),
    "torn dates": lambda n: "1 1/0 1/19 60 " * (n // 14),
    "house numbers in two parts": lambda n: "75-38 W150 N5928 " * (n // 17),
}


def hostile_texts(count: int, seed: int) -> Iterator[str]:
    """Yield texts of at most ``MOST_CHARACTERS`` code points, the same for the same seed."""
    rng = Random(seed)
    for _ in range(count):
        pieces: list[str] = []
        for _ in range(rng.randint(1, 12)):
            piece = rng.choice(_PIECES)
            if rng.random() < 0.3:
                cut = rng.randint(0, len(piece))
                piece = piece[cut:] + piece[:cut]
            pieces.append(piece * (rng.randint(2, 30) if rng.random() < 0.1 else 1))
            pieces.append(rng.choice(("", " ", "\n", rng.choice(_PIECES))))
        yield "".join(pieces)[:MOST_CHARACTERS]


def registry() -> Registry:
    """Return a made-up registry of a few people."""
    return Registry(people_of(make_world(11, _PEOPLE).enrolled))


def seconds(call: Callable[[str], object], text: str) -> float:
    """Return the processor seconds that a text takes."""
    before = time.process_time()
    call(text)
    return time.process_time() - before


def growth(call: Callable[[str], object], family: Callable[[int], str], length: int = LENGTH) -> float:
    """Return how many times as long twice the length takes: the best of five, taken in turn on a busy machine."""
    short, long = family(length), family(2 * length)
    pairs = [(seconds(call, short), seconds(call, long)) for _ in range(5)]
    once = min(one for one, _ in pairs)
    twice = min(two for _, two in pairs)
    return twice / max(once, 1e-3)


def main() -> None:
    """Measure and print; ends with 1 where a text failed, stalled or grew with its square."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"`python -m benchmarks.finding.hostile {count} {seed}`\n\n{describe()}; {moment()}\n", flush=True)
    matched, failed, slowest, began = registry(), 0, 0.0, time.perf_counter()
    for place, text in enumerate(hostile_texts(count, seed), 1):
        if place % _TOLD == 0:
            told = f"{place:,} texts, {failed} failed, the slowest took {slowest:.3f} s of a processor"
            print(f"{told}; {time.perf_counter() - began:,.0f} s", flush=True)
        try:
            slowest = max(slowest, seconds(matched.match, text))
        except Exception as failure:  # noqa: BLE001 - any failure is what is looked for
            failed += 1
            print(f"failed: {type(failure).__name__} on {text!r}", flush=True)
    took = time.perf_counter() - began
    print(f"{count:,} texts in {took:,.0f} s, {failed} failed, the slowest took {slowest:.3f} s of a processor\n")
    grown = {name: growth(matched.match, family) for name, family in FAMILIES.items()}
    print(markdown(("family", "times at twice the length"), ([name, number(ratio)] for name, ratio in grown.items())))
    if failed or slowest > MOST_SECONDS or max(grown.values()) > MOST_GROWTH:
        sys.exit(1)


if __name__ == "__main__":
    main()
