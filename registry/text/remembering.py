"""What is worked out of single words and names is kept while a text is matched, and let go with it.

A dump compares the same words over and over. They are words of protected values as well, so they must not stay in a
server's memory until others push them out. What is let go is freed, not written over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")
_KEPT: list[Callable[..., object]] = []


def remembered(most: int) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Keep the last results of a pure function of hashable arguments, until ``forget``.

    Args:
        most: so many results.
    """

    def keep(function: Callable[_P, _R]) -> Callable[_P, _R]:
        kept = lru_cache(maxsize=most)(function)
        _KEPT.append(kept)
        return cast("Callable[_P, _R]", kept)

    return keep


def forget() -> None:
    """Let go of all that is kept. Whoever matches another text at this moment works it out again."""
    for one in _KEPT:
        one.cache_clear()  # type: ignore[attr-defined]  # each was made by lru_cache above


def count_remembered() -> int:
    """Return how many results are kept now."""
    return sum(one.cache_info().currsize for one in _KEPT)  # type: ignore[attr-defined]  # as above


@contextmanager
def forgetting() -> Iterator[None]:
    """Forget at the end, however it ends. Also a decorator."""
    try:
        yield
    finally:
        forget()
