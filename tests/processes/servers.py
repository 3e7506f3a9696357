"""`registry serve` as a real process, alone or with workers, and what tests do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.bootstrap import opened
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import Settings, load_settings

_START_SECONDS = 60


@dataclass
class Server:
    """One `registry serve` over a home folder.

    Attributes:
        home: the folder.
        database: address of its database; empty for the embedded one.
        workers: how many processes.
        port: where it listened first, and listens again after each start.
    """

    home: Path
    database: str = ""
    workers: int = 1
    port: int = 0
    ready: dict[str, Any] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _starts: int = 0

    @property
    def settings(self) -> Settings:
        return load_settings(self.home, {"REGISTRY_DATABASE_URL": self.database})

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    @property
    def output(self) -> Path:
        return self.home.with_name(f"{self.home.name}-{self._starts}.log")

    def start(self, *options: str) -> None:
        """Start, and wait for the line that says so."""
        self._starts += 1
        command = [sys.executable, "-m", "registry", "--home", str(self.home), "serve", "--json"]
        command += ["--port", str(self.port), "--workers", str(self.workers), *options]
        with self.output.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "REGISTRY_DATABASE_URL": self.database},
                start_new_session=True,  # a group of its own, as a shell gives it
            )
        self.ready = self._first_line()
        self.port = int(self.ready["url"].rpartition(":")[2])

    def stop(self) -> int:
        """Tell it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_START_SECONDS)

    def kill(self) -> None:
        """Kill the parent and all its workers at once."""
        victims = [*self.worker_ids(), self.process.pid]
        for process in victims:
            os.kill(process, signal.SIGKILL)
        self.process.wait(_START_SECONDS)

    def worker_ids(self) -> list[int]:
        """Return the process ids of the workers; without workers, the process itself is its own."""
        if self.workers == 1:
            return [self.process.pid]
        return children_of(self.process.pid)

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def token(self, *roles: Role, name: str = "") -> str:
        """Return a token of somebody who has these roles; the server need not run."""
        who = name or f"the {roles[0].value}"
        with opened(self.settings) as application:
            application.principals.ensure(Grant(DEVELOPMENT_ISSUER, who, frozenset(roles)), operator="local:test")
            issuer = application.development_issuer()
            return issuer.issue(who, roles, ttl_seconds=3600, now=SystemClock().now())

    def _first_line(self) -> dict[str, Any]:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            for line in self.output.read_bytes().splitlines(keepends=True):
                if line.startswith(b'{"url"') and line.endswith(b"\n"):
                    told: dict[str, Any] = json.loads(line)
                    return told
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.01)
        raise AssertionError("it did not start")


def children_of(process: int) -> list[int]:
    """Return the ids of a process's children."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]
    except FileNotFoundError:
        return []
