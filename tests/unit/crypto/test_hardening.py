from __future__ import annotations

import subprocess
import sys

import pytest

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
