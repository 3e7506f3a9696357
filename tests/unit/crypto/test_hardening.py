from __future__ import annotations

import ctypes
import resource
import subprocess
import sys

import pytest

from registry.crypto import hardening
from registry.crypto.hardening import Hardening, harden_process

_PROBE = """
import resource
from registry.crypto.hardening import harden_process
print(harden_process(), resource.getrlimit(resource.RLIMIT_CORE))
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_DUMPABLE is Linux's")
def test_a_hardened_process_leaves_no_core_and_is_not_dumpable() -> None:
    """In a process of its own: there is no way back."""
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Hardening(core_dumps_off=True, not_dumpable=True) (0, 0)", "0"]


class Refusing:
    """A C library whose prctl does nothing and reports that the process is dumpable."""

    def __init__(self, *_: object, **__: object) -> None:
        self.prctl = lambda *_: 1


def refuse(*_: object) -> None:
    raise ValueError("not allowed to raise maximum limit")


def missing(*_: object, **__: object) -> object:
    raise OSError("no such library")


@pytest.fixture
def unhardened(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing done here may reach this very process."""
    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(ctypes, "CDLL", Refusing)
    return monkeypatch


def test_what_the_system_refuses_is_said_and_not_raised(unhardened: pytest.MonkeyPatch) -> None:
    unhardened.setattr(sys, "platform", "linux")
    assert harden_process() == Hardening(core_dumps_off=False, not_dumpable=False)


@pytest.mark.parametrize("library", [missing, object])
def test_a_system_without_prctl(unhardened: pytest.MonkeyPatch, library: object) -> None:
    unhardened.setattr(sys, "platform", "linux")
    unhardened.setattr(hardening.ctypes, "CDLL", lambda *_, **__: library() if library is object else missing())
    assert not harden_process().not_dumpable


def test_another_system(unhardened: pytest.MonkeyPatch) -> None:
    unhardened.setattr(sys, "platform", "darwin")
    assert harden_process() == Hardening(core_dumps_off=False, not_dumpable=False)


def test_a_limit_that_did_not_take_is_said(unhardened: pytest.MonkeyPatch) -> None:
    unhardened.setattr(resource, "setrlimit", lambda *_: None)
    unhardened.setattr(resource, "getrlimit", lambda *_: (0, resource.RLIM_INFINITY))
    assert not harden_process().core_dumps_off
