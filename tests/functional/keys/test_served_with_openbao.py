"""A registry whose keys OpenBao holds: how it is set up, what its commands tell, and how tests serve it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx2
import pytest

from registry.keys.openbao.rights import policy
from registry.keys.openbao.settings import KeyServiceSettings
from registry.settings import load_settings
from tests.conftest import openbao_program
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.plain_http import plain_client
from tests.functional.cli.conftest import Line, line_for


def configure(home: Path, settings: KeyServiceSettings, **more: object) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    lines = [
        "[keys]",
        'provider = "openbao"',
        f'address = "{settings.address}"',
        f'secret_id_file = "{settings.secret_id_file}"',
        f'role_id = "{settings.role_id}"',
        f'key_prefix = "{settings.key_prefix}"',
        *(f"{name} = {value}" for name, value in more.items()),
    ]
    (home / "config.toml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def line(shamir: OpenBaoServer, tmp_path: Path) -> Line:
    home = tmp_path / "home"
    configure(home, shamir.set_up(), cache_seconds=1, timeout_seconds=1)
    made = line_for(home)
    made("init")
    return made


@contextmanager
def served(
    line: Line, environment: Mapping[str, str] = MappingProxyType({}), unsaid: Sequence[str] = ("vault:v",)
) -> Iterator[httpx2.Client]:
    """Serve a registry, and look that its log says nothing of ``unsaid``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "registry", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "REGISTRY_HOME": str(line.home), **environment},
        text=True,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with plain_client(url, timeout=20) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        log = process.stdout.read()
        assert process.wait(30) == 0
        assert not [secret for secret in unsaid if secret in log]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def look_up(client: httpx2.Client, number: str, headers: dict[str, str]) -> httpx2.Response:
    body = {"employee_number": number, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    return client.post("/v1/disclosures", json=body, headers=headers)


def headers_of(line: Line, role: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + line("token", "--sub", f"the-{role}", "--role", role).stdout.strip()}


def test_a_sealed_service_at_start_is_told(line: Line, shamir: OpenBaoServer) -> None:
    shamir.seal()
    try:
        refused = line("audit", "verify", exits=3)
        assert "sealed" in refused.output
    finally:
        shamir.unseal()
    assert line.json("audit", "verify")["verified"]


def test_the_doctor_tells_what_ails_the_key_service_and_tells_it_once(line: Line, shamir: OpenBaoServer) -> None:
    def found() -> dict[str, str]:
        checks = line("doctor", "--json", exits=None).stdout
        return {each["name"]: each["what"] for each in json.loads(checks)["checks"] if each["state"] == "finding"}

    assert found() == {}
    shamir.seal()
    try:
        assert found() == {"key_service": "the key service is sealed; unseal it"}
    finally:
        shamir.unseal()
    name = load_settings(line.home, {}).key_service
    assert name is not None
    wide = policy(name) + 'path "transit/*" { capabilities = ["create", "read", "update"] }'
    shamir.call("PUT", f"sys/policies/acl/{name.key_prefix}", {"policy": wide})
    assert set(found()) == {"key_service"}
    assert "transit/export" in found()["key_service"]
    shamir.call("PUT", f"sys/policies/acl/{name.key_prefix}", {"policy": 'path "none" { capabilities = ["read"] }'})
    assert list(found()) == ["key_service"]
    assert "forbids" in found()["key_service"]


def test_the_keys_of_the_home_folder_alone_open_nothing(line: Line, shamir: OpenBaoServer) -> None:
    config = line.home / "config.toml"
    config.write_text("")
    refused = line("audit", "verify", exits=3)
    assert "provider openbao" in refused.output


def test_what_the_set_up_commands_make_is_enough_and_not_more(shamir: OpenBaoServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    secret_id = tmp_path / "secret-id"
    settings = KeyServiceSettings(shamir.address, secret_id, role_id="city-registry", key_prefix="city")
    configure(home, settings)
    line = line_for(home)
    (tmp_path / "setup.sh").write_text(line("key-service", "setup").stdout)
    path = f"{openbao_program().parent}:{os.environ['PATH']}"
    told = {"PATH": path, "BAO_ADDR": shamir.address, "BAO_TOKEN": shamir.root, "HOME": str(tmp_path)}
    for _ in range(2):  # it may be run again
        done = subprocess.run(["sh", tmp_path / "setup.sh"], env=told, check=True, capture_output=True)
        secret_id.write_bytes(done.stdout)
    secret_id.chmod(0o400)
    line("init")
    found = {check["name"]: check for check in line.json("doctor")["checks"]}
    assert found["keys"]["state"] == "ok"
    policy = shamir.call("GET", "sys/policies/acl/city")["data"]["policy"]
    assert policy == line("key-service", "policy").stdout
