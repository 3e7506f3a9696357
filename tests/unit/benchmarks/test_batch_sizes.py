"""What a server's metrics say of its commits, as the tables tell it."""

from __future__ import annotations

from collections import Counter

from benchmarks.batch_sizes import sizes_in, sizes_table

PAGE = """# TYPE registry_lane_batch_size histogram
registry_lane_batch_size_bucket{le="1"} 3
registry_lane_batch_size_bucket{le="2"} 4
registry_lane_batch_size_bucket{le="4"} 4
registry_lane_batch_size_bucket{le="+Inf"} 8
registry_lane_batch_size_sum 90
registry_lane_batch_size_count 8
"""


def test_buckets_hold_what_is_between_two_bounds() -> None:
    assert sizes_in(PAGE) == Counter({"1": 3, "2": 1, "4": 0, "+Inf": 4})


def test_shares_are_of_the_commits_of_one_target() -> None:
    found = {("one", 16): sizes_in(PAGE), ("two", 1): Counter({"1": 5}), ("no ledger", 1): Counter[str]()}
    assert sizes_table(found).splitlines() == [
        "| commits by the lookups in them | clients | commits | 1 | 2 | 3 to 4 | 5 and more |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| two | 1 | 5 | 100% | 0% | 0% | 0% |",
        "| one | 16 | 8 | 38% | 12% | 0% | 50% |",
    ]


def test_without_commits_there_is_no_table() -> None:
    assert sizes_table({("no ledger", 1): Counter()}) == ""
