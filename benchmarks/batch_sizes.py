"""How many lookups shared a commit, as the lane of a running server counted them."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.table import markdown, number

_BUCKET = re.compile(r'^registry_lane_batch_size_bucket\{le="([^"]+)"\} (\d+)$', re.MULTILINE)
_SECONDS = 10


def lane_sizes(pages: Sequence[str]) -> Counter[str]:
    """Return the commits by upper bound of their size ("1", "2", "4" ... "+Inf"), from the addresses of all metrics."""
    sizes: Counter[str] = Counter()
    for page in pages:
        with urllib.request.urlopen(page, timeout=_SECONDS) as answer:  # our own address, of this machine
            sizes.update(sizes_in(answer.read().decode()))
    return sizes


def sizes_in(metrics: str) -> Counter[str]:
    """Read one page of metrics: its buckets hold what is at most a bound, ours what is between two."""
    sizes: Counter[str] = Counter()
    below = 0
    for bound, count in _BUCKET.findall(metrics):
        sizes[bound] += int(count) - below
        below = int(count)
    return sizes


def sizes_table(found: Mapping[tuple[str, int], Counter[str]]) -> str:
    """Write the commits of each (target, clients) by size, in percent of them; nothing if no target tells."""
    told = {key: sizes for key, sizes in found.items() if sizes.total()}
    bounds = sorted({bound for sizes in told.values() for bound in sizes}, key=float)
    rows = [
        [name, str(clients), number(sizes.total()), *(f"{sizes[bound] / sizes.total():.0%}" for bound in bounds)]
        for (name, clients), sizes in sorted(told.items(), key=lambda item: item[0][1])
    ]
    columns = ["commits by the lookups in them", "clients", "commits", *_names(bounds)]
    return markdown(columns, rows) if rows else ""


def _names(bounds: Sequence[str]) -> list[str]:
    """Name what is above one bound and not above the next."""
    names = []
    for below, bound in zip(["0", *bounds], bounds, strict=False):
        least = int(below) + 1
        names.append(
            f"{least} and more" if bound == "+Inf" else bound if bound == str(least) else f"{least} to {bound}"
        )
    return names
