"""Keep key material out of core dumps and away from other processes of the same user."""

from __future__ import annotations

import ctypes
import resource
import sys
from dataclasses import dataclass

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Hardening:
    """What was achieved, read back from the system.

    Attributes:
        core_dumps_off: the core size limit is 0, soft and hard.
        not_dumpable: no core even to a pipe handler, and no ptrace or /proc/<pid>/mem by the same user (Linux).
    """

    core_dumps_off: bool
    not_dumpable: bool


def harden_process() -> Hardening:
    """Switch core dumps off and make the process not dumpable, as far as the system allows.

    Never fails: start-up decides what to do with the answer. Both survive ``fork``; the second does not survive
    ``exec``, so every process calls this itself. A memory image of the machine stays out of reach of both.

    Source: setrlimit(2), PR_SET_DUMPABLE in prctl(2).
    """
    return Hardening(core_dumps_off=_limit_core_size(), not_dumpable=_forbid_dumping())


def _limit_core_size() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def _forbid_dumping() -> bool:
    if sys.platform != "linux":
        return False
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return False
    prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    answer: int = prctl(_PR_GET_DUMPABLE, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    return answer == 0
