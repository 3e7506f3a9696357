"""Counting what was found, missed and wrong, by class, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.finding.matcher import Registry
from benchmarks.finding.texts import CLASSES, Key, Leak, Truth
from benchmarks.table import markdown
from registry.leaktrace.dossier import Finding

_Z = 1.959963985  # 95 %
ORDER = (*CLASSES, "dump", "none")


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return Wilson's interval of a share at 95 %."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    spread = 1 + _Z * _Z / of
    middle = share + _Z * _Z / (2 * of)
    half = _Z * (share * (1 - share) / of + _Z * _Z / (4 * of * of)) ** 0.5
    return max(0.0, (middle - half) / spread), min(1.0, (middle + half) / spread)


@dataclass(slots=True)
class Count:
    """What was counted in one class; spans of found values that cover the value and hardly more are right."""

    texts: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0
    clean: int = 0
    spans: int = 0
    spans_right: int = 0


@dataclass(slots=True)
class Tally:
    """Counts by class, and what went wrong."""

    counts: defaultdict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[tuple[str, str, Key, str]] = field(default_factory=list)

    def add(self, leak: Leak, findings: Iterable[Finding]) -> None:
        """Compare one text's findings with its truth."""
        said = {(one.employee_number, one.kind, one.member): one for one in findings}
        truth = {one.key: one for one in leak.truth}
        count = self.counts[leak.kind]
        count.texts += 1
        wrong = set(said) - set(truth) - leak.neutral
        count.clean += not wrong
        count.wrong += len(wrong)
        self.errors += [("wrong", leak.name, key, said[key].reason) for key in sorted(wrong, key=str)]
        for key, one in truth.items():
            hit = key in said
            count.right += hit
            count.missed += not hit
            self.asked[leak.kind, one.how] += 1
            self.found[leak.kind, one.how] += hit
            if not hit:
                self.errors.append(("missed", leak.name, key, one.how))
            elif one.end:
                count.spans += 1
                places = [place for place in leak.truth if place.key == key]
                count.spans_right += all(any(_same(span, place) for place in places) for span in said[key].spans)

    def table(self) -> str:
        """Return the table."""
        return markdown(
            ("class", "texts", "right", "wrong", "missed", "precision", "recall", "F1", "spans right"),
            (_row(name, count) for name, count in self._all()),
        )

    def _all(self) -> Iterator[tuple[str, Count]]:
        whole = Count()
        for name in ORDER:
            if name in self.counts:
                yield name, self.counts[name]
                for part in Count.__slots__:
                    setattr(whole, part, getattr(whole, part) + getattr(self.counts[name], part))
        yield "all", whole

    def weak_ways(self, limit: int) -> str:
        """Return the ways of writing of which most is missed."""
        ways = [(self.found[way] / asked, asked, way) for way, asked in self.asked.items() if self.found[way] < asked]
        return "\n".join(
            f"  {share:6.1%} of {asked:<4} {kind} / {how}" for share, asked, (kind, how) in sorted(ways)[:limit]
        )


def _same(span: tuple[int, int], place: Truth) -> bool:
    start, end = place.start, place.end
    common = min(span[1], end) - max(span[0], start)
    return common > 0 and common * 2 >= (end - start) and common * 2 >= span[1] - span[0]


def _row(name: str, count: Count) -> list[str]:
    if name == "none":
        low, high = wilson(count.clean, count.texts)
        left = f"{count.clean}/{count.texts} left alone [{low:.3f}, {high:.3f}]"
        return [name, str(count.texts), "", str(count.wrong), "", left, "", "", ""]
    said, true = count.right + count.wrong, count.right + count.missed
    precision, recall = (
        f"{_share(count.right, of)} [{wilson(count.right, of)[0]:.3f}, {wilson(count.right, of)[1]:.3f}]"
        for of in (said, true)
    )
    f1 = 2 * count.right / max(1, said + true)
    spans = _share(count.spans_right, count.spans) if count.spans else ""
    return [
        name,
        str(count.texts),
        str(count.right),
        str(count.wrong),
        str(count.missed),
        precision,
        recall,
        f"{f1:.3f}",
        spans,
    ]


def _share(hits: int, of: int) -> str:
    return f"{hits / of:.3f}" if of else "-"


def score(registry: Registry, leaks: Iterable[Leak]) -> Tally:
    """Match every text and count."""
    tally = Tally()
    for leak in leaks:
        tally.add(leak, registry.match(leak.text).findings)
    return tally
