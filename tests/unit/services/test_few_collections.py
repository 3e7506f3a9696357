"""The collector's rounds while texts are matched: rarer, and as before once the last one is done."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from registry.services.few_collections import RARELY, few_collections

OFTEN = (2_000, 10, 1_000)


@pytest.fixture(autouse=True)
def _often() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*OFTEN)
    yield
    gc.set_threshold(*before)


def test_rounds_are_rare_meanwhile_and_then_as_they_were() -> None:
    with few_collections():
        assert gc.get_threshold() == RARELY
        with few_collections():
            assert gc.get_threshold() == RARELY
        assert gc.get_threshold() == RARELY
    assert gc.get_threshold() == OFTEN


def test_they_are_put_back_when_matching_fails() -> None:
    with pytest.raises(MemoryError), few_collections():
        raise MemoryError
    assert gc.get_threshold() == OFTEN


def test_the_last_of_several_at_once_puts_them_back() -> None:
    first_is_in, first_may_end = threading.Event(), threading.Event()

    def first() -> None:
        with few_collections():
            first_is_in.set()
            first_may_end.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert first_is_in.wait(10)
    with few_collections():
        first_may_end.set()
        thread.join()
        assert gc.get_threshold() == RARELY
    assert gc.get_threshold() == OFTEN
