"""Names of requests."""

from __future__ import annotations

import os

from registry.api.frame import _request_id


def name() -> str:
    return _request_id({"headers": []})


def test_two_processes_give_requests_no_same_name() -> None:
    """A process that is forked begins as a copy of its parent, random numbers to come included."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, name().encode())
        finally:
            os._exit(0)  # whatever happened: what goes on from here is another run of all tests
    own = name()
    os.waitpid(child, 0)
    other = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    assert len(own) == len(other) == 32
    assert own != other
