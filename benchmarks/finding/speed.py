"""``python -m benchmarks.finding.speed [PEOPLE [ROWS]]``: tracing a dump of many rows, and a megabyte of prose.

Half of the rows are of enrolled people. The whole command ``registry trace --batch`` is measured, start included.
"""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.finding.carriers import FILLER
from benchmarks.machine import describe, moment
from benchmarks.people import document
from benchmarks.table import markdown, number

_COLUMNS = ("employee", "first", "last", "address", "phone", "ssn", "born", "email")
_STRANGERS = 2_000_000  # from here on, nobody is enrolled
_REGISTRY = str(Path(sys.executable).with_name("registry"))
_MEGABYTE = 1_000_000


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    print(f"`python -m benchmarks.finding.speed {people} {rows}`\n\n{describe()}; {moment()}\n", flush=True)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "people.ndjson"
        file.write_text("".join(f"{json.dumps(document(one))}\n" for one in range(people)), "utf-8")
        _run(home, "init")
        _run(home, "import", str(file))
        texts = {"a dump": dump_of(people, rows), "prose": prose()}
        print(markdown(("text", "MB", "s", "s of processors", "peak MB", "findings"), _measured(home, texts)))
    print(f"\n{moment()}")


def _measured(home: Path, texts: dict[str, str]) -> Iterator[list[str]]:
    for name, text in texts.items():
        source, target = home / "in.jsonl", home / "out.jsonl"
        source.write_text(json.dumps({"id": name, "text": text}), "utf-8")
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        _run(home, "trace", "--batch", str(source), "--out", str(target))
        took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found = json.loads(target.read_text("utf-8"))["findings"]
        megabytes = number(len(text.encode()) / _MEGABYTE)
        yield [name, megabytes, number(took), number(busy), number(after.ru_maxrss / 1024), number(len(found))]


def _run(home: Path, *arguments: str) -> None:
    subprocess.run([_REGISTRY, "--home", str(home / "home"), *arguments], check=True, capture_output=True)


def dump_of(people: int, rows: int) -> str:
    """Return a table as CSV; every other row is of one of the first people."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in range(rows):
        one = document(row // 2 % people if row % 2 else _STRANGERS + row)
        values = {record["category"]: record["value"] for record in one["records"]}
        names = (one["employee_number"], one["given_name"], one["family_name"])
        phone, ssn, born = values["phone"]["number"], values["ssn"]["number"], values["date_of_birth"]["date"]
        writer.writerow((*names, values["home_address"]["line"], phone, ssn, born, values["email"]["address"]))
    return stream.getvalue()


def prose() -> str:
    """Return a megabyte of sentences about nobody."""
    rng, said = Random(1), 0
    sentences: list[str] = []
    while said < _MEGABYTE:
        sentences.append(rng.choice(FILLER))
        said += len(sentences[-1]) + 1
    return " ".join(sentences)


if __name__ == "__main__":
    main()
